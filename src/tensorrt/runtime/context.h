#pragma once
// IExecutionContext over a runner.

#include <atomic>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tensorrt/runtime/engine.h"
#include "tensorrt/runtime/enums.h"
#include "tensorrt/runtime/runner.h"

namespace planish::tensorrt {

class ContextImpl final : public nvinfer1::IExecutionContext {
 public:
  ContextImpl(const EngineImpl& engine, std::shared_ptr<EngineDevice> device,
              nvinfer1::ExecutionContextAllocationStrategy strategy);
  // Makes what profile 0 needs, where memory is not the caller's affair.
  void open() { open(profile_); }

  bool setInputShape(char const* name, nvinfer1::Dims const& dims) override;
  nvinfer1::Dims getTensorShape(char const* name) const override;
  nvinfer1::Dims getTensorStrides(char const* name) const override;
  bool setTensorAddress(char const* name, void* data) override;
  void const* getTensorAddress(char const* name) const override;
  bool setInputTensorAddress(char const* name, void const* data) override;
  bool setOutputTensorAddress(char const* name, void* data) override;
  void* getOutputTensorAddress(char const* name) const override;
  bool setOutputAllocator(char const* name, nvinfer1::IOutputAllocator* allocator) override;
  nvinfer1::IOutputAllocator* getOutputAllocator(char const* name) const override;
  int64_t getMaxOutputSize(char const* name) const override;
  int32_t inferShapes(int32_t most, char const** names) override;
  bool enqueueV3(cudaStream_t stream) override;

  bool setBindingDimensions(int32_t index, nvinfer1::Dims dims) override;
  nvinfer1::Dims getBindingDimensions(int32_t index) const override;
  nvinfer1::Dims getStrides(int32_t index) const override;
  bool setInputShapeBinding(int32_t index, int32_t const* data) override;
  bool getShapeBinding(int32_t index, int32_t* data) const override;
  bool execute(int32_t batch, void* const* bindings) override;
  bool enqueue(int32_t batch, void* const* bindings, cudaStream_t stream, cudaEvent_t* consumed) override;
  bool executeV2(void* const* bindings) override;
  bool enqueueV2(void* const* bindings, cudaStream_t stream, cudaEvent_t* consumed) override;

  bool allInputDimensionsSpecified() const override;
  bool allInputShapesSpecified() const override;
  bool setOptimizationProfile(int32_t profile) override;
  bool setOptimizationProfileAsync(int32_t profile, cudaStream_t) override { return setOptimizationProfile(profile); }
  int32_t getOptimizationProfile() const override { return profile_; }

  // The engine that made it; behind its end, one that is like it.
  nvinfer1::ICudaEngine const& getEngine() const override;
  void setName(char const* name) override { name_ = name == nullptr ? "" : name; }
  char const* getName() const override { return name_.c_str(); }
  void setDebugSync(bool sync) override { debug_sync_ = sync; }
  bool getDebugSync() const override { return debug_sync_; }
  void setProfiler(nvinfer1::IProfiler* profiler) override;
  nvinfer1::IProfiler* getProfiler() const override { return profiler_; }
  void setEnqueueEmitsProfile(bool emits) override { emits_profile_ = emits; }
  bool getEnqueueEmitsProfile() const override { return emits_profile_; }
  bool reportToProfiler() const override;
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { reporter_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return reporter_.recorder(); }
  bool setNvtxVerbosity(nvinfer1::ProfilingVerbosity verbosity) override {
    return reporter_.guard("setNvtxVerbosity", false, [&] { return nvtx_ = known(verbosity), true; });
  }
  nvinfer1::ProfilingVerbosity getNvtxVerbosity() const override { return nvtx_; }
  nvinfer1::IRuntimeConfig* getRuntimeConfig() const override { return nullptr; }

  void setDeviceMemory(void* memory) override;
  void setDeviceMemoryV2(void* memory, int64_t size) override;
  size_t updateDeviceMemorySizeForShapes() override;
  bool setInputConsumedEvent(cudaEvent_t event) override { return consumed_ = event, true; }
  cudaEvent_t getInputConsumedEvent() const override { return consumed_; }
  void setAuxStreams(cudaStream_t*, int32_t) override {}
  bool setTemporaryStorageAllocator(nvinfer1::IGpuAllocator* allocator) override { return storage_ = allocator, true; }
  nvinfer1::IGpuAllocator* getTemporaryStorageAllocator() const override { return storage_; }
  void setPersistentCacheLimit(size_t size) override { cache_limit_ = size; }
  size_t getPersistentCacheLimit() const override { return cache_limit_; }
  bool setCommunicator(void*) override { return false; }

