#pragma once
// IBuilder.

#include <memory>

#include "tensorrt/build/config.h"
#include "tensorrt/build/network.h"
#include "tensorrt/runtime/engine_device.h"
#include "tensorrt/runtime/memory.h"

namespace planish::tensorrt {

class BuilderImpl final : public nvinfer1::IBuilder {
 public:
  explicit BuilderImpl(nvinfer1::ILogger* logger) : reporter_(logger), own_(reporter_) {}

  nvinfer1::INetworkDefinition* createNetworkV2(nvinfer1::NetworkDefinitionCreationFlags flags) override;
  nvinfer1::IBuilderConfig* createBuilderConfig() override;
  nvinfer1::IOptimizationProfile* createOptimizationProfile() override;
  nvinfer1::IHostMemory* buildSerializedNetwork(nvinfer1::INetworkDefinition& network,
                                                nvinfer1::IBuilderConfig& config) override;
  nvinfer1::IHostMemory* buildSerializedNetwork(nvinfer1::INetworkDefinition& network, nvinfer1::IBuilderConfig& config,
                                                nvinfer1::IHostMemory*& kernel_text) override;
  bool buildSerializedNetworkToStream(nvinfer1::INetworkDefinition& network, nvinfer1::IBuilderConfig& config,
                                      nvinfer1::IStreamWriter& writer) override;
  nvinfer1::ICudaEngine* buildEngineWithConfig(nvinfer1::INetworkDefinition& network,
                                               nvinfer1::IBuilderConfig& config) override;
  bool isNetworkSupported(nvinfer1::INetworkDefinition const& network,
                          nvinfer1::IBuilderConfig const& config) const override;

  bool platformHasFastFp16() const override;
  bool platformHasFastInt8() const override { return true; }
  bool platformHasTf32() const override { return true; }
  int32_t getMaxDLABatchSize() const override { return 0; }
  int32_t getNbDLACores() const override { return 0; }
  void setGpuAllocator(nvinfer1::IGpuAllocator* allocator) override { allocator_ = allocator; }
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }
  nvinfer1::ILogger* getLogger() const override { return reporter_.logger(); }
  bool setMaxThreads(int32_t threads) override;
  int32_t getMaxThreads() const override { return threads_; }
  nvinfer1::IPluginRegistry& getPluginRegistry() override;
  void reset() override;

  nvinfer1::INetworkDefinition* createNetwork() override { return createNetworkV2(0); }
  nvinfer1::ICudaEngine* buildCudaEngine(nvinfer1::INetworkDefinition& network) override {
    return buildEngineWithConfig(network, own_);
  }
  void reset(nvinfer1::INetworkDefinition&) override { reset(); }
  void setMaxBatchSize(int32_t batch) override;
  int32_t getMaxBatchSize() const override { return max_batch_; }
  void setMaxWorkspaceSize(size_t bytes) override { own_.setMaxWorkspaceSize(bytes); }
  size_t getMaxWorkspaceSize() const override { return own_.getMaxWorkspaceSize(); }
  void setHalf2Mode(bool on) override { flag(nvinfer1::BuilderFlag::kFP16, on); }
  bool getHalf2Mode() const override { return own_.getFlag(nvinfer1::BuilderFlag::kFP16); }
  void setFp16Mode(bool on) override { flag(nvinfer1::BuilderFlag::kFP16, on); }
  bool getFp16Mode() const override { return own_.getFlag(nvinfer1::BuilderFlag::kFP16); }
  void setInt8Mode(bool on) override { flag(nvinfer1::BuilderFlag::kINT8, on); }
  bool getInt8Mode() const override { return own_.getFlag(nvinfer1::BuilderFlag::kINT8); }
  void setInt8Calibrator(nvinfer1::IInt8Calibrator* calibrator) override { own_.setInt8Calibrator(calibrator); }
  void setDebugSync(bool sync) override { flag(nvinfer1::BuilderFlag::kDEBUG, sync); }
  bool getDebugSync() const override { return own_.getFlag(nvinfer1::BuilderFlag::kDEBUG); }
  void setMinFindIterations(int32_t n) override { own_.setMinTimingIterations(n); }
  int32_t getMinFindIterations() const override { return own_.getMinTimingIterations(); }
  void setAverageFindIterations(int32_t n) override { own_.setAvgTimingIterations(n); }
  int32_t getAverageFindIterations() const override { return own_.getAvgTimingIterations(); }
  void setDeviceType(nvinfer1::ILayer* layer, nvinfer1::DeviceType type) override { own_.setDeviceType(layer, type); }
  nvinfer1::DeviceType getDeviceType(nvinfer1::ILayer const*) const override { return nvinfer1::DeviceType::kGPU; }
  bool isDeviceTypeSet(nvinfer1::ILayer const*) const override { return false; }
  void resetDeviceType(nvinfer1::ILayer*) override {}
  bool canRunOnDLA(nvinfer1::ILayer const*) const override { return false; }
  void setDefaultDeviceType(nvinfer1::DeviceType type) override { own_.setDefaultDeviceType(type); }
  nvinfer1::DeviceType getDefaultDeviceType() const override { return nvinfer1::DeviceType::kGPU; }
  void allowGPUFallback(bool on) override { flag(nvinfer1::BuilderFlag::kGPU_FALLBACK, on); }
  void setDLACore(int32_t core) override { own_.setDLACore(core); }
  int32_t getDLACore() const override { return -1; }
  void setStrictTypeConstraints(bool on) override { flag(nvinfer1::BuilderFlag::kSTRICT_TYPES, on); }
  bool getStrictTypeConstraints() const override { return own_.getFlag(nvinfer1::BuilderFlag::kSTRICT_TYPES); }
  void setRefittable(bool on) override { flag(nvinfer1::BuilderFlag::kREFIT, on); }
  bool getRefittable() const override { return own_.getFlag(nvinfer1::BuilderFlag::kREFIT); }
  void setEngineCapability(nvinfer1::EngineCapability capability) override { own_.setEngineCapability(capability); }
  nvinfer1::EngineCapability getEngineCapability() const override { return own_.getEngineCapability(); }
  void destroy() override { delete this; }

 private:
  void flag(nvinfer1::BuilderFlag which, bool on) { on ? own_.setFlag(which) : own_.clearFlag(which); }
  Blob build(NetworkImpl& network, const ConfigImpl& config) const;
  Blob build_tuned(NetworkImpl& network, const ConfigImpl& config, const Network& whole, BuildOptions& options,
                   const EngineDevice& device) const;
  void say_precisions(const NetworkImpl& network, const ConfigImpl& config, bool on_gpu) const;
  std::shared_ptr<EngineDevice> device() const;  // to build for

  Reporter reporter_;
  ConfigImpl own_;  // of versions 3 to 7
  std::vector<std::shared_ptr<ProfileImpl>> profiles_;
  nvinfer1::IGpuAllocator* allocator_ = nullptr;
  int32_t max_batch_ = 1, threads_ = 0;
};

}  // namespace planish::tensorrt
