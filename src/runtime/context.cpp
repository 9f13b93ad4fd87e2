#include <algorithm>
#include <optional>
#include <thread>

#include "base/checked.h"
#include "base/float_environment.h"
#include "runtime/engine.h"
#include "runtime/frame.h"
#include "runtime/queue.h"

namespace planish {
namespace {

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

}  // namespace

// Shapes are resolved when every dynamic input was given its extents anew, or when something asks for what follows from
// them; binding an address then only patches the views that use it.
struct Context::State final : Frame {
  std::vector<bool> dynamic;                // inputs whose extents the caller sets
  std::vector<bool> shaped;                 // bindings whose extents are known, or follow
  std::vector<bool> pending;                // dynamic inputs without a call since shapes were resolved
  std::vector<std::vector<int64_t>> given;  // extents set by the caller
  ReadyShapes ready;
  ReadySteps* now = nullptr;                // for the current shapes
  std::vector<const void*> places, before;  // of now->placed, while they are compared
  std::unique_ptr<Event> ended;             // on an accelerator: the last execution
  bool resolved = false, patched = false, profiling = false;
  Status misfit;  // why the shapes given do not fit together
  StepObserver observer;
  Profiler profiler;
  std::atomic<bool> busy{false};
  std::atomic<int> in_flight{0};  // executions that a stream has not ended

  // What an input alone tells about its extents: rank, fixed ones, and the ranges of plain symbols.
  Status check_extents(const Binding& info, std::span<const int64_t> extents) const {
    const Shape& shape = info.type.shape;
    if (static_cast<int>(extents.size()) != shape.rank())
      return {Code::invalid_argument, fmt::format("input '{}' is {}, extents of rank {} were given", info.name,
                                                  info.type.str(), extents.size())};
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const int64_t extent = extents[static_cast<size_t>(axis)];
      if (extent < 0 || (shape[axis].is_constant() && shape[axis].value() != extent))
        return {Code::invalid_argument, fmt::format("input '{}' is {}, the extents {} were given", info.name,
                                                    info.type.str(), Shape::of(extents).str())};
      if (shape[axis].op() != DimOp::symbol) continue;
      const DimRange range = profile->symbols.at(std::string(shape[axis].name())).range;
      if (extent < range.min || extent > range.max)
        return {Code::invalid_argument, fmt::format("input '{}', axis {}: extent {} is outside [{}, {}]", info.name,
                                                    axis, extent, range.min, range.max)};
    }
    return {};
  }

