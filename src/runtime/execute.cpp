#include <chrono>

#include "base/error.h"
#include "device/accelerator.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

void execute_one(PreparedStep& step, const Execution& execution) {
  switch (step.step->kind) {
    case StepKind::cpu:
    case StepKind::reference:
      return execute_kernel(step, execution);
    case StepKind::copy:
      return step.transfer ? execute_transfer(step, execution) : execute_copy(step, execution);
    case StepKind::control:
      return execute_control(step, execution);
    case StepKind::plugin:
      return execute_plugin(step, execution);
    case StepKind::launch:
      return execute_launch(step, execution);
    default:
      fail(Code::unsupported, "steps of this kind need another device");
  }
}

void execute_between_events(PreparedStep& step, const Execution& execution) {
  for (auto* event : {&step.begin, &step.end})
    if (*event == nullptr) *event = execution.device.create_event();
  step.begin->record(*execution.stream).raise();
  execute_one(step, execution);
  step.end->record(*execution.stream).raise();
}

void execute_profiled(PreparedStep& step, const Execution& execution) {
  if (is_queued(step)) return execute_between_events(step, execution);
  const auto start = std::chrono::steady_clock::now();
  execute_one(step, execution);
  step.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

// A step of the host reads what was queued, or writes what a queued copy reads.
void wait_for_queue(const PreparedStep& step, const Execution& execution) {
  if (execution.stream == nullptr) return;
  if (is_queued(step)) {
    *execution.queued = true;
  } else if (*execution.queued) {
    execution.device.accelerator()->finish(*execution.stream);
    *execution.queued = false;
  }
}

// What an observer may look at: results in memory of the host.
void observe(const PreparedStep& step, const Execution& execution) {
  if (!is_queued(step)) return (*execution.observer)(*step.step, step.outputs);
  std::vector<TensorView> views = step.outputs;
  std::vector<std::shared_ptr<std::byte>> memory;
  for (TensorView& view : views) {
    if (!view.present() || view.element_count() == 0) continue;
    int64_t elements = 1;
    for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i) elements += (view.dims[i] - 1) * view.strides[i];
    const int64_t bytes = elements * element_bytes(view.dtype);
    memory.push_back(execution.device.allocate(bytes));
    execution.device.accelerator()->copy(memory.back().get(), view.data, bytes, *execution.stream);
    view.data = memory.back().get();
  }
  execution.device.accelerator()->finish(*execution.stream);
  (*execution.observer)(*step.step, views);
}

}  // namespace

void execute(std::span<PreparedStep> steps, const Execution& execution) {
  for (PreparedStep& step : steps) {
    try {
      wait_for_queue(step, execution);
      if (step.late) execution.late.make_ready(step);
      execution.profile ? execute_profiled(step, execution) : execute_one(step, execution);
    } catch (Error& error) {
      error.add_context(fmt::format("step {} '{}' ({})", step.step->id, step.step->name, step.step->kernel));
      throw;
    }
    if (execution.observer != nullptr && *execution.observer) observe(step, execution);
  }
}

}  // namespace planish
