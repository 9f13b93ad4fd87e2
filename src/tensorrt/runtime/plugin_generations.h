#pragma once
// Plugins of each generation of TensorRT's interface as planish::Plugin.

#include <memory>

#include "planish/plugin.hpp"
#include "tensorrt/runtime/plugin_record.h"

namespace planish::tensorrt {

// The first generation: one instance a layer, which its maker owns.
std::unique_ptr<Plugin> adapted(PluginRecord record, nvinfer1::IPlugin& plugin);
// The second, of all four kinds; they are given away. `fresh`: it was made from fields, and knows no tensors yet.
std::unique_ptr<Plugin> adapted(PluginRecord record, nvinfer1::IPluginV2* plugin, bool fresh = false);
// The third; given away.
std::unique_ptr<Plugin> adapted(PluginRecord record, nvinfer1::IPluginV3* plugin);

// Error(internal) names plugin, layer, call and what it returned, unless that is 0.
void require(int32_t status, const PluginRecord& record, const char* call);
// Error: more than memory can have.
int64_t workspace_bytes(size_t asked, const PluginRecord& record);

}  // namespace planish::tensorrt
