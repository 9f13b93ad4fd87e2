// Control steps: "if" chooses one of two lists of steps, "loop" repeats one.

#include "base/error.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

void check_one(const TensorView& view, DataType dtype, const char* what) {
  if (view.present() && (view.dtype != dtype || view.element_count() != 1))
    fail(Code::invalid_plan, "{} of {} elements of type {}, one {} is accepted", what, view.element_count(),
         data_type_name(view.dtype), data_type_name(dtype));
}

// Operands: how many turns at most, and a condition that the body writes. Binds the turn, from 0, and, at the end, how
// many there were.
void execute_loop(PreparedStep& step, const Execution& execution) {
  const TensorView &trips = step.inputs[0], &condition = step.inputs[1];
  const int64_t most = trips.present() ? load_int(trips, 0) : INT64_MAX;
  int64_t turn = 0;
  const auto bind = [&](int64_t turns) {
    step.bound = {turn, turns};
    execution.late.bind(*step.step, step.bound);
  };
  bind(0);
  for (; turn < most && (!condition.present() || load_int(condition, 0) != 0); ++turn) {
    execution.late.forget(step.step->bodies[0]);
    if (turn > 0) bind(0);
    execute(step.bodies[0], execution);
  }
  const int64_t turns = turn;
  if (turns == 0) execution.late.settle_unbound(step.step->bodies[0]);
  turn = turns > 0 ? turns - 1 : 0;
  bind(turns);
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
  execute(step.bodies[load_int(step.inputs[0], 0) != 0 ? 0 : 1], execution);
}

}  // namespace planish
