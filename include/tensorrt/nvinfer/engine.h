// A built network, ready to run; what can be asked of it.
#ifndef PLANISH_TENSORRT_ENGINE_H
#define PLANISH_TENSORRT_ENGINE_H

#include "nvinfer/context.h"
#include "nvinfer/profile.h"
#include "nvinfer/weights.h"

namespace nvinfer1 {

class ISerializationConfig : public INoCopy {
 public:
  virtual bool setFlags(SerializationFlags serializationFlags) = 0;
  virtual SerializationFlags getFlags() const = 0;
  virtual bool clearFlag(SerializationFlag serializationFlag) = 0;
  virtual bool setFlag(SerializationFlag serializationFlag) = 0;
  virtual bool getFlag(SerializationFlag serializationFlag) const = 0;
};

class IRuntimeConfig : public INoCopy {
 public:
  virtual void setExecutionContextAllocationStrategy(ExecutionContextAllocationStrategy strategy) = 0;
  virtual ExecutionContextAllocationStrategy getExecutionContextAllocationStrategy() const = 0;
};

// Texts about layers; valid until the next call on the inspector.
class IEngineInspector : public INoCopy {
 public:
  virtual bool setExecutionContext(IExecutionContext const* context) = 0;
  virtual IExecutionContext const* getExecutionContext() const = 0;
  virtual char const* getLayerInformation(int32_t layerIndex, LayerInformationFormat format) const = 0;
  virtual char const* getEngineInformation(LayerInformationFormat format) const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual void destroy() = 0;
};

class ICudaEngine : public INoCopy {
 public:
  // Tensors by name.
  virtual int32_t getNbIOTensors() const = 0;
  virtual char const* getIOTensorName(int32_t index) const = 0;
  virtual Dims getTensorShape(char const* tensorName) const = 0;  // -1: dynamic
  virtual DataType getTensorDataType(char const* tensorName) const = 0;
  virtual TensorLocation getTensorLocation(char const* tensorName) const = 0;
  virtual bool isShapeInferenceIO(char const* tensorName) const = 0;
  virtual TensorIOMode getTensorIOMode(char const* tensorName) const = 0;
  virtual char const* getAliasedInputTensor(char const* tensorName) const = 0;
  virtual int32_t getTensorBytesPerComponent(char const* tensorName) const = 0;
  virtual int32_t getTensorBytesPerComponent(char const* tensorName, int32_t profileIndex) const = 0;
  virtual int32_t getTensorComponentsPerElement(char const* tensorName) const = 0;
  virtual int32_t getTensorComponentsPerElement(char const* tensorName, int32_t profileIndex) const = 0;
  virtual TensorFormat getTensorFormat(char const* tensorName) const = 0;
  virtual TensorFormat getTensorFormat(char const* tensorName, int32_t profileIndex) const = 0;
  virtual char const* getTensorFormatDesc(char const* tensorName) const = 0;
  virtual char const* getTensorFormatDesc(char const* tensorName, int32_t profileIndex) const = 0;
  virtual int32_t getTensorVectorizedDim(char const* tensorName) const = 0;
  virtual int32_t getTensorVectorizedDim(char const* tensorName, int32_t profileIndex) const = 0;
  virtual Dims getProfileShape(char const* tensorName, int32_t profileIndex, OptProfileSelector select) const = 0;
  virtual int32_t const* getProfileTensorValues(char const* tensorName, int32_t profileIndex,
                                                OptProfileSelector select) const = 0;
  virtual int64_t const* getProfileTensorValuesV2(char const* tensorName, int32_t profileIndex,
                                                  OptProfileSelector select) const = 0;
  virtual bool isDebugTensor(char const* name) const = 0;

