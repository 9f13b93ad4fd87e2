#include "base/error.h"
#include "runtime/prepared.h"

namespace planish {

void check_control(const PreparedStep& step) {
  const TensorView& condition = step.inputs[0];
  if (condition.dtype != DataType::boolean || condition.element_count() != 1)
    fail(Code::invalid_plan, "a condition of {} elements of type {}, one bool is accepted", condition.element_count(),
         data_type_name(condition.dtype));
}

// if: inputs[0] is the condition; bodies {then, else} write the results' buffers themselves.
void execute_control(PreparedStep& step, const Execution& execution) {
  execute(step.bodies[load_int(step.inputs[0], 0) != 0 ? 0 : 1], execution);
}

}  // namespace planish