  // A plain symbol takes the extent; any other expression is compared once all symbols are known.
  Status bind_symbols(size_t binding) {
    const Shape& shape = bindings()[binding].type.shape;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis].op() != DimOp::symbol) continue;
      const std::string name(shape[axis].name());
      const int64_t extent = given[binding][static_cast<size_t>(axis)];
      auto [at, fresh] = symbols.try_emplace(name, extent);
      if (!fresh && at->second != extent)
        return {Code::invalid_argument, fmt::format("input '{}', axis {}: extent {} where '{}' is {} elsewhere",
                                                    bindings()[binding].name, axis, extent, name, at->second)};
    }
    return {};
  }

  // Inputs that share a symbol change one after the other: what does not fit yet is an error when it is run.
  Status resolve_shapes() {
    misfit = guarded([&] { return bind_inputs(); });
    if (!misfit.ok()) return {};
    misfit = guarded([&] {
      prepare_steps();
      return Status();
    });
    if (misfit.ok()) pending = dynamic;
    return misfit;
  }

  static bool any(const std::vector<bool>& flags) { return std::find(flags.begin(), flags.end(), true) != flags.end(); }
  bool all_shaped() const { return std::find(shaped.begin(), shaped.end(), false) == shaped.end(); }

  // What was put off. Why it is not possible stays in `misfit`.
  void settle() {
    if (!resolved && misfit.ok() && all_shaped()) static_cast<void>(resolve_shapes());
  }

  Status bind_inputs() {
    symbols.clear();
    for (size_t i = 0; i < bindings().size(); ++i)
      if (bindings()[i].is_input)
        if (Status status = bind_symbols(i); !status.ok()) return status;
    for (size_t i = 0; i < bindings().size(); ++i) {
      if (!bindings()[i].is_input || extents_of(i) == given[i]) continue;
      return {Code::invalid_argument, fmt::format("input '{}' has the extents {}, {} is accepted", bindings()[i].name,
                                                  Shape::of(given[i]).str(), Shape::of(extents_of(i)).str())};
    }
    for (const Guard& guard : profile->guards) {
      if (is_data_dependent(guard.left) || is_data_dependent(guard.right)) continue;  // looked at when they are bound
      const int64_t left = guard.left.evaluate(symbols), right = guard.right.evaluate(symbols);
      if (left != right)
        return {Code::invalid_argument, fmt::format("{}; they are {} and {}", guard.str(), left, right)};
    }
    return {};
  }

  void prepare_steps() {
    begin_shapes();
    measure_bindings();
    now = nullptr;
    SymbolValues values = shapes();
    if (ReadySteps* const known = ready.find(values))
      now = known;
    else
      now = &ready.add({std::move(values), prepare(), {}, {}});
    resolved = true;
    patched = false;
  }

  Status set_shape(size_t binding, std::span<const int64_t> extents) {
    if (Status status = check_extents(bindings()[binding], extents); !status.ok()) {
      shaped[binding] = resolved = patched = false;
      misfit = status;
      return status;
    }
    if (!resolved || !std::equal(extents.begin(), extents.end(), given[binding].begin(), given[binding].end())) {
      given[binding].assign(extents.begin(), extents.end());
      shaped[binding] = true;
      resolved = patched = false;
      misfit = {};
    }
    pending[binding] = false;
    if (any(pending) || !all_shaped()) return {};
    pending = dynamic;
    return resolved ? Status() : resolve_shapes();
  }

  // Those that steps bind are no part of what is made ready.
  SymbolValues shapes() const {
    SymbolValues values;
    for (const auto& [name, value] : symbols)
      if (profile->symbols.at(name).kind == SymbolKind::shape) values.emplace(name, value);
    return values;
  }

  void read_events() {
    for (PreparedStep& step : now->steps)
      if (is_queued(step)) step.milliseconds = step.end->milliseconds_since(*step.begin);
  }

  Status check_ready() {
    if (!misfit.ok()) return misfit;
    for (size_t i = 0; i < bindings().size(); ++i) {
      const Binding& binding = bindings()[i];
      if (!shaped[i])
        return {Code::invalid_state,
                fmt::format("input '{}' has no shape; it is {}", binding.name, binding.type.str())};
    }
    for (size_t i = 0; i < bindings().size(); ++i) {
      const Binding& binding = bindings()[i];
      if (is_data_dependent(i)) continue;  // its bytes are counted when it is written
      if (addresses[i] == nullptr && needed[i] > 0)
        return {Code::invalid_state, fmt::format("'{}' is not bound; it takes {} bytes", binding.name, needed[i])};
      if (sizes[i] < static_cast<size_t>(needed[i]))
        return {Code::invalid_argument,
                fmt::format("'{}' is bound to {} bytes, {} are needed", binding.name, sizes[i], needed[i])};
    }
    return {};
  }

  // Gives the steps the addresses of the bindings, unless they have them.
  void place_steps() {
    place_bindings();
    places.assign(addresses.begin(), addresses.end());
    places.insert(places.end(), in_place.begin(), in_place.end());
    for (const Storage& storage : staging) places.push_back(storage.data.get());
    before.swap(now->placed);
    now->placed.clear();  // none, where a patch throws
    if (before.empty()) {
      for (PreparedStep& step : now->steps) patch(step);
    } else if (places != before) {
      const size_t count = addresses.size();
      const auto has_moved = [&](size_t binding) {
        for (size_t at = binding; at < places.size(); at += count)
          if (places[at] != before[at]) return true;
        return false;
      };
      for (PreparedStep& step : now->steps)
        if (reaches(*step.step, has_moved)) patch(step);
    }
    now->placed = places;
    patched = true;
  }

  Status check_stream(const Stream& stream) const {
    const Accelerator* const accelerator = engine->device().accelerator();
    if (accelerator == nullptr ? !stream.is_accelerators() : accelerator->accepts(stream)) return {};
    return {Code::invalid_argument, "the stream is of another device than the context"};
  }

  void check_recordable(Stream& stream) const {
    if (host_step != nullptr && engine->device().accelerator()->is_recording(stream))
      fail(Code::invalid_state, "the stream is being captured, and step '{}' computes on the host", host_step->name);
  }

  // Work that other streams were given comes first: all of it uses the context's memory. What was put there is known by
  // `ended` even where an exception stops in the middle.
  void execute_on(Stream& stream, Execution execution) {
    Accelerator& accelerator = *engine->device().accelerator();
    check_recordable(stream);
    const bool recording = accelerator.is_recording(stream), timed = execution.profile;
    bool queued = true;
    execution.stream = &stream;
    execution.queued = &queued;
    if (!recording) accelerator.wait(stream, *ended);
    try {
      fetch_staged(stream);
      execute_queued(*now, in_place, execution, !timed && execution.observer == nullptr);
      deliver_staged(stream);
    } catch (...) {
      if (!recording) static_cast<void>(ended->record(stream));
      throw;
    }
    if (!recording) ended->record(stream).raise();
  }

  // In the null stream, which is in the caller: nothing is under way when it returns, or throws.
  void execute_and_wait(Execution execution) {
    Accelerator& accelerator = *engine->device().accelerator();
    Stream& null = engine->device().null_stream();
    try {
      execute_on(null, execution);
    } catch (...) {
      try {
        accelerator.finish(null);
      } catch (const Error&) {  // what came first is said
      }
      throw;
    }
    accelerator.finish(null);
  }

  void wait_for_end() const noexcept {
    if (ended != nullptr) static_cast<void>(ended->synchronize());
  }

  // `stream`: of an accelerator; work is put there, and in the null stream's case waited for.
  Status run(Stream* stream) {
    if (!patched) settle();
    if (Status status = patched ? Status() : check_ready(); !status.ok()) return status;
    if (!patched) place_steps();
    begin_run();
    const DefaultFloats floats;
    ThreadPool& pool = engine->device().pool();
    pool.begin_run();
    struct End {
      ThreadPool& pool;
      ~End() { pool.end_run(); }
    } end{pool};
    const bool timed = profiling || profiler;
    Execution execution{pool, *this, engine->device()};
    execution.profile = timed;
    execution.observer = observer ? &observer : nullptr;
    if (engine->device().accelerator() == nullptr) {
      execute(now->steps, execution);
    } else {
      if (!retired.empty() && ended->reached()) retired.clear();
      if (stream == nullptr) {
        execute_and_wait(execution);
      } else {
        execute_on(*stream, execution);
        if (timed) engine->device().accelerator()->finish(*stream);
      }
      if (timed) read_events();
    }
    if (profiler)
      for (const PreparedStep& step : now->steps) profiler({step.step, step.milliseconds, step.flops, step.bytes});
    return {};
  }
};

