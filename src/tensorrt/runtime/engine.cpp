#include "tensorrt/runtime/engine.h"

#include <algorithm>

#include "tensorrt/runtime/context.h"
#include "tensorrt/runtime/enums.h"
#include "tensorrt/runtime/inspector.h"

namespace planish::tensorrt {
namespace {

class SerializationConfig final : public nvinfer1::ISerializationConfig {
 public:
  explicit SerializationConfig(const Reporter& reporter) : reporter_(reporter) {}
  bool setFlags(nvinfer1::SerializationFlags flags) override { return flags_ = flags, true; }
  nvinfer1::SerializationFlags getFlags() const override { return flags_; }
  bool clearFlag(nvinfer1::SerializationFlag flag) override {
    return reporter_.guard("clearFlag", false, [&] { return flags_ &= ~bit_of(flag), true; });
  }
  bool setFlag(nvinfer1::SerializationFlag flag) override {
    return reporter_.guard("setFlag", false, [&] { return flags_ |= bit_of(flag), true; });
  }
  bool getFlag(nvinfer1::SerializationFlag flag) const override {
    return reporter_.guard("getFlag", false, [&] { return (flags_ & bit_of(flag)) != 0; });
  }

 private:
  Reporter reporter_;
  nvinfer1::SerializationFlags flags_ = 0;
};

class RuntimeConfig final : public nvinfer1::IRuntimeConfig {
 public:
  explicit RuntimeConfig(const Reporter& reporter) : reporter_(reporter) {}
  void setExecutionContextAllocationStrategy(nvinfer1::ExecutionContextAllocationStrategy strategy) override {
    reporter_.guard("setExecutionContextAllocationStrategy", [&] { strategy_ = known(strategy); });
  }
  nvinfer1::ExecutionContextAllocationStrategy getExecutionContextAllocationStrategy() const override {
    return strategy_;
  }

