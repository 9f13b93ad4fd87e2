#include "base/error.h"
#include "runtime/prepared.h"

namespace planish {

// if: inputs[0] is the condition; bodies {then, else} write the results' buffers themselves.
void execute_control(PreparedStep& step, const Execution& execution) {
  const TensorView& condition = step.inputs[0];
  if (condition.element_count() != 1)
    fail(Code::invalid_argument, "a condition of {} elements", condition.element_count());
  execute(step.bodies[load_int(condition, 0) != 0 ? 0 : 1], execution);
}

}  // namespace planish