namespace {

Status in_flight_status() {
  return {Code::busy, "the context has executions in flight on a stream; synchronize it first"};
}

class Entry {
 public:
  explicit Entry(std::atomic<bool>& busy) : busy_(busy), entered_(!busy.exchange(true, std::memory_order_acquire)) {}
  ~Entry() {
    if (entered_) busy_.store(false, std::memory_order_release);
  }
  explicit operator bool() const { return entered_; }

 private:
  std::atomic<bool>& busy_;
  bool entered_;
};

// Entered by a call that changes the context: refused while executions are in flight as well.
class Change {
 public:
  // Does not enter while executions are in flight: they would find the context busy.
  Change(std::atomic<bool>& busy, const std::atomic<int>& in_flight)
      : in_flight_(in_flight.load(std::memory_order_acquire) > 0) {
    if (!in_flight_) entry_.emplace(busy);
  }
  Status status() const {
    if (in_flight_) return in_flight_status();
    if (!*entry_) return {Code::busy, "another thread is using this context; a context serves one thread at a time"};
    return {};
  }

 private:
  const bool in_flight_;
  std::optional<Entry> entry_;
};

Status busy_status() {
  return {Code::busy, "another thread is using this context; a context serves one thread at a time"};
}

// The caller's memory, not owned.
std::shared_ptr<std::byte> given_arena(const ContextOptions& options, int64_t needed, int64_t alignment) {
  if (reinterpret_cast<uintptr_t>(options.arena) % static_cast<uintptr_t>(alignment) != 0)
    fail(Code::invalid_argument, "an arena that is not aligned to {} bytes", alignment);
  if (options.arena_bytes < needed)
    fail(Code::invalid_argument, "an arena of {} bytes, {} are needed", options.arena_bytes, needed);
  return {options.arena, [](std::byte*) {}};
}

// A plan for the processor may run beside a GPU: memory of that one is of no use to it.
std::shared_ptr<std::byte> host_arena(const Engine& engine, const Profile& profile, const ContextOptions& options) {
  Device& device = engine.device();
  const bool reached =
      options.arena != nullptr && !engine.on_device() &&
      (device.accelerator() == nullptr || device.accelerator()->owner_of(options.arena) == MemoryOwner::host);
  return reached ? given_arena(options, profile.arena_bytes, kAlignment) : device.allocate(profile.arena_bytes);
}

std::shared_ptr<std::byte> device_arena(const Engine& engine, const Profile& profile, const ContextOptions& options) {
  constexpr int64_t kDeviceAlignment = 256;
  if (options.arena != nullptr) {
    if (engine.device().accelerator()->owner_of(options.arena) != MemoryOwner::own)
      fail(Code::invalid_argument, "the arena is not memory of this GPU");
    return given_arena(options, profile.device_arena_bytes, kDeviceAlignment);
  }
  return with_context(
      [&] { return fmt::format("creating a context, intermediate values of '{}'", engine.plan().model); },
      [&] { return engine.device().accelerator()->allocate(profile.device_arena_bytes); });
}

}  // namespace

