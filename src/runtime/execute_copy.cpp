#include "runtime/prepared.h"
#include "tensor/copy.h"

namespace planish {

void execute_copy(PreparedStep& step, const Execution& execution) {
  copy_view(step.inputs[0], step.outputs[0], execution.pool);
}

}  // namespace planish
