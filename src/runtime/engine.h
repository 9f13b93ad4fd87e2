#pragma once
// Engine = Plan + Device, shared by its contexts; Context = one execution.
//
// Engine is immutable after construction and may be used from any thread. A Context belongs to one thread
// at a time: a second thread that enters gets Code::busy. A context keeps its engine alive.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/accelerator.h"
#include "device/device.h"
#include "plan/plan.h"

namespace planish {

class Context;

struct ContextOptions {
  int profile = 0;
  // Memory for intermediate values, 64-byte aligned (on an accelerator: 256, its own), that outlives the context;
  // contexts that never run at the same time may share it. Null: the device's.
  std::byte* arena = nullptr;
  int64_t arena_bytes = 0;
};

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Resolves every kernel by (name, version): Error(mismatch) names the row, the versions and the command
  // that rebuilds. Error(mismatch) also when the plan needs a level that this processor lacks.
  static std::shared_ptr<Engine> create(Plan plan, std::shared_ptr<Device> device);
  ~Engine();

  const Plan& plan() const { return plan_; }
  Device& device() const { return *device_; }
  std::span<const Binding> bindings() const { return plan_.bindings; }
  int binding_index(std::string_view name) const;  // -1: none
  bool on_device() const { return on_device_; }    // intermediate values lie in memory of the device's accelerator
  int64_t arena_bytes(const Profile& profile) const {
    return on_device_ ? profile.device_arena_bytes : profile.arena_bytes;
  }
  std::unique_ptr<Context> create_context(int profile = 0);
  std::unique_ptr<Context> create_context(const ContextOptions& options);

  // --- of plans for an accelerator
  const DeviceFunction& function(const Step& step) const { return *functions_.at(&step); }
  std::byte* device_constant(int32_t index) const { return device_constants_.at(index); }

 private:
  friend class Context;
  Engine(Plan plan, std::shared_ptr<Device> device);
  void load_images(const std::vector<Step>& steps, std::map<Hash128, DeviceImage*>& loaded);
  void upload_constants();

  Plan plan_;
  std::shared_ptr<Device> device_;
  const bool on_device_;
  std::vector<std::shared_ptr<DeviceImage>> images_;
  std::map<const Step*, const DeviceFunction*> functions_;
  std::shared_ptr<std::byte> device_memory_;
  std::map<int32_t, std::byte*> device_constants_;  // by index into Plan::constants
};

// One step's share of an execution.
struct StepTiming {
  const Step* step;
  double milliseconds;   // of the last execution
  int64_t flops, bytes;  // at the current shapes
};

class Context {
 public:
  ~Context();  // waits for what streams still have of it

  // Extents of an input; static inputs need no call. Code::invalid_argument names binding, extents and the
  // accepted range; nothing runs until the input has extents again. How inputs fit together is looked at when all
  // dynamic ones were set since the last time, or by the first call that needs it.
  Status set_shape(std::string_view input, std::span<const int64_t> extents) noexcept;

  // Memory of a binding, dense and row-major, of `bytes` bytes; must outlive the execution. Any alignment.
  Status bind(std::string_view name, void* data, size_t bytes) noexcept;

  // Extents of any binding for the current shapes; for a data-dependent output, of the last execution.
  Status extents(std::string_view name, std::vector<int64_t>& out) const noexcept;

  // Runs on `stream` (nullptr: the null stream, that is in the caller). Allocation-free once shapes are set
  // and one run was made, but where data decides extents. Code::invalid_state names what is not bound or has no shape.
  // Several executions may be in flight. On the CPU they run in the stream's thread, and until they ended every call
  // that changes the context is Code::busy. On an accelerator the work is put on the stream, and waited for only where
  // steps of the host need it: shapes, bindings and all else may change as soon as this returns, what is under way
  // keeps what it was given.
  Status enqueue(Stream* stream = nullptr) noexcept;

  // The data of an output whose extents depend on data (it need not be bound); valid until the next run.
  Status output_data(std::string_view name, const void*& data) const noexcept;

  // Called with every step, in plan order, after each execution, by the thread that executed; empty: off.
  using Profiler = std::function<void(const StepTiming&)>;
  Status set_profiler(Profiler profiler) noexcept;

  Status enable_profiling(bool on) noexcept;
  Status timings(std::vector<StepTiming>& out) const noexcept;  // of the last profiled execution, in plan order
  int64_t arena_bytes() const;

  // Called with each step's outputs as it completes (verification, observers); empty: off.
  using StepObserver = std::function<void(const Step&, std::span<const TensorView>)>;
  Status set_observer(StepObserver observer) noexcept;

 private:
  friend class Engine;
  class State;
  static Status run_once(State* state, Stream* stream) noexcept;
  template <class Change>
  Status changed(Change change) const noexcept;
  Context(std::shared_ptr<const Engine> engine, const ContextOptions& options);
  std::unique_ptr<State> state_;
};

}  // namespace planish