Context::Context(std::shared_ptr<const Engine> engine, const ContextOptions& options)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.engine = std::move(engine);
  s.profile = &s.engine->plan().profiles[static_cast<size_t>(options.profile)];
  s.isa = parse_isa(s.engine->plan().isa);
  const bool on_device = s.engine->on_device();
  s.arena = host_arena(*s.engine, *s.profile, options);
  if (on_device) s.device_arena = device_arena(*s.engine, *s.profile, options);
  if (Accelerator* const accelerator = s.engine->device().accelerator(); accelerator != nullptr)
    s.ended = accelerator->create_mark();
  s.make_plugins(s.profile->steps);
  s.find_late_steps(s.profile->steps);
  const size_t count = s.bindings().size();
  s.addresses.resize(count);
  s.sizes.resize(count);
  s.given.resize(count);
  s.find_uses();
  for (const Binding& binding : s.bindings()) {
    s.dynamic.push_back(binding.is_input && !binding.type.shape.is_static());
    s.shaped.push_back(!s.dynamic.back());
  }
  s.pending = s.dynamic;
  for (size_t i = 0; i < count; ++i)
    if (s.bindings()[i].is_input && s.shaped[i]) s.given[i] = s.bindings()[i].type.shape.extents();
  if (s.all_shaped()) {
    s.resolve_shapes().raise();
    s.misfit.raise();
  }
}

// Executions on a stream use the state: they end first.
Context::~Context() {
  if (state_ == nullptr) return;
  while (state_->in_flight.load(std::memory_order_acquire) > 0) std::this_thread::yield();
  state_->wait_for_end();
}

Status Context::set_shape(std::string_view input, std::span<const int64_t> extents) noexcept {
  const Change change(state_->busy, state_->in_flight);
  if (Status status = change.status(); !status.ok()) return status;
  return guarded([&]() -> Status {
    const int index = state_->engine->binding_index(input);
    if (index < 0 || !state_->bindings()[static_cast<size_t>(index)].is_input)
      return {Code::not_found, fmt::format("there is no input '{}'", input)};
    return state_->set_shape(static_cast<size_t>(index), extents);
  });
}

namespace {

Status check_alignment(const Binding& binding, const void* data) {
  const int64_t bytes = element_bytes(binding.type.dtype);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(bytes) == 0) return {};
  return {Code::invalid_argument,
          fmt::format("memory of '{}' at {} is not aligned to the {} bytes of its elements ({})", binding.name, data,
                      bytes, data_type_name(binding.type.dtype))};
}

}  // namespace

Status Context::bind(std::string_view name, void* data, size_t bytes) noexcept {
  const Change change(state_->busy, state_->in_flight);
  if (Status status = change.status(); !status.ok()) return status;
  return guarded([&]() -> Status {
    const int index = state_->engine->binding_index(name);
    if (index < 0) return {Code::not_found, fmt::format("there is no binding '{}'", name)};
    if (Status status = check_alignment(state_->engine->bindings()[static_cast<size_t>(index)], data); !status.ok())
      return status;
    state_->addresses[static_cast<size_t>(index)] = data;
    state_->sizes[static_cast<size_t>(index)] = bytes;
    state_->patched = false;
    state_->move_binding(static_cast<size_t>(index));
    return {};
  });
}

