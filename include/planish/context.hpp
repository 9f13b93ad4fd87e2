// Context: one execution of an engine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
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
    for (const Binding& binding : engine.bindings()) types_.emplace(binding.name, binding.dtype);
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
  // std::vector, std::array, std::span of the binding's elements, or of bytes. Throws Error(invalid_argument) for
  // elements of another size or kind.
  template <class Elements>
  void bind(const std::string& binding, Elements& elements) {
    check_elements<std::remove_cv_t<std::remove_reference_t<decltype(*std::data(elements))>>>(binding);
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
  template <class Element>
  void check_elements(const std::string& binding) const {
    const auto at = types_.find(binding);
    if (at == types_.end() || sizeof(Element) == 1) return;
    const bool floats = at->second == DataType::f32 || at->second == DataType::f64;
    if (sizeof(Element) == element_bytes(at->second) && std::is_floating_point_v<Element> == floats) return;
    throw Error(Code::invalid_argument,
                "'" + binding + "' is " + name(at->second) + ", elements of " + std::to_string(sizeof(Element)) +
                    " bytes" + (std::is_floating_point_v<Element> ? " in floating point" : "") + " were given");
  }

  std::map<std::string, DataType> types_;
  std::unique_ptr<Profiler> profiler_;  // outlives the handle
  detail::Handle<planish_context, planish_context_destroy> handle_;
};

}  // namespace v0
}  // namespace planish