  bool setDebugListener(nvinfer1::IDebugListener* listener) override;  // false for one: there are no debug tensors
  nvinfer1::IDebugListener* getDebugListener() override { return nullptr; }
  bool setTensorDebugState(char const*, bool) override { return false; }
  bool setAllTensorsDebugState(bool) override { return true; }
  bool getDebugState(char const*) const override { return false; }
  bool setUnfusedTensorsDebugState(bool) override { return false; }
  bool getUnfusedTensorsDebugState() const override { return false; }
  void destroy() override { delete this; }

 private:
  using LayerTimes = std::vector<std::pair<std::string, double>>;

  void open(int profile);
  const Io& io(int index) const { return plan_->ios()[static_cast<size_t>(index)]; }
  void set_shape(int index, const Extents& shown);
  Extents shape(int index) const;  // of any tensor for the shapes that were set; -1: not known yet
  bool complete() const;           // all inputs have their extents
  void require_complete() const;
  void require_addresses() const;
  LayerTimes take_times() const;
  void set_batch(int32_t batch);
  void check_explicit_batch(int32_t batch) const;
  void take_bindings(void* const* bindings);
  int own_binding(int32_t index) const;  // its tensor; Error: it belongs to another profile
  // Inputs of extents: their values lie in the caller's memory, or setInputShapeBinding gave them.
  struct GivenValues {
    int input;
    std::vector<int64_t> values;  // empty: none were given
  };
  GivenValues* values_of(int input);  // null: no input of extents
  void set_address(int index, void* data);
  std::vector<int64_t> values_at(const GivenValues& given) const;  // as they are now; Error: there are none
  void check_values(const GivenValues& given, const std::vector<int64_t>& values) const;
  void read_values();  // for this execution: the memory is the caller's again when it is enqueued
  // One thread at a time gives addresses and runs; Error(invalid_state): another one does.
  class Turn {
   public:
    explicit Turn(std::atomic_flag& taken) : taken_(taken) {
      if (taken_.test_and_set(std::memory_order_acquire))
        throw Error(Code::invalid_state, "another thread executes this context; each has one of its own");
    }
    ~Turn() { taken_.clear(std::memory_order_release); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::atomic_flag& taken_;
  };
  void start(cudaStream_t stream, bool wait);
  void put(cudaStream_t stream, bool wait);
  void follow_engine();  // to the plan that it was refitted with
  nvinfer1::Dims strides(int index) const;

  mutable std::once_flag engine_gone_;
  mutable std::unique_ptr<EngineImpl> stand_in_;
  std::shared_ptr<SharedPlan> shared_;
  uint32_t exchanges_;  // of the engine's plan, when plan_ was taken
  std::shared_ptr<const LoadedPlan> plan_;
  std::shared_ptr<EngineDevice> device_;
  Reporter reporter_;
  nvinfer1::ExecutionContextAllocationStrategy strategy_;
  std::string name_;
  int profile_ = 0;
  void* memory_ = nullptr;     // kUSER_MANAGED: what the caller gave
  int64_t memory_bytes_ = -1;  // -1: nothing yet
  std::atomic_flag taken_ = ATOMIC_FLAG_INIT;
  Snapshot now_;
  mutable Shapes complete_;  // the last that were found so
  std::vector<GivenValues> given_;
  bool values_run_ = false;  // the last execution had the values that hold now
  nvinfer1::IProfiler* profiler_ = nullptr;
  nvinfer1::IGpuAllocator* storage_ = nullptr;
  nvinfer1::ProfilingVerbosity nvtx_ = nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY;
  cudaEvent_t consumed_ = nullptr;
  size_t cache_limit_ = 0;
  bool debug_sync_ = false, emits_profile_ = true;
  mutable std::mutex times_mutex_;  // a graph that was captured runs on whatever stream it is launched in
  mutable LayerTimes times_;        // of the last execution
  mutable Runner runner_;           // last: it waits for what uses the rest
};

}  // namespace planish::tensorrt
