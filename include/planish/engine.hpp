// Engine: a plan, ready to run. Plan: one in memory.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "planish/device.hpp"
#include "planish/types.hpp"

namespace planish {
inline namespace v0 {

// A built network as the bytes of a plan file. planish::build makes one.
class Plan {
 public:
  explicit Plan(planish_plan* handle) : handle_(handle) {}  // takes ownership

  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(planish_plan_data(handle_.get())), planish_plan_bytes(handle_.get())};
  }
  // The file appears whole or not at all.
  void save(const std::string& path) const { detail::check(planish_plan_save(handle_.get(), detail::c_path(path))); }
  const planish_plan* handle() const { return handle_.get(); }

 private:
  detail::Handle<planish_plan, planish_plan_destroy> handle_;
};

struct LoadOptions {
  const Device* device = nullptr;  // null: a new one, with `threads`, of the kind that the plan is for
  int threads = 0;
  // Skips the checksum over the constants; index and structure are always checked. For plans from a trusted,
  // verified place: loading then takes the time of the index alone.
  bool trust_constants = false;
};

// An input or output.
struct Binding {
  std::string name;
  bool is_input = true;
  DataType dtype = DataType::none;
  Extents extents;   // -1: decided by the shapes given at run time
  std::string type;  // the extents as expressions: "f32[N,3,224,224]"
};

struct Range {
  Extents min, opt, max;
};

// Immutable; may be used from any thread. Contexts keep what they need of it alive.
class Engine {
 public:
  // Maps the file. Throws Error: not_found, io, invalid_plan, mismatch (instructions, kernels or plugins that the
  // plan needs and that are not here).
  explicit Engine(const std::string& path, const LoadOptions& options = {}) {
    const auto c = c_options(options);
    planish_engine* made = nullptr;
    detail::check(planish_engine_load(detail::c_path(path), &c, &made));
    handle_.reset(made);
  }
  explicit Engine(const Plan& plan, const LoadOptions& options = {}) {
    const auto c = c_options(options);
    planish_engine* made = nullptr;
    detail::check(planish_engine_from_plan(plan.handle(), &c, &made));
    handle_.reset(made);
  }
  // Copies the bytes.
  explicit Engine(std::span<const std::byte> bytes, const LoadOptions& options = {}) {
    const auto c = c_options(options);
    planish_engine* made = nullptr;
    detail::check(planish_engine_from_memory(bytes.data(), bytes.size(), &c, &made));
    handle_.reset(made);
  }

  planish_engine_info info() const {
    auto info = detail::sized<planish_engine_info>();
    detail::check(planish_engine_get_info(handle_.get(), &info));
    return info;
  }
  int profile_count() const { return info().profile_count; }

  std::vector<Binding> bindings() const {  // inputs first, in the model's order
    std::vector<Binding> all;
    for (int i = 0, n = info().binding_count; i < n; ++i) all.push_back(binding(i));
    return all;
  }
  Binding binding(int index) const {
    auto info = detail::sized<planish_binding_info>();
    detail::check(planish_engine_get_binding(handle_.get(), index, &info));
    return {info.name, info.is_input != 0, static_cast<DataType>(info.dtype),
            Extents(info.extents, info.extents + info.rank), info.type};
  }
  Binding binding(const std::string& name) const {
    const int index = planish_engine_find_binding(handle_.get(), name.c_str());
    if (index < 0) throw Error(Code::not_found, "there is no binding '" + name + "'");
    return binding(index);
  }
  // Extents that a profile accepts of an input, or yields of an output.
  Range range(const std::string& name, int profile = 0) const {
    const Binding found = binding(name);
    const size_t rank = found.extents.size();
    Range range{Extents(rank), Extents(rank), Extents(rank)};
    detail::check(planish_engine_get_range(handle_.get(), profile,
                                           planish_engine_find_binding(handle_.get(), name.c_str()), range.min.data(),
                                           range.opt.data(), range.max.data()));
    return range;
  }
  // Bytes of intermediate values that each context of this profile needs.
  int64_t arena_bytes(int profile = 0) const {
    int64_t bytes = 0;
    detail::check(planish_engine_get_arena_bytes(handle_.get(), profile, &bytes));
    return bytes;
  }

  planish_engine* handle() const { return handle_.get(); }

 private:
  static planish_load_options c_options(const LoadOptions& options) {
    auto c = detail::sized<planish_load_options>();
    c.device = options.device == nullptr ? nullptr : options.device->handle();
    c.threads = options.threads;
    c.flags = options.trust_constants ? PLANISH_LOAD_TRUST_CONSTANTS : 0;
    return c;
  }
  detail::Handle<planish_engine, planish_engine_destroy> handle_;
};

inline Stream::Stream(const Engine& engine) {
  planish_stream* made = nullptr;
  detail::check(planish_engine_create_stream(engine.handle(), &made));
  handle_.reset(made);
}

inline Stream Stream::adopt(const Engine& engine, void* native) {
  planish_stream* made = nullptr;
  detail::check(planish_engine_adopt_stream(engine.handle(), native, &made));
  return Stream(made);
}

}  // namespace v0
}  // namespace planish
