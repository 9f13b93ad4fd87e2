#include "runtime/device_runs.h"

namespace planish {

DeviceRuns::DeviceRuns(Frame& frame)
    : frame_(frame),
      accelerator_(*frame.engine().device().accelerator()),
      ended_(accelerator_.create_mark()),
      host_step_(first_host_step(frame.profile())) {}

// What was put on the stream is known by `ended_` even where an exception stops in the middle.
void DeviceRuns::enqueue(Stream& stream, ReadySteps& ready, Execution execution) {
  StorageSource& storage = frame_.storage_source();
  if (storage.has_replaced() && ended_->reached()) storage.release();
  const bool recording = accelerator_.is_recording(stream);
  if (recording && host_step_ != nullptr)
    fail(Code::invalid_state, "the stream is being captured, and step '{}' computes on the host", host_step_->name);
  const bool in_pieces = !execution.profile && execution.observer == nullptr;
  bool queued = true;
  execution.stream = &stream;
  execution.queued = &queued;
  if (!recording) accelerator_.wait(stream, *ended_);
  const BindingMemory& memory = frame_.memory();
  try {
    memory.fetch(stream);
    execute_queued(ready, memory.all_in_place(), execution, in_pieces);
    memory.deliver(stream);
  } catch (...) {
    if (!recording) static_cast<void>(ended_->record(stream));
    throw;
  }
  if (!recording) ended_->record(stream).raise();
}

void DeviceRuns::run(ReadySteps& ready, const Execution& execution) {
  Stream& null = execution.device.null_stream();
  try {
    enqueue(null, ready, execution);
  } catch (...) {
    try {
      finish(null);
    } catch (const Error&) {  // what came first is said
    }
    throw;
  }
  finish(null);
}

}  // namespace planish
