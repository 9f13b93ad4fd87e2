// Makes networks, and engines from them.
#ifndef PLANISH_TENSORRT_BUILDER_H
#define PLANISH_TENSORRT_BUILDER_H

#include "nvinfer/config.h"
#include "nvinfer/network.h"
#include "nvinfer/runtime.h"

namespace nvinfer1 {

class IBuilder : public INoCopy {
 public:
  virtual INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags flags) = 0;
  virtual IBuilderConfig* createBuilderConfig() = 0;
  virtual IOptimizationProfile* createOptimizationProfile() = 0;
  // nullptr when the network cannot be built; the log says why.
  virtual IHostMemory* buildSerializedNetwork(INetworkDefinition& network, IBuilderConfig& config) = 0;
  virtual IHostMemory* buildSerializedNetwork(INetworkDefinition& network, IBuilderConfig& config,
                                              IHostMemory*& kernelText) = 0;
  virtual bool buildSerializedNetworkToStream(INetworkDefinition& network, IBuilderConfig& config,
                                              IStreamWriter& writer) = 0;
  virtual ICudaEngine* buildEngineWithConfig(INetworkDefinition& network, IBuilderConfig& config) = 0;
  virtual bool isNetworkSupported(INetworkDefinition const& network, IBuilderConfig const& config) const = 0;

  virtual bool platformHasFastFp16() const = 0;
  virtual bool platformHasFastInt8() const = 0;
  virtual bool platformHasTf32() const = 0;
  virtual int32_t getMaxDLABatchSize() const = 0;
  virtual int32_t getNbDLACores() const = 0;
  virtual void setGpuAllocator(IGpuAllocator* allocator) = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual ILogger* getLogger() const = 0;
  virtual bool setMaxThreads(int32_t maxThreads) = 0;
  virtual int32_t getMaxThreads() const = 0;
  virtual IPluginRegistry& getPluginRegistry() = 0;
  virtual void reset() = 0;

  // The builder is its own configuration up to major 7.
  virtual INetworkDefinition* createNetwork() = 0;
  virtual ICudaEngine* buildCudaEngine(INetworkDefinition& network) = 0;
  virtual void reset(INetworkDefinition& network) = 0;
  virtual void setMaxBatchSize(int32_t batchSize) = 0;
  virtual int32_t getMaxBatchSize() const = 0;
  virtual void setMaxWorkspaceSize(size_t workspaceSize) = 0;
  virtual size_t getMaxWorkspaceSize() const = 0;
  virtual void setHalf2Mode(bool mode) = 0;
  virtual bool getHalf2Mode() const = 0;
  virtual void setFp16Mode(bool mode) = 0;
  virtual bool getFp16Mode() const = 0;
  virtual void setInt8Mode(bool mode) = 0;
  virtual bool getInt8Mode() const = 0;
  virtual void setInt8Calibrator(IInt8Calibrator* calibrator) = 0;
  virtual void setDebugSync(bool sync) = 0;
  virtual bool getDebugSync() const = 0;
  virtual void setMinFindIterations(int32_t minFind) = 0;
  virtual int32_t getMinFindIterations() const = 0;
  virtual void setAverageFindIterations(int32_t avgFind) = 0;
  virtual int32_t getAverageFindIterations() const = 0;
  virtual void setDeviceType(ILayer* layer, DeviceType deviceType) = 0;
  virtual DeviceType getDeviceType(ILayer const* layer) const = 0;
  virtual bool isDeviceTypeSet(ILayer const* layer) const = 0;
  virtual void resetDeviceType(ILayer* layer) = 0;
  virtual bool canRunOnDLA(ILayer const* layer) const = 0;
  virtual void setDefaultDeviceType(DeviceType deviceType) = 0;
  virtual DeviceType getDefaultDeviceType() const = 0;
  virtual void allowGPUFallback(bool setFallBackMode) = 0;
  virtual void setDLACore(int32_t dlaCore) = 0;
  virtual int32_t getDLACore() const = 0;
  virtual void setStrictTypeConstraints(bool mode) = 0;
  virtual bool getStrictTypeConstraints() const = 0;
  virtual void setRefittable(bool canRefit) = 0;
  virtual bool getRefittable() const = 0;
  virtual void setEngineCapability(EngineCapability capability) = 0;
  virtual EngineCapability getEngineCapability() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvinfer1

extern "C" {
TENSORRTAPI void* createInferBuilder_INTERNAL(void* logger, int32_t version);
}

namespace nvinfer1 {

inline IBuilder* createInferBuilder(ILogger& logger) {
  return static_cast<IBuilder*>(createInferBuilder_INTERNAL(&logger, NV_TENSORRT_VERSION));
}

// The registry of plugins that a build of this kind may use.
extern "C" TENSORRTAPI IPluginRegistry* getBuilderPluginRegistry(EngineCapability capability);
extern "C" TENSORRTAPI void setInternalLibraryPath(AsciiChar const* path);

}  // namespace nvinfer1

#endif
