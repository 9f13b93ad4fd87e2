#include "tensorrt/runtime/plugin_session.h"

#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

thread_local PluginSession* PluginSession::current_ = nullptr;

void terminate_quietly(nvinfer1::IPluginV2& plugin) noexcept {
  Reporter(first_logger()).guard("a plugin's terminate", [&] { plugin.terminate(); });
}

void DestroyPlugin::operator()(nvinfer1::IPluginV2* plugin) const noexcept {
  if (plugin != nullptr) Reporter(first_logger()).guard("a plugin's destroy", [&] { plugin->destroy(); });
}

void PluginSession::remove_engine() noexcept {
  if (--engines_ > 0) return;
  for (const std::string& layer : started)
    if (const auto at = v1.find(layer); at != v1.end() && at->second != nullptr)
      Reporter(logger_).guard("a plugin's terminate", [&] { at->second->terminate(); });
  started.clear();
}

}  // namespace planish::tensorrt
