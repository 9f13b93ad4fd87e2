#pragma once
// ICudaEngine over a loaded plan.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tensorrt/runtime/engine_device.h"
#include "tensorrt/runtime/loaded_plan.h"
#include "tensorrt/runtime/refit_record.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

class EngineImpl;

// The plan of an engine and of its contexts, which may outlive it. Refitting exchanges it for another one of the same
// inputs and outputs, from any thread; contexts take that over before their next execution.
class SharedPlan {
 public:
  explicit SharedPlan(std::shared_ptr<const LoadedPlan> first);
  ~SharedPlan() { session->remove_engine(); }
  SharedPlan(const SharedPlan&) = delete;
  SharedPlan& operator=(const SharedPlan&) = delete;

  std::shared_ptr<const LoadedPlan> get() const;
  void exchange(std::shared_ptr<const LoadedPlan> plan);
  // How often it was exchanged. What get() gives afterwards is at least as new.
  uint32_t exchanges() const { return exchanges_.load(std::memory_order_acquire); }

  // What all of its plans have in common.
  const std::vector<Io> ios;
  const std::string name;
  const std::shared_ptr<const ShapeTable> shape_table;
  const std::shared_ptr<PluginSession> session;
  std::atomic<const EngineImpl*> engine{nullptr};  // until it is deleted

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LoadedPlan> plan_;
  std::atomic<uint32_t> exchanges_{0};
};

class EngineImpl final : public nvinfer1::ICudaEngine {
 public:
  EngineImpl(std::shared_ptr<const LoadedPlan> plan, std::shared_ptr<EngineDevice> device, const Reporter& reporter);
  // Stands in for one that was deleted, to its contexts.
  EngineImpl(std::shared_ptr<SharedPlan> shared, std::shared_ptr<EngineDevice> device, const Reporter& reporter);
  ~EngineImpl() override;
  EngineImpl(const EngineImpl&) = delete;
  EngineImpl& operator=(const EngineImpl&) = delete;

  std::shared_ptr<const LoadedPlan> plan() const { return shared_->get(); }
  const std::shared_ptr<SharedPlan>& shared() const { return shared_; }
  const std::shared_ptr<EngineDevice>& device() const { return device_; }
  const Reporter& reporter() const { return reporter_; }

  int32_t getNbIOTensors() const override { return static_cast<int32_t>(shared_->ios.size()); }
  char const* getIOTensorName(int32_t index) const override;
  nvinfer1::Dims getTensorShape(char const* name) const override;
  nvinfer1::DataType getTensorDataType(char const* name) const override;
  nvinfer1::TensorLocation getTensorLocation(char const* name) const override;
  bool isShapeInferenceIO(char const* name) const override;
  nvinfer1::TensorIOMode getTensorIOMode(char const* name) const override;
  char const* getAliasedInputTensor(char const*) const override { return nullptr; }
  int32_t getTensorBytesPerComponent(char const* name) const override;
  int32_t getTensorBytesPerComponent(char const* name, int32_t profile) const override;
  int32_t getTensorComponentsPerElement(char const* name) const override { return has(name) ? 1 : -1; }
  int32_t getTensorComponentsPerElement(char const* name, int32_t profile) const override;
  nvinfer1::TensorFormat getTensorFormat(char const*) const override { return nvinfer1::TensorFormat::kLINEAR; }
  nvinfer1::TensorFormat getTensorFormat(char const* name, int32_t profile) const override;
  char const* getTensorFormatDesc(char const* name) const override;
  char const* getTensorFormatDesc(char const* name, int32_t profile) const override;
  int32_t getTensorVectorizedDim(char const*) const override { return -1; }
  int32_t getTensorVectorizedDim(char const* name, int32_t profile) const override;
  nvinfer1::Dims getProfileShape(char const* name, int32_t profile, nvinfer1::OptProfileSelector select) const override;
  int32_t const* getProfileTensorValues(char const* name, int32_t profile,
                                        nvinfer1::OptProfileSelector select) const override;
  int64_t const* getProfileTensorValuesV2(char const* name, int32_t profile,
                                          nvinfer1::OptProfileSelector select) const override;
  bool isDebugTensor(char const*) const override { return false; }

