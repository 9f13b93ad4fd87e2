#include "runtime/context_state.h"

#include <algorithm>

#include "base/float_environment.h"

namespace planish {

Context::State::State(std::shared_ptr<const Engine> engine, const ContextOptions& options)
    : frame_(std::move(engine), options), inputs_(frame_.bindings(), frame_.profile()) {
  if (frame_.engine().device().accelerator() != nullptr) device_runs_ = std::make_unique<DeviceRuns>(frame_);
  settle().raise();
}

Context::State::~State() {
  use.wait_for_executions();
  if (device_runs_ != nullptr) device_runs_->wait();
}

// --- shapes and memory

Status Context::State::set_shape(size_t input, std::span<const int64_t> extents) {
  const bool same = resolved_ && inputs_.has(input, extents);
  const Status status = inputs_.give(input, extents);
  if (!same || !status.ok()) {
    resolved_ = patched_ = false;
    misfit_ = status;
  }
  if (!status.ok() || !inputs_.is_round_complete()) return status;
  inputs_.begin_round();
  return resolved_ ? Status() : resolve_shapes();
}

void Context::State::bind(size_t binding, void* data, size_t bytes) {
  patched_ = false;
  frame_.bind_memory(binding, data, bytes);
}

// Inputs that do not fit together are an error when they are run: they change one after the other.
Status Context::State::resolve_shapes() {
  misfit_ = guarded([&] { return inputs_.bind(frame_.symbols()); });
  if (!misfit_.ok()) return {};
  misfit_ = guarded([&] {
    prepare_steps();
    return Status();
  });
  if (misfit_.ok()) inputs_.begin_round();
  return misfit_;
}

Status Context::State::settle() {
  if (!resolved_ && misfit_.ok() && inputs_.all_given()) static_cast<void>(resolve_shapes());
  return misfit_;
}

void Context::State::prepare_steps() {
  frame_.begin_shapes();
  now_ = nullptr;
  SymbolValues values = frame_.shape_symbols();
  now_ = ready_.find(values);
  if (now_ == nullptr) now_ = &ready_.add({std::move(values), frame_.prepare(), {}, {}});
  resolved_ = true;
  patched_ = false;
}

std::vector<int64_t> Context::State::extents(size_t binding) const {
  const BindingMemory& memory = frame_.memory();
  return memory.is_data_dependent(binding) ? frame_.extents_of(binding) : memory.extents(binding);
}

// --- execution

Status Context::State::check_stream(const Stream& stream) const {
  const Accelerator* const accelerator = frame_.engine().device().accelerator();
  if (accelerator == nullptr ? !stream.is_accelerators() : accelerator->accepts(stream)) return {};
  return {Code::invalid_argument, "the stream is of another device than the context"};
}

Status Context::State::check_ready() const {
  if (!misfit_.ok()) return misfit_;
  if (Status status = inputs_.check_given(); !status.ok()) return status;
  return frame_.memory().check();
}

// Gives the steps the addresses of the bindings, unless they have them.
void Context::State::place_steps() {
  frame_.memory().place();
  places_.clear();
  frame_.memory().list_places(places_);
  before_.swap(now_->placed);
  now_->placed.clear();  // none, where a patch throws
  const auto has_moved = [&](size_t binding) { return BindingMemory::has_moved(before_, places_, binding); };
  const bool anew = before_.empty();
  if (anew || places_ != before_)
    for (PreparedStep& step : now_->steps)
      if (anew || frame_.reaches(*step.step, has_moved)) frame_.patch(step);
  now_->placed = places_;
  patched_ = true;
}

void Context::State::run_on_device(Stream* stream, const Execution& execution) {
  if (stream == nullptr)
    device_runs_->run(*now_, execution);
  else
    device_runs_->enqueue(*stream, *now_, execution);
  if (!execution.profile) return;
  if (stream != nullptr) device_runs_->finish(*stream);
  for (PreparedStep& step : now_->steps)
    if (is_queued(step)) step.milliseconds = step.end->milliseconds_since(*step.begin);
}

Status Context::State::run(Stream* stream) {
  if (!patched_) {
    static_cast<void>(settle());
    if (Status status = check_ready(); !status.ok()) return status;
    place_steps();
  }
  frame_.begin_run();
  const DefaultFloats floats;
  Device& device = frame_.engine().device();
  ThreadPool& pool = device.pool();
  pool.begin_run();
  struct End {
    ThreadPool& pool;
    ~End() { pool.end_run(); }
  } end{pool};
  Execution execution{pool, frame_, device};
  execution.profile = profiling || profiler;
  execution.observer = observer ? &observer : nullptr;
  if (device_runs_ == nullptr)
    execute(now_->steps, execution);
  else
    run_on_device(stream, execution);
  if (profiler)
    for (const PreparedStep& step : now_->steps) profiler({step.step, step.milliseconds, step.flops, step.bytes});
  return {};
}

std::span<const PreparedStep> Context::State::steps() const {
  return now_ == nullptr ? std::span<const PreparedStep>() : std::span<const PreparedStep>(now_->steps);
}

}  // namespace planish
