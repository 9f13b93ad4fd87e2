#pragma once
// Context::State: the inputs' extents, the steps made ready for them, and one execution of these.
//
// Shapes are resolved when every dynamic input was given its extents anew, or when something asks for what follows from
// them; binding an address then only patches the views that use it.

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "runtime/context_use.h"
#include "runtime/device_runs.h"
#include "runtime/engine.h"
#include "runtime/frame.h"
#include "runtime/input_extents.h"
#include "runtime/ready_steps.h"

namespace planish {

// Runs `body`; exceptions become a Status.
template <class Body>
Status guarded(Body body) noexcept {
  try {
    return body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {Code::out_of_memory, "out of memory"};
  } catch (const std::exception& error) {
    return {Code::internal, error.what()};
  }
}

class Context::State {
 public:
  State(std::shared_ptr<const Engine> engine, const ContextOptions& options);
  ~State();  // what streams still have of it ends first

  // --- shapes and memory
  Status set_shape(size_t input, std::span<const int64_t> extents);
  void bind(size_t binding, void* data, size_t bytes);
  Status settle();  // resolves what was put off: ok (not all inputs need have extents yet), or why it is not possible
  bool is_resolved() const { return resolved_; }
  // Those of a data-dependent output are known once it was run (Frame::is_bound).
  std::vector<int64_t> extents(size_t binding) const;

  // --- execution
  Status check_stream(const Stream& stream) const;
  // `stream`: of an accelerator; work is put there. Null: in the caller, to its end.
  Status run(Stream* stream);
  std::span<const PreparedStep> steps() const;  // of the last shapes; none where there were none

  const Frame& frame() const { return frame_; }

  ContextUse use;
  bool profiling = false;
  StepObserver observer;
  Profiler profiler;

 private:
  Status resolve_shapes();
  void prepare_steps();
  Status check_ready() const;
  void place_steps();
  void run_on_device(Stream* stream, const Execution& execution);

  Frame frame_;
  InputExtents inputs_;
  ReadyShapes ready_;
  ReadySteps* now_ = nullptr;                 // for the current shapes
  std::vector<const void*> places_, before_;  // of now_->placed, while they are compared
  std::unique_ptr<DeviceRuns> device_runs_;   // where the device has an accelerator
  bool resolved_ = false, patched_ = false;
  Status misfit_;  // why the shapes given do not fit together
};

}  // namespace planish
