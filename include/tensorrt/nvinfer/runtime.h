// Loading plans.
#ifndef PLANISH_TENSORRT_RUNTIME_H
#define PLANISH_TENSORRT_RUNTIME_H

#include "nvinfer/engine.h"
#include "nvinfer/plugin_registry.h"
#include "nvinfer/plugin_v1.h"

namespace nvinfer1 {

class IRuntime : public INoCopy {
 public:
  // nullptr when the plan cannot be used; the log says why. The factory makes plugins of the first generation.
  virtual ICudaEngine* deserializeCudaEngine(void const* blob, size_t size) = 0;
  virtual ICudaEngine* deserializeCudaEngine(void const* blob, size_t size, IPluginFactory* pluginFactory) = 0;
  virtual ICudaEngine* deserializeCudaEngine(IStreamReader& streamReader) = 0;
  virtual ICudaEngine* deserializeCudaEngine(IStreamReaderV2& streamReader) = 0;

  virtual void setDLACore(int32_t dlaCore) = 0;
  virtual int32_t getDLACore() const = 0;
  virtual int32_t getNbDLACores() const = 0;
  virtual void setGpuAllocator(IGpuAllocator* allocator) = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual ILogger* getLogger() const = 0;
  virtual bool setMaxThreads(int32_t maxThreads) = 0;
  virtual int32_t getMaxThreads() const = 0;
  virtual void setTemporaryDirectory(char const* path) = 0;
  virtual char const* getTemporaryDirectory() const = 0;
  virtual void setTempfileControlFlags(TempfileControlFlags flags) = 0;
  virtual TempfileControlFlags getTempfileControlFlags() const = 0;
  virtual IPluginRegistry& getPluginRegistry() = 0;
  virtual IRuntime* loadRuntime(char const* path) = 0;
  virtual void setEngineHostCodeAllowed(bool allowed) = 0;
  virtual bool getEngineHostCodeAllowed() const = 0;
  virtual void destroy() = 0;
};

// Exchanges weights of an engine that was built to allow it.
class IRefitter : public INoCopy {
 public:
  virtual bool setWeights(char const* layerName, WeightsRole role, Weights weights) = 0;
  virtual bool refitCudaEngine() = 0;
  virtual bool refitCudaEngineAsync(cudaStream_t stream) = 0;
  virtual int32_t getMissing(int32_t size, char const** layerNames, WeightsRole* roles) = 0;
  virtual int32_t getAll(int32_t size, char const** layerNames, WeightsRole* roles) = 0;
  virtual bool setNamedWeights(char const* name, Weights weights) = 0;
  virtual bool setNamedWeights(char const* name, Weights weights, TensorLocation location) = 0;
  virtual Weights getNamedWeights(char const* weightsName) const = 0;
  virtual TensorLocation getWeightsLocation(char const* weightsName) const = 0;
  virtual bool unsetNamedWeights(char const* weightsName) = 0;
  virtual Weights getWeightsPrototype(char const* weightsName) const = 0;
  virtual int32_t getMissingWeights(int32_t size, char const** weightsNames) = 0;
  virtual int32_t getAllWeights(int32_t size, char const** weightsNames) = 0;
  virtual void setWeightsValidation(bool weightsValidation) = 0;
  virtual bool getWeightsValidation() const = 0;
  virtual bool setDynamicRange(char const* tensorName, float min, float max) = 0;
  virtual float getDynamicRangeMin(char const* tensorName) const = 0;
  virtual float getDynamicRangeMax(char const* tensorName) const = 0;
  virtual int32_t getTensorsWithDynamicRange(int32_t size, char const** tensorNames) const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual ILogger* getLogger() const = 0;
  virtual bool setMaxThreads(int32_t maxThreads) = 0;
  virtual int32_t getMaxThreads() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvinfer1

extern "C" {
TENSORRTAPI void* createInferRuntime_INTERNAL(void* logger, int32_t version);
TENSORRTAPI void* createInferRefitter_INTERNAL(void* engine, void* logger, int32_t version);
TENSORRTAPI int32_t getInferLibVersion();
TENSORRTAPI int32_t getInferLibMajorVersion();
TENSORRTAPI int32_t getInferLibMinorVersion();
TENSORRTAPI int32_t getInferLibPatchVersion();
TENSORRTAPI int32_t getInferLibBuildVersion();
}

namespace nvinfer1 {

inline IRuntime* createInferRuntime(ILogger& logger) {
  return static_cast<IRuntime*>(createInferRuntime_INTERNAL(&logger, NV_TENSORRT_VERSION));
}

inline IRefitter* createInferRefitter(ICudaEngine& engine, ILogger& logger) {
  return static_cast<IRefitter*>(createInferRefitter_INTERNAL(&engine, &logger, NV_TENSORRT_VERSION));
}

}  // namespace nvinfer1

#endif
