// Layers that run a plugin.
#ifndef PLANISH_TENSORRT_LAYERS_PLUGIN_H
#define PLANISH_TENSORRT_LAYERS_PLUGIN_H

#include "nvinfer/plugin_v1.h"
#include "nvinfer/plugin_v2.h"
#include "nvinfer/plugin_v3.h"
#include "nvinfer/tensor.h"

namespace nvinfer1 {

class IPluginLayer : public ILayer {
 public:
  virtual IPlugin& getPlugin() = 0;
};

class IPluginV2Layer : public ILayer {
 public:
  virtual IPluginV2& getPlugin() = 0;
};

class IPluginV3Layer : public ILayer {
 public:
  virtual IPluginV3& getPlugin() = 0;
};

}  // namespace nvinfer1

#endif
