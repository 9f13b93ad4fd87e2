#pragma once
// The plugin registry of this process.

#include "NvInferRuntime.h"

namespace planish::tensorrt {

nvinfer1::IPluginRegistry& plugin_registry();

}  // namespace planish::tensorrt
