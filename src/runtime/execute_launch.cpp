// Steps that an accelerator does: they are put on its stream.

#include "device/accelerator.h"
#include "runtime/prepared.h"

namespace planish {

void execute_launch(PreparedStep& step, const Execution& execution) {
  step.launch->run(*execution.device.accelerator(), *execution.stream);
}

void check_transfer(const PreparedStep& step) {
  const TensorView &from = step.inputs.at(0), &to = step.outputs.at(0);
  const auto both = [&](Layout layout) { return from.is_dense(layout) && to.is_dense(layout); };
  if (from.dtype != to.dtype || Shape::of(from.extents()) != Shape::of(to.extents()) ||
      !(both(Layout::row_major) || (from.rank >= 3 && both(Layout::channels_last))))
    fail(Code::invalid_plan, "a copy between memories of other elements, or in another order");
}

void execute_transfer(PreparedStep& step, const Execution& execution) {
  if (is_in_place(step)) return;
  const TensorView &from = step.inputs[0], &to = step.outputs[0];
  execution.device.accelerator()->copy(to.data, from.data, from.element_count() * element_bytes(from.dtype),
                                       *execution.stream);
}

}  // namespace planish
