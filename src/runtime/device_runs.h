#pragma once
// Executions of one context on an accelerator. All of them use the context's memory: whatever their streams, one comes
// after the other.

#include <memory>
#include <vector>

#include "device/accelerator.h"
#include "runtime/frame.h"
#include "runtime/ready_steps.h"

namespace planish {

class DeviceRuns {
 public:
  explicit DeviceRuns(Frame& frame);  // of a device with an accelerator; outlives it

  // Puts the steps on the stream, behind what other streams were given. Error(invalid_state): the stream is being
  // captured, and a step computes on the host.
  void enqueue(Stream& stream, ReadySteps& ready, Execution execution);
  // In the null stream, which is in the caller: nothing is under way when it returns, or throws.
  void run(ReadySteps& ready, const Execution& execution);
  void finish(Stream& stream) { accelerator_.finish(stream); }              // waits for what it was given
  void wait() const noexcept { static_cast<void>(ended_->synchronize()); }  // for the last execution

 private:
  Frame& frame_;
  Accelerator& accelerator_;
  const std::unique_ptr<Event> ended_;  // the last execution
  const Step* const host_step_;         // the first step that the host does
};

}  // namespace planish
