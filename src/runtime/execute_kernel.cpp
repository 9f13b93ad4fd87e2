#include "runtime/prepared.h"

namespace planish {

void execute_kernel(PreparedStep& step, const Execution& execution) {
  KernelArgs args;
  args.inputs = step.inputs;
  args.outputs = step.outputs;
  args.params = step.params.get();
  args.workspace = step.workspace;
  args.pool = &execution.pool;
  args.bound_symbols = step.bound;
  step.kernel->run(args);
  if (!step.bound.empty()) execution.late.bind(*step.step, step.bound);
}

}  // namespace planish
