// One execution of an engine at a time.
#ifndef PLANISH_TENSORRT_CONTEXT_H
#define PLANISH_TENSORRT_CONTEXT_H

#include "nvinfer/allocator.h"
#include "nvinfer/formats.h"
#include "nvinfer/logger.h"

namespace nvinfer1 {

class ICudaEngine;
class IRuntimeConfig;

class IExecutionContext : public INoCopy {
 public:
  // Tensors by name.
  virtual bool setInputShape(char const* tensorName, Dims const& dims) = 0;
  virtual Dims getTensorShape(char const* tensorName) const = 0;
  virtual Dims getTensorStrides(char const* tensorName) const = 0;
  virtual bool setTensorAddress(char const* tensorName, void* data) = 0;
  virtual void const* getTensorAddress(char const* tensorName) const = 0;
  virtual bool setInputTensorAddress(char const* tensorName, void const* data) = 0;
  virtual bool setOutputTensorAddress(char const* tensorName, void* data) = 0;
  virtual void* getOutputTensorAddress(char const* tensorName) const = 0;
  virtual bool setOutputAllocator(char const* tensorName, IOutputAllocator* outputAllocator) = 0;
  virtual IOutputAllocator* getOutputAllocator(char const* tensorName) const = 0;
  virtual int64_t getMaxOutputSize(char const* tensorName) const = 0;
  virtual int32_t inferShapes(int32_t nbMaxNames, char const** tensorNames) = 0;
  virtual bool enqueueV3(cudaStream_t stream) = 0;

  // Bindings by index.
  virtual bool setBindingDimensions(int32_t bindingIndex, Dims dimensions) = 0;
  virtual Dims getBindingDimensions(int32_t bindingIndex) const = 0;
  virtual Dims getStrides(int32_t bindingIndex) const = 0;
  virtual bool setInputShapeBinding(int32_t bindingIndex, int32_t const* data) = 0;
  virtual bool getShapeBinding(int32_t bindingIndex, int32_t* data) const = 0;
  virtual bool execute(int32_t batchSize, void* const* bindings) = 0;
  virtual bool enqueue(int32_t batchSize, void* const* bindings, cudaStream_t stream, cudaEvent_t* inputConsumed) = 0;
  virtual bool executeV2(void* const* bindings) = 0;
  virtual bool enqueueV2(void* const* bindings, cudaStream_t stream, cudaEvent_t* inputConsumed) = 0;

  // Shapes and profiles.
  virtual bool allInputDimensionsSpecified() const = 0;
  virtual bool allInputShapesSpecified() const = 0;
  virtual bool setOptimizationProfile(int32_t profileIndex) = 0;
  virtual bool setOptimizationProfileAsync(int32_t profileIndex, cudaStream_t stream) = 0;
  virtual int32_t getOptimizationProfile() const = 0;

  // The whole.
  virtual ICudaEngine const& getEngine() const = 0;
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
  virtual void setDebugSync(bool sync) = 0;
  virtual bool getDebugSync() const = 0;
  virtual void setProfiler(IProfiler* profiler) = 0;
  virtual IProfiler* getProfiler() const = 0;
  virtual void setEnqueueEmitsProfile(bool enqueueEmitsProfile) = 0;
  virtual bool getEnqueueEmitsProfile() const = 0;
  virtual bool reportToProfiler() const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual bool setNvtxVerbosity(ProfilingVerbosity verbosity) = 0;
  virtual ProfilingVerbosity getNvtxVerbosity() const = 0;
  virtual IRuntimeConfig* getRuntimeConfig() const = 0;

  // Memory and streams.
  virtual void setDeviceMemory(void* memory) = 0;
  virtual void setDeviceMemoryV2(void* memory, int64_t size) = 0;
  virtual size_t updateDeviceMemorySizeForShapes() = 0;
  virtual bool setInputConsumedEvent(cudaEvent_t event) = 0;
  virtual cudaEvent_t getInputConsumedEvent() const = 0;
  virtual void setAuxStreams(cudaStream_t* auxStreams, int32_t nbStreams) = 0;
  virtual bool setTemporaryStorageAllocator(IGpuAllocator* allocator) = 0;
  virtual IGpuAllocator* getTemporaryStorageAllocator() const = 0;
  virtual void setPersistentCacheLimit(size_t size) = 0;
  virtual size_t getPersistentCacheLimit() const = 0;
  virtual bool setCommunicator(void* communicator) = 0;

  // Values of tensors that were marked for debugging.
  virtual bool setDebugListener(IDebugListener* listener) = 0;
  virtual IDebugListener* getDebugListener() = 0;
  virtual bool setTensorDebugState(char const* name, bool flag) = 0;
  virtual bool setAllTensorsDebugState(bool flag) = 0;
  virtual bool getDebugState(char const* name) const = 0;
  virtual bool setUnfusedTensorsDebugState(bool flag) = 0;
  virtual bool getUnfusedTensorsDebugState() const = 0;

  virtual void destroy() = 0;
};

}  // namespace nvinfer1

#endif
