// The runtime of safety-certified devices (majors 8 to 10). There is no such device here: no runtime is made.
#ifndef PLANISH_TENSORRT_SAFE_H
#define PLANISH_TENSORRT_SAFE_H

#include "nvinfer/allocator.h"
#include "nvinfer/engine.h"
#include "nvinfer/plugin_v2.h"

namespace nvinfer1 {
namespace safe {

class IExecutionContext;

class ICudaEngine : public INoCopy {
 public:
  virtual int32_t getNbBindings() const = 0;
  virtual int32_t getBindingIndex(char const* name) const = 0;
  virtual char const* getBindingName(int32_t index) const = 0;
  virtual bool bindingIsInput(int32_t index) const = 0;
  virtual Dims getBindingDimensions(int32_t index) const = 0;
  virtual DataType getBindingDataType(int32_t index) const = 0;
  virtual int32_t getBindingBytesPerComponent(int32_t index) const = 0;
  virtual int32_t getBindingComponentsPerElement(int32_t index) const = 0;
  virtual TensorFormat getBindingFormat(int32_t index) const = 0;
  virtual int32_t getBindingVectorizedDim(int32_t index) const = 0;
  virtual IExecutionContext* createExecutionContext() = 0;
  virtual IExecutionContext* createExecutionContextWithoutDeviceMemory() = 0;
  virtual size_t getDeviceMemorySize() const = 0;
  virtual char const* getName() const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual Dims getTensorShape(char const* name) const = 0;
  virtual DataType getTensorDataType(char const* name) const = 0;
  virtual TensorIOMode getTensorIOMode(char const* name) const = 0;
  virtual int32_t getTensorBytesPerComponent(char const* name) const = 0;
  virtual int32_t getTensorComponentsPerElement(char const* name) const = 0;
  virtual TensorFormat getTensorFormat(char const* name) const = 0;
  virtual int32_t getTensorVectorizedDim(char const* name) const = 0;
  virtual int32_t getNbIOTensors() const = 0;
  virtual char const* getIOTensorName(int32_t index) const = 0;
};

// How many results were no numbers.
struct FloatingPointErrorInformation {
  int32_t nbNanErrors;
  int32_t nbInfErrors;
};

class IExecutionContext : public INoCopy {
 public:
  virtual ICudaEngine const& getEngine() const = 0;
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
  virtual void setDeviceMemory(void* memory) = 0;
  virtual Dims getStrides(int32_t index) const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual bool enqueueV2(void* const* bindings, cudaStream_t stream, cudaEvent_t const* inputConsumed) = 0;
  virtual void setErrorBuffer(FloatingPointErrorInformation* buffer) = 0;
  virtual FloatingPointErrorInformation* getErrorBuffer() const = 0;
  virtual Dims getTensorStrides(char const* name) const = 0;
  virtual bool setInputTensorAddress(char const* name, void const* data) = 0;
  virtual bool setOutputTensorAddress(char const* name, void* data) = 0;
  virtual void const* getInputTensorAddress(char const* name) const = 0;
  virtual void* getOutputTensorAddress(char const* name) const = 0;
  virtual bool setInputConsumedEvent(cudaEvent_t event) = 0;
  virtual cudaEvent_t getInputConsumedEvent() const = 0;
  virtual bool enqueueV3(cudaStream_t stream) = 0;
};

class IRuntime : public INoCopy {
 public:
  virtual ICudaEngine* deserializeCudaEngine(void const* blob, size_t size) = 0;
  virtual void setGpuAllocator(IGpuAllocator* allocator) = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
};

// nullptr, and a line in the log.
TENSORRTAPI IRuntime* createInferRuntime(ILogger& logger);

}  // namespace safe
}  // namespace nvinfer1

#endif
