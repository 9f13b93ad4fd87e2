// Plugins of versions 3 to 7: no creator, no registry; a factory makes them when a plan is loaded.
#ifndef PLANISH_TENSORRT_PLUGIN_V1_H
#define PLANISH_TENSORRT_PLUGIN_V1_H

#include "nvinfer/plugin_base.h"

namespace nvinfer1 {

class IPlugin {
 public:
  virtual ~IPlugin() = default;
  virtual int getNbOutputs() const = 0;
  virtual Dims getOutputDimensions(int index, Dims const* inputs, int nbInputDims) = 0;
  virtual void configure(Dims const* inputDims, int nbInputs, Dims const* outputDims, int nbOutputs,
                         int maxBatchSize) = 0;
  virtual int initialize() = 0;
  virtual void terminate() = 0;
  virtual size_t getWorkspaceSize(int maxBatchSize) const = 0;
  virtual int enqueue(int batchSize, void const* const* inputs, void** outputs, void* workspace,
                      cudaStream_t stream) = 0;
  virtual size_t getSerializationSize() = 0;
  virtual void serialize(void* buffer) = 0;
};

class IPluginExt : public IPlugin {
 public:
  virtual int getTensorRTVersion() const { return NV_TENSORRT_VERSION; }
  virtual bool supportsFormat(DataType type, PluginFormat format) const = 0;
  virtual void configureWithFormat(Dims const* inputDims, int nbInputs, Dims const* outputDims, int nbOutputs,
                                   DataType type, PluginFormat format, int maxBatchSize) = 0;

 protected:
  // Such a plugin is configured with its format only.
  void configure(Dims const*, int, Dims const*, int, int) override {}
};

class IPluginFactory {
 public:
  virtual ~IPluginFactory() = default;
  virtual IPlugin* createPlugin(char const* layerName, void const* serialData, size_t serialLength) = 0;
};

}  // namespace nvinfer1

#endif
