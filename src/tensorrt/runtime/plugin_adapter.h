#pragma once
// Plugins of TensorRT as planish::Plugin: one class a generation of the interface, one creator for all.

#include <memory>

#include "planish/plugin.hpp"
#include "tensorrt/runtime/plugin_record.h"
#include "tensorrt/runtime/plugin_session.h"

namespace planish::tensorrt {

// A creator whose plugins ship with the library: importers make operators of them.
class Shipped {
 public:
  virtual ~Shipped() = default;
};

// Makes them known to the library; more than once does no harm.
void register_adapters();

// What the creator makes while this lives, in this thread: the plugin of a layer that is being added to a network.
class PluginDraft {
 public:
  PluginDraft(PluginRecord record, PluginSession& session) : record(std::move(record)), session(session) {
    current_ = this;
  }
  ~PluginDraft() { current_ = nullptr; }
  PluginDraft(const PluginDraft&) = delete;
  PluginDraft& operator=(const PluginDraft&) = delete;
  static const PluginDraft* current() { return current_; }

  const PluginRecord record;
  PluginSession& session;

 private:
  static thread_local const PluginDraft* current_;
};

}  // namespace planish::tensorrt
