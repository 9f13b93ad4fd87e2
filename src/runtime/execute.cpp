#include <chrono>

#include "base/error.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

void execute_one(PreparedStep& step, const Execution& execution) {
  switch (step.step->kind) {
    case StepKind::cpu:
    case StepKind::reference:
      return execute_kernel(step, execution);
    case StepKind::copy:
      return execute_copy(step, execution);
    case StepKind::control:
      return execute_control(step, execution);
    case StepKind::plugin:
      return execute_plugin(step, execution);
    default:
      fail(Code::unsupported, "steps of this kind need another device");
  }
}

void execute_profiled(PreparedStep& step, const Execution& execution) {
  const auto start = std::chrono::steady_clock::now();
  execute_one(step, execution);
  step.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void execute(std::vector<PreparedStep>& steps, const Execution& execution) {
  for (PreparedStep& step : steps) {
    try {
      if (step.late) execution.late.make_ready(step);
      execution.profile ? execute_profiled(step, execution) : execute_one(step, execution);
    } catch (Error& error) {
      error.add_context(fmt::format("step {} '{}' ({})", step.step->id, step.step->name, step.step->kernel));
      throw;
    }
    if (execution.observer != nullptr && *execution.observer) (*execution.observer)(*step.step, step.outputs);
  }
}

}  // namespace planish
