#pragma once
// The plugin registry of this process.

#include <string>

#include "NvInferRuntime.h"

namespace planish::tensorrt {

nvinfer1::IPluginRegistry& plugin_registry();
// What a plugin was looked for by, and the creators that come near to it.
std::string not_registered_text(const std::string& name, const std::string& version, const std::string& space);

}  // namespace planish::tensorrt
