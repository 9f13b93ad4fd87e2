#include "runtime/context_state.h"

namespace planish {
namespace {

Status check_alignment(const Binding& binding, const void* data) {
  const int64_t bytes = element_bytes(binding.type.dtype);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(bytes) == 0) return {};
  return {Code::invalid_argument,
          fmt::format("memory of '{}' at {} is not aligned to the {} bytes of its elements ({})", binding.name, data,
                      bytes, data_type_name(binding.type.dtype))};
}

}  // namespace

Context::Context(std::shared_ptr<const Engine> engine, const ContextOptions& options)
    : state_(std::make_unique<State>(std::move(engine), options)) {}

Context::~Context() = default;

// Runs `change` where nothing else uses the context.
template <class Change>
Status Context::changed(Change change) const noexcept {
  const ContextUse::Change stay(state_->use);
  if (Status status = stay.status(); !status.ok()) return status;
  return guarded(change);
}

Status Context::set_shape(std::string_view input, std::span<const int64_t> extents) noexcept {
  return changed([&]() -> Status {
    const Engine& engine = state_->frame().engine();
    const int index = engine.binding_index(input);
    if (index < 0 || !engine.bindings()[static_cast<size_t>(index)].is_input)
      return {Code::not_found, fmt::format("there is no input '{}'", input)};
    return state_->set_shape(static_cast<size_t>(index), extents);
  });
}

Status Context::bind(std::string_view name, void* data, size_t bytes) noexcept {
  return changed([&]() -> Status {
    const Engine& engine = state_->frame().engine();
    const int index = engine.binding_index(name);
    if (index < 0) return {Code::not_found, fmt::format("there is no binding '{}'", name)};
    const auto binding = static_cast<size_t>(index);
    if (Status status = check_alignment(engine.bindings()[binding], data); !status.ok()) return status;
    state_->bind(binding, data, bytes);
    return {};
  });
}

// While executions are in flight nothing changes the extents but of what depends on data.
Status Context::extents(std::string_view name, std::vector<int64_t>& out) const noexcept {
  const ContextUse::Reading stay(state_->use);
  if (stay.refused()) return ContextUse::busy_status();
  return guarded([&]() -> Status {
    const Frame& frame = state_->frame();
    const int index = frame.engine().binding_index(name);
    if (index < 0) return {Code::not_found, fmt::format("there is no binding '{}'", name)};
    const auto binding = static_cast<size_t>(index);
    if (stay.in_flight() && frame.memory().is_data_dependent(binding)) return ContextUse::in_flight_status();
    if (Status status = state_->settle(); !status.ok()) return status;
    if (!state_->is_resolved()) return {Code::invalid_state, "not all inputs have a shape"};
    if (!stay.in_flight() && !frame.is_bound(binding))
      return {Code::invalid_state, fmt::format("the extents of '{}' are known once it was run", name)};
    out = state_->extents(binding);
    return {};
  });
}

Status Context::run_once(State* state, Stream* stream) noexcept {
  const ContextUse::Entry entry(state->use);
  if (entry) return guarded([&] { return state->run(stream); });
  return stream == nullptr && state->use.in_flight() ? ContextUse::in_flight_status() : ContextUse::busy_status();
}

Status Context::enqueue(Stream* stream) noexcept {
  if (stream == nullptr) return run_once(state_.get(), nullptr);
  if (Status status = state_->check_stream(*stream); !status.ok()) return status;
  return guarded([&]() -> Status {
    ContextUse& use = state_->use;
    // Shapes are settled by the caller: what asks for extents meanwhile finds them as they are.
    if (!use.in_flight()) {
      const ContextUse::Entry entry(use);
      if (!entry) return ContextUse::busy_status();
      static_cast<void>(state_->settle());
    }
    use.begin_execution();
    try {
      return stream->submit([state = state_.get(), stream] {  // two pointers: std::function does not allocate
        Status result = run_once(state, stream);
        state->use.end_execution();
        return result;
      });
    } catch (...) {
      use.end_execution();
      throw;
    }
  });
}

// While executions are in flight nothing changes the addresses but of what depends on data.
Status Context::output_data(std::string_view name, const void*& data) const noexcept {
  const ContextUse::Reading stay(state_->use);
  if (stay.refused()) return ContextUse::busy_status();
  return guarded([&]() -> Status {
    const Frame& frame = state_->frame();
    const int index = frame.engine().binding_index(name);
    const auto binding = static_cast<size_t>(index);
    if (stay.in_flight() && index >= 0 && frame.memory().is_data_dependent(binding))
      return ContextUse::in_flight_status();
    const void* const found = index < 0 ? nullptr : frame.memory().output(binding);
    if (found == nullptr) return {Code::not_found, fmt::format("there is no output '{}' with data", name)};
    data = found;
    return {};
  });
}

Status Context::set_profiler(Profiler profiler) noexcept {
  return changed([&] {
    state_->profiler = std::move(profiler);
    return Status();
  });
}

Status Context::set_observer(StepObserver observer) noexcept {
  return changed([&] {
    state_->observer = std::move(observer);
    return Status();
  });
}

Status Context::enable_profiling(bool on) noexcept {
  return changed([&] {
    state_->profiling = on;
    return Status();
  });
}

Status Context::timings(std::vector<StepTiming>& out) const noexcept {
  return changed([&] {
    out.clear();
    for (const PreparedStep& step : state_->steps())
      out.push_back({step.step, step.milliseconds, step.flops, step.bytes});
    return Status();
  });
}

int64_t Context::arena_bytes() const {
  const Frame& frame = state_->frame();
  return frame.engine().arena_bytes(frame.profile());
}

}  // namespace planish
