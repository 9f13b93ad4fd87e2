// Plugins: operators of your own, in C++.
//
//   class Double : public planish::Plugin { … };
//   class DoubleCreator : public planish::PluginCreator { … };
//   planish::register_plugin(std::make_unique<DoubleCreator>());
//
// Register before a network uses the plugin and before a plan that uses it is loaded.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "planish/attributes.hpp"
#include "planish/planish_plugin.h"
#include "planish/types.hpp"

namespace planish {
inline namespace v0 {

// One execution's operands. Strides count elements; results are dense and row-major.
class PluginCall {
 public:
  explicit PluginCall(const planish_plugin_call& call) : call_(call) {}

  std::span<const planish_view> inputs() const { return {call_.inputs, call_.input_count}; }
  std::span<const planish_view> outputs() const { return {call_.outputs, call_.output_count}; }
  void* workspace() const { return call_.workspace; }  // aligned to 64
  // Operands, results and workspace are memory of a GPU; the work goes onto the stream (CUstream, cudaStream_t).
  bool on_device() const { return call_.on_device != 0; }
  void* stream() const { return call_.stream; }

  // body(begin, end) over a partition of [0, n) into blocks of at least `grain`, on the library's threads; returns
  // when all are done. The body must not throw.
  template <class Body>
  void parallel_for(int64_t n, int64_t grain, Body&& body) const {
    using Plain = std::remove_reference_t<Body>;
    call_.parallel_for(
        &call_, n, grain, [](void* user, int64_t begin, int64_t end) { (*static_cast<Plain*>(user))(begin, end); },
        const_cast<void*>(static_cast<const void*>(std::addressof(body))));
  }

 private:
  const planish_plugin_call& call_;
};

// One instance. Used by one thread at a time; each context has its own. Functions may throw: what() becomes the
// sentence of the Error that the caller gets.
class Plugin {
 public:
  virtual ~Plugin() = default;
  // From these bytes the creator makes an equal instance when the plan is loaded.
  virtual std::string serialize() const = 0;
  // Types of the results; extents may be expressions of the operands' extents.
  virtual std::vector<TensorType> infer(std::span<const TensorType> inputs) const = 0;
  // Scratch bytes for these extents; data of the views is null. Must not shrink when extents grow.
  virtual int64_t workspace(const PluginCall&) const { return 0; }
  virtual void run(const PluginCall& call) = 0;
};

// A type of plugins. Used by any thread.
class PluginCreator {
 public:
  virtual ~PluginCreator() = default;
  virtual std::string name() const = 0;
  virtual int version() const { return 1; }  // of what it computes; a plan runs with the version it was built with
  virtual bool any_strides() const { return false; }  // false: operands are dense and row-major
  virtual bool on_device() const { return false; }    // true: plans for a GPU run it there
  virtual std::unique_ptr<Plugin> create(const Attributes& attributes) const = 0;
  virtual std::unique_ptr<Plugin> deserialize(std::string_view bytes) const = 0;
  // For a creator that stands for many types: whether a model's node of this type is one of them. create() then finds
  // the type as the text PLANISH_ATTR_NODE_TYPE.
  virtual bool stands_for(std::string_view, const Attributes&) const { return false; }
};

namespace detail {

// Calls `body`; an exception becomes its sentence and status 1.
template <class Body>
int32_t plugin_guard(planish_say_fn fail, planish_sink* sink, Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    fail(sink, error.what(), std::string_view(error.what()).size());
  } catch (...) {
    fail(sink, "an exception of unknown type", 28);
  }
  return 1;
}

inline Plugin& plugin_of(void* plugin) { return *static_cast<Plugin*>(plugin); }
inline const PluginCreator& creator_of(void* user) { return *static_cast<const PluginCreator*>(user); }

inline int32_t plugin_create(void* user, const planish_attr* attrs, size_t count, void** plugin, planish_say_fn fail,
                             planish_sink* sink) {
  return plugin_guard(fail, sink, [&] { *plugin = creator_of(user).create(attributes_of(attrs, count)).release(); });
}
inline int32_t plugin_stands_for(void* user, const char* type, const planish_attr* attrs, size_t count) {
  try {
    return creator_of(user).stands_for(type, attributes_of(attrs, count)) ? 1 : 0;
  } catch (...) {
    return 0;
  }
}
inline int32_t plugin_deserialize(void* user, const void* bytes, size_t size, void** plugin, planish_say_fn fail,
                                  planish_sink* sink) {
  return plugin_guard(fail, sink, [&] {
    *plugin = creator_of(user).deserialize({static_cast<const char*>(bytes), size}).release();
  });
}
inline int32_t plugin_serialize(void* plugin, planish_say_fn write, planish_say_fn fail, planish_sink* sink) {
  return plugin_guard(fail, sink, [&] {
    const std::string bytes = plugin_of(plugin).serialize();
    write(sink, bytes.data(), bytes.size());
  });
}
inline int32_t plugin_infer(void* plugin, const char* const* inputs, size_t count, planish_say_fn write,
                            planish_say_fn fail, planish_sink* sink) {
  return plugin_guard(fail, sink, [&] {
    std::vector<TensorType> types;
    for (size_t i = 0; i < count; ++i) types.push_back(TensorType::parse(inputs[i]));
    for (const TensorType& type : plugin_of(plugin).infer(types)) {
      const std::string text = type.str();
      write(sink, text.data(), text.size());
    }
  });
}
inline int64_t plugin_workspace(void* plugin, const planish_plugin_call* call) {
  return plugin_of(plugin).workspace(PluginCall(*call));
}
inline int32_t plugin_run(void* plugin, const planish_plugin_call* call, planish_say_fn fail, planish_sink* sink) {
  return plugin_guard(fail, sink, [&] { plugin_of(plugin).run(PluginCall(*call)); });
}

}  // namespace detail

// The creator lives until it is unregistered and no instance is left. Throws Error(invalid_argument) when the name
// is taken. `add`: of another copy of the library (planish_register_plugins).
inline void register_plugin(std::unique_ptr<PluginCreator> creator,
                            planish_plugin_add_fn add = planish_plugin_register) {
  const std::string name = creator->name();
  auto type = detail::sized<planish_plugin_type>();
  type.abi = PLANISH_PLUGIN_ABI;
  type.version = creator->version();
  type.name = name.c_str();
  type.user = creator.get();
  type.any_strides = creator->any_strides() ? 1 : 0;
  type.create = detail::plugin_create;
  type.deserialize = detail::plugin_deserialize;
  type.destroy = [](void* plugin) { delete static_cast<Plugin*>(plugin); };
  type.serialize = detail::plugin_serialize;
  type.infer = detail::plugin_infer;
  type.workspace = detail::plugin_workspace;
  type.run = detail::plugin_run;
  type.release = [](void* user) { delete static_cast<PluginCreator*>(user); };
  type.stands_for = detail::plugin_stands_for;
  type.on_device = creator->on_device() ? 1 : 0;
  detail::check(add(&type));
  creator.release();
}

// Loads a library of plugins, which registers them.
inline void load_plugin_library(const std::string& path) {
  detail::check(planish_plugin_load_library(detail::c_path(path)));
}
inline void unregister_plugin(const std::string& name) { detail::check(planish_plugin_unregister(name.c_str())); }

}  // namespace v0
}  // namespace planish
