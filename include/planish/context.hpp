// Context: one execution of an engine.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "planish/engine.hpp"

namespace planish {
inline namespace v0 {

// What one step of the plan took in one execution. Texts are valid while the engine lives.
using StepTiming = planish_step_timing;
using Profiler = std::function<void(const StepTiming&)>;  // must not throw

struct ContextOptions {
  int profile = 0;
  // Memory for intermediate values, aligned to 64 bytes, at least Engine::arena_bytes, that outlives the context.
  // Contexts that never run at the same time may share it. Empty: the device's.
  std::span<std::byte> arena;
};

// Serves one thread at a time: a second one gets Error(busy). Memory that is bound belongs to the caller and must
// live until the execution has ended; tensors are dense and row-major.
class Context {
 public:
  explicit Context(const Engine& engine, const ContextOptions& options = {}) : profiler_(std::make_unique<Profiler>()) {
    auto c = detail::sized<planish_context_options>();
    c.profile = options.profile;
    c.arena = options.arena.data();
    c.arena_bytes = options.arena.size();
    planish_context* made = nullptr;
    detail::check(planish_context_create(engine.handle(), &c, &made));
    handle_.reset(made);
  }

  // Extents of an input; inputs of fixed extents need no call.
  void set_shape(const std::string& input, const Extents& extents) {
    detail::check(
        planish_context_set_shape(handle_.get(), input.c_str(), extents.data(), static_cast<int32_t>(extents.size())));
  }
  // Of any binding, for the current shapes; of an output whose extents depend on data, of the last execution.
  Extents shape(const std::string& binding) const {
    int64_t extents[PLANISH_MAX_RANK];
    int32_t rank = 0;
    detail::check(planish_context_get_shape(handle_.get(), binding.c_str(), extents, &rank));
    return Extents(extents, extents + rank);
  }
  int64_t bytes(const std::string& binding) const {
    int64_t bytes = 0;
    detail::check(planish_context_get_bytes(handle_.get(), binding.c_str(), &bytes));
    return bytes;
  }

  // Memory of an input or output, of any alignment.
  void bind(const std::string& binding, void* memory, size_t bytes) {
    detail::check(planish_context_bind(handle_.get(), binding.c_str(), memory, bytes));
  }
  void bind(const std::string& input, const void* memory, size_t bytes) {
    bind(input, const_cast<void*>(memory), bytes);
  }
  template <class Elements>  // std::vector, std::array, std::span
  void bind(const std::string& binding, Elements& elements) {
    bind(binding, std::data(elements), std::size(elements) * sizeof(*std::data(elements)));
  }

  // Runs in the caller; returns when the outputs are there.
  void run() { detail::check(planish_context_enqueue(handle_.get(), nullptr)); }
  // Returns at once; Stream::synchronize throws what goes wrong. Until then set_shape and bind throw Error(busy).
  void enqueue(const Stream& stream) { detail::check(planish_context_enqueue(handle_.get(), stream.handle())); }
  // The same without exceptions and, once shapes are set and one run was made, without allocating memory (but where
  // data decides extents).
  planish_status try_enqueue(const Stream* stream = nullptr) noexcept {
    return planish_context_enqueue(handle_.get(), stream == nullptr ? nullptr : stream->handle());
  }

  // The data of an output whose extents depend on data (it need not be bound); valid until the next execution.
  const void* output(const std::string& name) const {
    const void* data = nullptr;
    detail::check(planish_context_get_output(handle_.get(), name.c_str(), &data));
    return data;
  }

  // Called for every step, in plan order, after each execution, by the thread that executed; empty: off.
  void set_profiler(Profiler profiler) {
    auto kept = std::make_unique<Profiler>(std::move(profiler));
    const planish_profiler_fn call = [](void* user, const planish_step_timing* step) {
      (*static_cast<Profiler*>(user))(*step);
    };
    detail::check(planish_context_set_profiler(handle_.get(), *kept ? call : nullptr, kept.get()));
    profiler_ = std::move(kept);
  }

  planish_context* handle() const { return handle_.get(); }

 private:
  std::unique_ptr<Profiler> profiler_;  // outlives the handle
  detail::Handle<planish_context, planish_context_destroy> handle_;
};

}  // namespace v0
}  // namespace planish
