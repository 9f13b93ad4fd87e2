#pragma once
// Plugins: operators that users add at run time.
//
// A creator stands for a plugin type. It makes instances from attributes when a network is built, and from the
// bytes that an instance wrote to the plan when the plan runs, one for each context. An instance is used by
// one thread at a time; a creator by any.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/thread_pool.h"
#include "tensor/attrs.h"
#include "tensor/type.h"
#include "tensor/view.h"

namespace planish {

struct PluginCall {
  std::span<const TensorView> inputs;   // a missing optional operand has present() == false
  std::span<const TensorView> outputs;  // dense and row-major
  std::byte* workspace = nullptr;       // as many bytes as workspace() asked for, 64-byte aligned
  ThreadPool* pool = nullptr;
  void* stream = nullptr;  // on a GPU: its native handle; results are there when the stream has come so far
  bool on_device = false;  // operands, results and workspace are memory of a GPU
};

class Plugin {
 public:
  virtual ~Plugin() = default;
  // From these bytes the creator makes an equal instance.
  virtual std::string serialize() = 0;
  // Types of the results; an absent operand has dtype none. Extents may be expressions.
  virtual std::vector<TensorType> infer(std::span<const TensorType> inputs) = 0;
  // Scratch bytes for these extents (data pointers are not valid here). Must not shrink when extents grow.
  virtual int64_t workspace(const PluginCall& call) = 0;
  virtual bool any_strides() const = 0;  // false: inputs must be dense and row-major
  virtual void run(const PluginCall& call) = 0;
};

class PluginCreator {
 public:
  virtual ~PluginCreator() = default;
  virtual std::string name() const = 0;
  virtual int version() const = 0;       // of what it computes; a plan runs with the version that it was built with
  virtual bool any_strides() const = 0;  // of its instances
  // Instances compute on the GPU that a plan is for; else on the host, whatever it is for.
  virtual bool on_device() const { return false; }
  virtual std::unique_ptr<Plugin> create(const Attrs& attrs) = 0;
  virtual std::unique_ptr<Plugin> deserialize(std::string_view bytes) = 0;
  // Of a creator that stands for many types: a model's node of this type and attributes is one of them.
  virtual bool stands_for(const std::string&, const Attrs&) const { return false; }
};

// The types known to this process. Thread-safe; instances keep their creator alive.
void register_plugin(std::shared_ptr<PluginCreator> creator);  // Error(invalid_argument): the name is taken or empty
void unregister_plugin(std::string_view name);                 // Error(not_found)
std::shared_ptr<PluginCreator> find_plugin(std::string_view name);  // nullptr: none
std::vector<std::string> plugin_names();                            // sorted

// Who makes a model's node of this type: the creator of that name, else one that stands for it; nullptr: nobody.
std::shared_ptr<PluginCreator> find_plugin_for(const std::string& node_type, const Attrs& attrs);

// find_plugin, or Error(not_found) that lists what is registered.
std::shared_ptr<PluginCreator> require_plugin(std::string_view name);
// The instance for a plan's step: Error(mismatch) names plugin, version and what is registered.
std::unique_ptr<Plugin> load_plugin(std::string_view name, int version, std::string_view bytes);

}  // namespace planish