  int32_t getNbBindings() const override { return getNbIOTensors() * plan()->profile_count(); }
  int32_t getBindingIndex(char const* name) const override;
  char const* getBindingName(int32_t index) const override;
  bool bindingIsInput(int32_t index) const override;
  nvinfer1::Dims getBindingDimensions(int32_t index) const override;
  nvinfer1::DataType getBindingDataType(int32_t index) const override;
  nvinfer1::TensorLocation getLocation(int32_t index) const override;
  int32_t getBindingBytesPerComponent(int32_t index) const override;
  int32_t getBindingComponentsPerElement(int32_t) const override { return 1; }
  nvinfer1::TensorFormat getBindingFormat(int32_t) const override { return nvinfer1::TensorFormat::kLINEAR; }
  char const* getBindingFormatDesc(int32_t index) const override;
  int32_t getBindingVectorizedDim(int32_t) const override { return -1; }
  bool isShapeBinding(int32_t index) const override;
  bool isExecutionBinding(int32_t index) const override;
  nvinfer1::Dims getProfileDimensions(int32_t index, int32_t profile,
                                      nvinfer1::OptProfileSelector select) const override;
  int32_t const* getProfileShapeValues(int32_t profile, int32_t index,
                                       nvinfer1::OptProfileSelector select) const override;

  char const* getName() const override { return shared_->name.c_str(); }
  int32_t getNbLayers() const override { return planish_engine_step_count(plan()->engine(), 0); }
  int32_t getMaxBatchSize() const override { return plan()->max_batch(); }
  bool hasImplicitBatchDimension() const override { return plan()->implicit_batch(); }
  int32_t getNbOptimizationProfiles() const override { return plan()->profile_count(); }
  nvinfer1::EngineCapability getEngineCapability() const override { return nvinfer1::EngineCapability::kSTANDARD; }
  bool isRefittable() const override {
    const auto now = plan();
    return plan_bytes(now->blob()) < now->blob().size;
  }
  nvinfer1::TacticSources getTacticSources() const override { return 0; }
  nvinfer1::ProfilingVerbosity getProfilingVerbosity() const override { return plan()->verbosity(); }
  nvinfer1::HardwareCompatibilityLevel getHardwareCompatibilityLevel() const override {
    return nvinfer1::HardwareCompatibilityLevel::kNONE;
  }
  int32_t getNbAuxStreams() const override { return 0; }
  size_t getWorkspaceSize() const override { return 0; }
  size_t getDeviceMemorySize() const override { return static_cast<size_t>(getDeviceMemorySizeV2()); }
  size_t getDeviceMemorySizeForProfile(int32_t profile) const override {
    return static_cast<size_t>(getDeviceMemorySizeForProfileV2(profile));
  }
  int64_t getDeviceMemorySizeV2() const override;
  int64_t getDeviceMemorySizeForProfileV2(int32_t profile) const override;
  int64_t getEngineStat(nvinfer1::EngineStat stat) const override;
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }

  bool setWeightStreamingBudget(int64_t budget) override { return setWeightStreamingBudgetV2(budget); }
  int64_t getWeightStreamingBudget() const override { return 0; }
  int64_t getMinimumWeightStreamingBudget() const override { return 0; }
  int64_t getStreamableWeightsSize() const override { return 0; }
  bool setWeightStreamingBudgetV2(int64_t budget) override;
  int64_t getWeightStreamingBudgetV2() const override { return 0; }
  int64_t getWeightStreamingAutomaticBudget() const override { return 0; }
  int64_t getWeightStreamingScratchMemorySize() const override { return 0; }

  nvinfer1::IHostMemory* serialize() const override;
  nvinfer1::ISerializationConfig* createSerializationConfig() override;
  nvinfer1::IHostMemory* serializeWithConfig(nvinfer1::ISerializationConfig& config) const override;
  nvinfer1::IExecutionContext* createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy strategy) override;
  nvinfer1::IExecutionContext* createExecutionContext(nvinfer1::IRuntimeConfig* config) override;
  nvinfer1::IExecutionContext* createExecutionContextWithoutDeviceMemory() override;
  nvinfer1::IRuntimeConfig* createRuntimeConfig() override;
  nvinfer1::IEngineInspector* createEngineInspector() const override;
  void destroy() override { delete this; }

  int io_at(char const* name) const { return plan()->io_at(name); }
  int io_of_binding(int32_t index, int* profile = nullptr) const { return plan()->io_of_binding(index, profile); }

 private:
  bool has(char const* name) const { return plan()->find(name) >= 0; }
  const Io& io(int index) const { return shared_->ios[static_cast<size_t>(index)]; }
  nvinfer1::Dims profile_dims(int index, int profile, nvinfer1::OptProfileSelector select) const;
  const ShapeValues& values_of(int index, int profile) const;
  int profile_index(int profile) const;
  bool has_in_profile(const char* call, char const* name, int profile) const;  // a line in the log where it has not

  std::shared_ptr<SharedPlan> shared_;
  std::shared_ptr<EngineDevice> device_;
  Reporter reporter_;
  std::vector<std::string> binding_names_;  // of all profiles
};

}  // namespace planish::tensorrt
