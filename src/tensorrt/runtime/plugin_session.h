#pragma once
// Where the plugins of a plan come from while it is loaded and its contexts are made: from the network that was built
// in this process, from a factory of version 3, from creators of the registry.

#include <map>
#include <memory>
#include <set>
#include <string>

#include "NvInferRuntime.h"

namespace planish::tensorrt {

// Calls of a plugin that tidy up: what they throw is a line in the log.
void terminate_quietly(nvinfer1::IPluginV2& plugin) noexcept;
struct DestroyPlugin {
  void operator()(nvinfer1::IPluginV2* plugin) const noexcept;
};

class PluginSession {
 public:
  explicit PluginSession(nvinfer1::ILogger* logger = nullptr, nvinfer1::IPluginFactory* factory = nullptr)
      : logger_(logger), factory_(factory) {}

  nvinfer1::ILogger* logger() const { return logger_; }
  nvinfer1::IPluginFactory* factory() const { return factory_; }
  nvinfer1::IGpuAllocator* allocator = nullptr;

  // Plugins of a network that was built in this process, by layer.
  std::map<std::string, std::shared_ptr<nvinfer1::IPluginV2>> v2;
  std::map<std::string, std::shared_ptr<nvinfer1::IPluginV3>> v3;
  // The first generation has one instance a layer; the network's, or what the factory made.
  std::map<std::string, nvinfer1::IPlugin*> v1;
  std::set<std::string> started;  // of them those that were initialised
  // Engines come and go; with the last one plugins of the first generation are terminated.
  void add_engine() { ++engines_; }
  void remove_engine() noexcept;

  // The session of what this thread loads.
  class Scope {
   public:
    explicit Scope(PluginSession& session) : outer_(current_) { current_ = &session; }
    ~Scope() { current_ = outer_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    PluginSession* outer_;
  };
  static PluginSession* current() { return current_; }

 private:
  static thread_local PluginSession* current_;
  nvinfer1::ILogger* logger_;
  nvinfer1::IPluginFactory* factory_;
  int engines_ = 0;
};

}  // namespace planish::tensorrt
