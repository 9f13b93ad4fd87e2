// libnvinfer_plugin: registers the plugins that ship with the library.

#include "NvInferPlugin.h"

extern "C" bool initLibNvInferPlugins(void* logger, char const*) {
  if (auto* given = static_cast<nvinfer1::ILogger*>(logger)) {
    try {
      int32_t count = 0;
      getPluginRegistry()->getPluginCreatorList(&count);
      if (count == 0) given->log(nvinfer1::ILogger::Severity::kVERBOSE, "no plugins ship with this library");
    } catch (...) {  // the caller's logger
    }
  }
  return true;
}