Status Context::extents(std::string_view name, std::vector<int64_t>& out) const noexcept {
  // While executions are in flight nothing changes the extents but of what depends on data.
  const bool in_flight = state_->in_flight.load(std::memory_order_acquire) > 0;
  std::optional<Entry> entry;
  if (!in_flight && !entry.emplace(state_->busy)) return busy_status();
  return guarded([&]() -> Status {
    const int index = state_->engine->binding_index(name);
    if (index < 0) return {Code::not_found, fmt::format("there is no binding '{}'", name)};
    if (in_flight && state_->is_data_dependent(static_cast<size_t>(index))) return in_flight_status();
    state_->settle();
    if (!state_->misfit.ok()) return state_->misfit;
    if (!state_->resolved) return {Code::invalid_state, "not all inputs have a shape"};
    if (!in_flight && !state_->is_bound(static_cast<size_t>(index)))
      return {Code::invalid_state, fmt::format("the extents of '{}' are known once it was run", name)};
    const auto binding = static_cast<size_t>(index);
    out = state_->is_data_dependent(binding) ? state_->extents_of(binding) : state_->fixed_extents[binding];
    return {};
  });
}

Status Context::run_once(State* state, Stream* stream) noexcept {
  const Entry entry(state->busy);
  return entry ? guarded([&] { return state->run(stream); }) : busy_status();
}

Status Context::enqueue(Stream* stream) noexcept {
  if (stream == nullptr) return run_once(state_.get(), nullptr);
  if (Status status = state_->check_stream(*stream); !status.ok()) return status;
  return guarded([&]() -> Status {
    std::atomic<int>& in_flight = state_->in_flight;
    // Shapes are settled by the caller: what asks for extents meanwhile finds them as they are.
    if (in_flight.load(std::memory_order_acquire) == 0) {
      const Entry entry(state_->busy);
      if (!entry) return busy_status();
      state_->settle();
    }
    in_flight.fetch_add(1, std::memory_order_relaxed);
    Status status;
    try {
      status = stream->submit([state = state_.get(), stream] {  // two pointers: std::function does not allocate
        Status result = run_once(state, stream);
        state->in_flight.fetch_sub(1, std::memory_order_release);
        return result;
      });
    } catch (...) {
      in_flight.fetch_sub(1, std::memory_order_relaxed);
      throw;
    }
    return status;
  });
}

Status Context::output_data(std::string_view name, const void*& data) const noexcept {
  // While executions are in flight nothing changes the addresses but of what depends on data.
  const bool in_flight = state_->in_flight.load(std::memory_order_acquire) > 0;
  std::optional<Entry> entry;
  if (!in_flight && !entry.emplace(state_->busy)) return busy_status();
  return guarded([&]() -> Status {
    const int index = state_->engine->binding_index(name);
    if (in_flight && index >= 0 && state_->is_data_dependent(static_cast<size_t>(index))) return in_flight_status();
    const void* const found = index < 0 ? nullptr : state_->output(static_cast<size_t>(index));
    if (found == nullptr) return {Code::not_found, fmt::format("there is no output '{}' with data", name)};
    data = found;
    return {};
  });
}

Status Context::set_profiler(Profiler profiler) noexcept {
  const Change change(state_->busy, state_->in_flight);
  if (Status status = change.status(); !status.ok()) return status;
  state_->profiler = std::move(profiler);
  return {};
}

Status Context::set_observer(StepObserver observer) noexcept {
  const Change change(state_->busy, state_->in_flight);
  if (Status status = change.status(); !status.ok()) return status;
  state_->observer = std::move(observer);
  return {};
}

Status Context::enable_profiling(bool on) noexcept {
  const Change change(state_->busy, state_->in_flight);
  if (Status status = change.status(); !status.ok()) return status;
  state_->profiling = on;
  return {};
}

Status Context::timings(std::vector<StepTiming>& out) const noexcept {
  const Change change(state_->busy, state_->in_flight);
  if (Status status = change.status(); !status.ok()) return status;
  return guarded([&] {
    out.clear();
    if (state_->now == nullptr) return Status();
    for (const PreparedStep& step : state_->now->steps)
      out.push_back({step.step, step.milliseconds, step.flops, step.bytes});
    return Status();
  });
}

int64_t Context::arena_bytes() const { return state_->engine->arena_bytes(*state_->profile); }

}  // namespace planish