  // Bindings by index: inputs and outputs of each profile in turn.
  virtual int32_t getNbBindings() const = 0;
  virtual int32_t getBindingIndex(char const* name) const = 0;
  virtual char const* getBindingName(int32_t bindingIndex) const = 0;
  virtual bool bindingIsInput(int32_t bindingIndex) const = 0;
  virtual Dims getBindingDimensions(int32_t bindingIndex) const = 0;
  virtual DataType getBindingDataType(int32_t bindingIndex) const = 0;
  virtual TensorLocation getLocation(int32_t bindingIndex) const = 0;
  virtual int32_t getBindingBytesPerComponent(int32_t bindingIndex) const = 0;
  virtual int32_t getBindingComponentsPerElement(int32_t bindingIndex) const = 0;
  virtual TensorFormat getBindingFormat(int32_t bindingIndex) const = 0;
  virtual char const* getBindingFormatDesc(int32_t bindingIndex) const = 0;
  virtual int32_t getBindingVectorizedDim(int32_t bindingIndex) const = 0;
  virtual bool isShapeBinding(int32_t bindingIndex) const = 0;
  virtual bool isExecutionBinding(int32_t bindingIndex) const = 0;
  virtual Dims getProfileDimensions(int32_t bindingIndex, int32_t profileIndex, OptProfileSelector select) const = 0;
  virtual int32_t const* getProfileShapeValues(int32_t profileIndex, int32_t inputIndex,
                                               OptProfileSelector select) const = 0;

  // The whole.
  virtual char const* getName() const = 0;
  virtual int32_t getNbLayers() const = 0;
  virtual int32_t getMaxBatchSize() const = 0;
  virtual bool hasImplicitBatchDimension() const = 0;
  virtual int32_t getNbOptimizationProfiles() const = 0;
  virtual EngineCapability getEngineCapability() const = 0;
  virtual bool isRefittable() const = 0;
  virtual TacticSources getTacticSources() const = 0;
  virtual ProfilingVerbosity getProfilingVerbosity() const = 0;
  virtual HardwareCompatibilityLevel getHardwareCompatibilityLevel() const = 0;
  virtual int32_t getNbAuxStreams() const = 0;
  virtual size_t getWorkspaceSize() const = 0;
  virtual size_t getDeviceMemorySize() const = 0;
  virtual size_t getDeviceMemorySizeForProfile(int32_t profileIndex) const = 0;
  virtual int64_t getDeviceMemorySizeV2() const = 0;
  virtual int64_t getDeviceMemorySizeForProfileV2(int32_t profileIndex) const = 0;
  virtual int64_t getEngineStat(EngineStat stat) const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;

  // Weights that are brought in while they are needed.
  virtual bool setWeightStreamingBudget(int64_t gpuMemoryBudget) = 0;
  virtual int64_t getWeightStreamingBudget() const = 0;
  virtual int64_t getMinimumWeightStreamingBudget() const = 0;
  virtual int64_t getStreamableWeightsSize() const = 0;
  virtual bool setWeightStreamingBudgetV2(int64_t gpuMemoryBudget) = 0;
  virtual int64_t getWeightStreamingBudgetV2() const = 0;
  virtual int64_t getWeightStreamingAutomaticBudget() const = 0;
  virtual int64_t getWeightStreamingScratchMemorySize() const = 0;

  // What it makes; the engine must outlive contexts and inspectors.
  virtual IHostMemory* serialize() const = 0;
  virtual ISerializationConfig* createSerializationConfig() = 0;
  virtual IHostMemory* serializeWithConfig(ISerializationConfig& config) const = 0;
  virtual IExecutionContext* createExecutionContext(
      ExecutionContextAllocationStrategy strategy = ExecutionContextAllocationStrategy::kSTATIC) = 0;
  virtual IExecutionContext* createExecutionContext(IRuntimeConfig* runtimeConfig) = 0;
  virtual IExecutionContext* createExecutionContextWithoutDeviceMemory() = 0;
  virtual IRuntimeConfig* createRuntimeConfig() = 0;
  virtual IEngineInspector* createEngineInspector() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvinfer1

#endif
