// Control steps: "if" chooses one of two lists of steps, "loop" repeats one.

#include <algorithm>

#include "base/error.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

void check_one(const TensorView& view, DataType dtype, const char* what) {
  if (view.present() && (view.dtype != dtype || view.element_count() != 1))
    fail(Code::invalid_plan, "{} of {} elements of type {}, one {} is accepted", what, view.element_count(),
         data_type_name(view.dtype), data_type_name(dtype));
}

// Operands: the trip count and a condition, which the body writes; either may be absent. Binds the iteration, from 0,
// and, at the end, how many there were. bodies[0] is one iteration, bodies[1] hands its results on to the next.
void execute_loop(PreparedStep& step, const Execution& execution) {
  const TensorView &trips = step.inputs[0], &condition = step.inputs[1];
  const int64_t most = trips.present() ? load_int(trips, 0) : INT64_MAX;
  const auto bind = [&](int64_t iteration, int64_t count) {
    step.bound = {iteration, count};
    execution.late.bind(*step.step, step.bound);
  };
  int64_t count = 0;
  for (; count < most && (!condition.present() || load_int(condition, 0) != 0); ++count) {
    bind(count, 0);
    execute(step.bodies[0], execution);
    execution.late.forget(*step.step, step.step->bodies[0]);
    execute(step.bodies[1], execution);
  }
  bind(std::max<int64_t>(count - 1, 0), count);
}

}  // namespace

void check_control(const PreparedStep& step) {
  if (step.step->kernel == "if") {
    if (!step.inputs[0].present()) fail(Code::invalid_plan, "the condition is missing");
    return check_one(step.inputs[0], DataType::boolean, "a condition");
  }
  check_one(step.inputs[0], DataType::i64, "a trip count");
  check_one(step.inputs[1], DataType::boolean, "a condition");
}

// if: inputs[0] is the condition; bodies {then, else} write the results' buffers themselves.
void execute_control(PreparedStep& step, const Execution& execution) {
  if (step.step->kernel == "loop") return execute_loop(step, execution);
  const size_t branch = load_int(step.inputs[0], 0) != 0 ? 0 : 1;
  if (!step.refusals[branch].empty()) fail(Code::invalid_argument, "{}", step.refusals[branch]);
  execute(step.bodies[branch], execution);
}

}  // namespace planish