 private:
  Reporter reporter_;
  nvinfer1::ExecutionContextAllocationStrategy strategy_ = nvinfer1::ExecutionContextAllocationStrategy::kSTATIC;
};

}  // namespace

EngineImpl::EngineImpl(std::shared_ptr<const LoadedPlan> plan, std::shared_ptr<EngineDevice> device,
                       const Reporter& reporter)
    : EngineImpl(std::make_shared<SharedPlan>(std::move(plan)), std::move(device),
                 Reporter(reporter.logger(), reporter.recorder())) {
  shared_->engine = this;
}

EngineImpl::~EngineImpl() {
  const EngineImpl* self = this;
  shared_->engine.compare_exchange_strong(self, nullptr);
}

EngineImpl::EngineImpl(std::shared_ptr<SharedPlan> shared, std::shared_ptr<EngineDevice> device,
                       const Reporter& reporter)
    : shared_(std::move(shared)), device_(std::move(device)), reporter_(reporter) {
  for (int profile = 0, count = plan()->profile_count(); profile < count; ++profile)
    for (const Io& io : shared_->ios)
      binding_names_.push_back(profile == 0 ? io.name : io.name + " [profile " + std::to_string(profile) + "]");
}

SharedPlan::SharedPlan(std::shared_ptr<const LoadedPlan> first)
    : ios(first->ios()),
      name(first->name()),
      shape_table(first->shape_table()),
      session(first->session()),
      plan_(std::move(first)) {
  session->add_engine();
}

std::shared_ptr<const LoadedPlan> SharedPlan::get() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

void SharedPlan::exchange(std::shared_ptr<const LoadedPlan> plan) {
  const std::lock_guard lock(mutex_);
  plan_.swap(plan);
  exchanges_.fetch_add(1, std::memory_order_release);
}

int EngineImpl::profile_index(int profile) const {
  if (profile < 0 || profile >= plan()->profile_count())
    refuse("profile " + std::to_string(profile) + " of " + std::to_string(plan()->profile_count()));
  return profile;
}

bool EngineImpl::has_in_profile(const char* call, char const* name, int profile) const {
  return reporter_.guard(call, false, [&] { return io_at(name), profile_index(profile), true; });
}

char const* EngineImpl::getIOTensorName(int32_t index) const {
  return reporter_.guard("getIOTensorName", static_cast<char const*>(nullptr), [&] {
    if (index < 0 || index >= getNbIOTensors())
      refuse("tensor " + std::to_string(index) + " of " + std::to_string(getNbIOTensors()));
    return binding_names_[static_cast<size_t>(index)].c_str();
  });
}

nvinfer1::Dims EngineImpl::getTensorShape(char const* name) const {
  return reporter_.guard("getTensorShape", no_dims(), [&] { return dims_of(plan()->shown(io(io_at(name)).extents)); });
}

nvinfer1::DataType EngineImpl::getTensorDataType(char const* name) const {
  return reporter_.guard("getTensorDataType", nvinfer1::DataType::kFLOAT, [&] { return io(io_at(name)).type; });
}

nvinfer1::TensorLocation EngineImpl::getTensorLocation(char const* name) const {
  return isShapeInferenceIO(name) ? nvinfer1::TensorLocation::kHOST : nvinfer1::TensorLocation::kDEVICE;
}

bool EngineImpl::isShapeInferenceIO(char const* name) const {
  return reporter_.guard("isShapeInferenceIO", false, [&] { return plan()->shape_values(io_at(name), 0) != nullptr; });
}

nvinfer1::TensorIOMode EngineImpl::getTensorIOMode(char const* name) const {
  const int index = plan()->find(name);
  if (index < 0) return nvinfer1::TensorIOMode::kNONE;
  return io(index).is_input ? nvinfer1::TensorIOMode::kINPUT : nvinfer1::TensorIOMode::kOUTPUT;
}

int32_t EngineImpl::getTensorBytesPerComponent(char const* name) const {
  return reporter_.guard("getTensorBytesPerComponent", int32_t{-1},
                         [&] { return static_cast<int32_t>(io(io_at(name)).element_bytes); });
}

int32_t EngineImpl::getTensorBytesPerComponent(char const* name, int32_t profile) const {
  return has_in_profile("getTensorBytesPerComponent", name, profile) ? getTensorBytesPerComponent(name) : -1;
}

int32_t EngineImpl::getTensorComponentsPerElement(char const* name, int32_t profile) const {
  return has_in_profile("getTensorComponentsPerElement", name, profile) ? 1 : -1;
}

nvinfer1::TensorFormat EngineImpl::getTensorFormat(char const* name, int32_t profile) const {
  has_in_profile("getTensorFormat", name, profile);
  return nvinfer1::TensorFormat::kLINEAR;
}

char const* EngineImpl::getTensorFormatDesc(char const* name, int32_t profile) const {
  return has_in_profile("getTensorFormatDesc", name, profile) ? getTensorFormatDesc(name) : "";
}

int32_t EngineImpl::getTensorVectorizedDim(char const* name, int32_t profile) const {
  has_in_profile("getTensorVectorizedDim", name, profile);
  return -1;
}

char const* EngineImpl::getTensorFormatDesc(char const* name) const {
  return reporter_.guard("getTensorFormatDesc", "", [&] {
    return io(io_at(name)).type == nvinfer1::DataType::kFLOAT ? "Row major linear FP32 format (kLINEAR)"
                                                              : "Row major linear format (kLINEAR)";
  });
}

nvinfer1::Dims EngineImpl::profile_dims(int index, int profile, nvinfer1::OptProfileSelector select) const {
  const Range range = plan()->range(index, profile_index(profile));
  using nvinfer1::OptProfileSelector;
  return dims_of(plan()->shown(known(select) == OptProfileSelector::kMIN ? range.min
                               : select == OptProfileSelector::kOPT      ? range.opt
                                                                         : range.max));
}

const ShapeValues& EngineImpl::values_of(int index, int profile) const {
  const auto at = shared_->shape_table->find({index, profile_index(profile)});
  if (at == shared_->shape_table->end()) refuse("'" + io(index).name + "' is no input of extents");
  return at->second;
}

nvinfer1::Dims EngineImpl::getProfileShape(char const* name, int32_t profile,
                                           nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("getProfileShape", no_dims(), [&] { return profile_dims(io_at(name), profile, select); });
}

int32_t const* EngineImpl::getProfileTensorValues(char const* name, int32_t profile,
                                                  nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("getProfileTensorValues", static_cast<int32_t const*>(nullptr), [&] {
    return values_of(io_at(name), profile).narrow[static_cast<size_t>(known(select))].data();
  });
}

int64_t const* EngineImpl::getProfileTensorValuesV2(char const* name, int32_t profile,
                                                    nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("getProfileTensorValuesV2", static_cast<int64_t const*>(nullptr), [&] {
    return values_of(io_at(name), profile).values[static_cast<size_t>(known(select))].data();
  });
}

int64_t EngineImpl::getDeviceMemorySizeV2() const {
  int64_t most = 0;
  for (int profile = 0; profile < plan()->profile_count(); ++profile)
    most = std::max(most, getDeviceMemorySizeForProfileV2(profile));
  return most;
}

int64_t EngineImpl::getDeviceMemorySizeForProfileV2(int32_t profile) const {
  return reporter_.guard("getDeviceMemorySizeForProfile", int64_t{0},
                         [&] { return plan()->arena_bytes(profile_index(profile)); });
}

int64_t EngineImpl::getEngineStat(nvinfer1::EngineStat stat) const {
  return reporter_.guard("getEngineStat", int64_t{-1}, [&] {
    return known(stat) == nvinfer1::EngineStat::kTOTAL_WEIGHTS_SIZE ? plan()->constant_bytes()
                                                                    : plan()->stripped_bytes();
  });
}

bool EngineImpl::setWeightStreamingBudgetV2(int64_t) {
  reporter_.say_once(Severity::kWARNING, "weights are not streamed here: all of them stay in memory");
  return false;
}

nvinfer1::IHostMemory* EngineImpl::serialize() const {
  return reporter_.guard("serialize", static_cast<nvinfer1::IHostMemory*>(nullptr), [&]() -> nvinfer1::IHostMemory* {
    const auto now = plan();
    return new HostMemory(now->stripped_bytes() > 0 ? squeezed(now->blob()) : now->blob());
  });
}

nvinfer1::ISerializationConfig* EngineImpl::createSerializationConfig() {
  return reporter_.guard("createSerializationConfig", static_cast<nvinfer1::ISerializationConfig*>(nullptr),
                         [&]() -> nvinfer1::ISerializationConfig* { return new SerializationConfig(reporter_); });
}

// With its weights a plan stays refittable only where kINCLUDE_REFIT asks for it.
nvinfer1::IHostMemory* EngineImpl::serializeWithConfig(nvinfer1::ISerializationConfig& config) const {
  using nvinfer1::SerializationFlag;
  return reporter_.guard("serializeWithConfig", static_cast<nvinfer1::IHostMemory*>(nullptr),
                         [&]() -> nvinfer1::IHostMemory* {
                           const auto now = plan();
                           const Blob& blob = now->blob();
                           if (now->stripped_bytes() > 0) return serialize();
                           if (config.getFlag(SerializationFlag::kEXCLUDE_WEIGHTS)) {
                             if (!isRefittable())
                               throw Error(Code::invalid_state, "the engine is not refittable: it keeps its weights");
                             if (strip_weights == nullptr)
                               throw Error(Code::unsupported, "weights are left out where the builder is linked");
                             return new HostMemory(strip_weights(blob));
                           }
                           if (config.getFlag(SerializationFlag::kINCLUDE_REFIT)) return serialize();
                           return new HostMemory(Blob{blob.data, plan_bytes(blob)});
                         });
}

nvinfer1::IExecutionContext* EngineImpl::createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy strategy) {
  return reporter_.guard("createExecutionContext", static_cast<nvinfer1::IExecutionContext*>(nullptr),
                         [&]() -> nvinfer1::IExecutionContext* {
                           auto made = std::make_unique<ContextImpl>(*this, device_, known(strategy));
                           made->open();
                           return made.release();
                         });
}

nvinfer1::IExecutionContext* EngineImpl::createExecutionContext(nvinfer1::IRuntimeConfig* config) {
  return createExecutionContext(config == nullptr ? nvinfer1::ExecutionContextAllocationStrategy::kSTATIC
                                                  : config->getExecutionContextAllocationStrategy());
}

nvinfer1::IExecutionContext* EngineImpl::createExecutionContextWithoutDeviceMemory() {
  return createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED);
}

nvinfer1::IRuntimeConfig* EngineImpl::createRuntimeConfig() {
  return reporter_.guard("createRuntimeConfig", static_cast<nvinfer1::IRuntimeConfig*>(nullptr),
                         [&]() -> nvinfer1::IRuntimeConfig* { return new RuntimeConfig(reporter_); });
}

nvinfer1::IEngineInspector* EngineImpl::createEngineInspector() const {
  return reporter_.guard("createEngineInspector", static_cast<nvinfer1::IEngineInspector*>(nullptr),
                         [&]() -> nvinfer1::IEngineInspector* { return new InspectorImpl(plan(), reporter_); });
}

}  // namespace planish::tensorrt
