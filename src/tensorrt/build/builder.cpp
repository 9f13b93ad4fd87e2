#include "tensorrt/build/builder.h"

#include <algorithm>
#include <optional>

#include "tensorrt/build/algorithms.h"
#include "tensorrt/build/calibration.h"
#include "tensorrt/build/layer.h"
#include "tensorrt/build/plan_build.h"
#include "tensorrt/runtime/loaded_plan.h"
#include "tensorrt/runtime/plugin_adapter.h"
#include "tensorrt/runtime/registry.h"
#include "tensorrt/runtime/runtime.h"

namespace planish::tensorrt {
namespace {

// A build's phases as a monitor hears of them.
class Progress {
 public:
  Progress(nvinfer1::IProgressMonitor* monitor, const Reporter& reporter) : monitor_(monitor), reporter_(reporter) {}
  ~Progress() { finish(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool step(const BuildProgress& progress) {
    if (progress.phase != phase_) {
      finish();
      phase_ = progress.phase;
      monitor_->phaseStart(phase_.c_str(), nullptr, progress.total);
    }
    return monitor_->stepComplete(phase_.c_str(), progress.done);
  }

 private:
  void finish() {
    if (!phase_.empty()) reporter_.guard("phaseFinish", [&] { monitor_->phaseFinish(phase_.c_str()); });
    phase_.clear();
  }
  nvinfer1::IProgressMonitor* monitor_;
  const Reporter& reporter_;
  std::string phase_;
};

bool refittable(const ConfigImpl& config) {
  using nvinfer1::BuilderFlag;
  for (BuilderFlag flag :
       {BuilderFlag::kREFIT, BuilderFlag::kREFIT_IDENTICAL, BuilderFlag::kREFIT_INDIVIDUAL, BuilderFlag::kSTRIP_PLAN})
    if (config.getFlag(flag)) return true;
  return false;
}

// Quantised by layers of its own.
bool is_explicit(const NetworkImpl& network) {
  const auto& layers = network.layers();
  return std::any_of(layers.begin(), layers.end(),
                     [](const auto& layer) { return layer->type == nvinfer1::LayerType::kQUANTIZE; });
}

// Nodes of layers that setPrecision keeps from int8.
std::vector<std::string> wider_nodes(const NetworkImpl& network, const Network& whole) {
  std::vector<std::string> names;
  for (const auto& layer : network.layers())
    if (layer->precision_set && layer->precision != nvinfer1::DataType::kINT8)
      for (const Node& node : layer->nodes)
        if (const std::string op = whole.op(node); op == "conv" || op == "matmul" || op == "gemm")
          names.push_back(whole.name(node));
  return names;
}

// Every profile says what every dynamic input may be.
void require_profiles(const NetworkImpl& network, const std::vector<InputRanges>& profiles) {
  for (const auto& input : network.inputs()) {
    if (network.implicit() || std::count(input->extents.begin(), input->extents.end(), -1) == 0) continue;
    const std::string found = "input '" + input->name + "' has dynamic dimensions (" + text_of(input->extents) + ")";
    if (profiles.empty())
      refuse(found + " and there is no optimization profile; createOptimizationProfile, setDimensions of kMIN, kOPT " +
             "and kMAX and addOptimizationProfile give one");
    for (size_t i = 0; i < profiles.size(); ++i)
      if (std::none_of(profiles[i].begin(), profiles[i].end(),
                       [&](const InputRange& range) { return range.input == input->name; }))
        refuse(found + ", and profile " + std::to_string(i) + " does not set them");
  }
}

Tuning tuning_of(int32_t level) { return level <= 0 ? Tuning::off : level >= 5 ? Tuning::full : Tuning::fast; }

}  // namespace

nvinfer1::INetworkDefinition* BuilderImpl::createNetworkV2(nvinfer1::NetworkDefinitionCreationFlags flags) {
  return reporter_.guard("createNetwork", static_cast<nvinfer1::INetworkDefinition*>(nullptr),
                         [&]() -> nvinfer1::INetworkDefinition* {
                           const bool implicit = PLANISH_TENSORRT_LAYOUT < 10 && (flags & 1U) == 0;
                           return new NetworkImpl(*this, reporter_, flags, implicit);
                         });
}

nvinfer1::IBuilderConfig* BuilderImpl::createBuilderConfig() {
  return reporter_.guard("createBuilderConfig", static_cast<nvinfer1::IBuilderConfig*>(nullptr),
                         [&]() -> nvinfer1::IBuilderConfig* { return new ConfigImpl(reporter_); });
}

// Profiles belong to the builder.
nvinfer1::IOptimizationProfile* BuilderImpl::createOptimizationProfile() {
  return reporter_.guard("createOptimizationProfile", static_cast<nvinfer1::IOptimizationProfile*>(nullptr),
                         [&]() -> nvinfer1::IOptimizationProfile* {
                           profiles_.push_back(std::make_shared<ProfileImpl>(reporter_));
                           return profiles_.back().get();
                         });
}

bool BuilderImpl::setMaxThreads(int32_t threads) {
  if (threads < 1) return false;
  threads_ = threads;
  return true;
}

void BuilderImpl::setMaxBatchSize(int32_t batch) {
  if (batch < 1)
    return reporter_.error(nvinfer1::ErrorCode::kINVALID_ARGUMENT,
                           "setMaxBatchSize: a batch of " + std::to_string(batch));
  max_batch_ = batch;
}

nvinfer1::IPluginRegistry& BuilderImpl::getPluginRegistry() { return plugin_registry(); }

void BuilderImpl::reset() {
  own_.reset();
  max_batch_ = 1;
}

bool BuilderImpl::platformHasFastFp16() const { return preferred_device() != "cpu"; }

// The GPU where there is one, and a compiler for it.
std::shared_ptr<EngineDevice> BuilderImpl::device() const {
  auto found = make_device(reporter_, preferred_device() == "cpu" ? nullptr : allocator_, threads_);
  if (planish_device_check_build(found->handle()) == PLANISH_OK) return found;
  reporter_.say_once(Severity::kWARNING, std::string("plans are built for the processor: ") + planish_last_error());
  return std::make_shared<EngineDevice>("cpu", nullptr, threads_);
}

// What the flags ask for and what is done.
void BuilderImpl::say_precisions(const NetworkImpl& network, const ConfigImpl& config, bool on_gpu) const {
  using nvinfer1::BuilderFlag;
  if (config.getFlag(BuilderFlag::kFP16) && !on_gpu)
    reporter_.say_once(Severity::kINFO, "kFP16: this device computes in fp32, which is at least as exact");
  if (!config.getFlag(BuilderFlag::kINT8)) return;
  if (config.getInt8Calibrator() != nullptr && is_explicit(network))
    reporter_.warn("the network has quantise layers: the calibrator is not asked");
}

Blob BuilderImpl::build(NetworkImpl& network, const ConfigImpl& config) const {
  const PluginSession::Scope scope(*network.plugins);
  const auto device = this->device();
  say_precisions(network, config, device->on_gpu());
  Network whole = network.finish();
  BuildOptions options;
  options.device = &device->device();
  options.fp16 = device->on_gpu() && config.getFlag(nvinfer1::BuilderFlag::kFP16);
  options.threads = threads_;
  options.tuning = tuning_of(config.getBuilderOptimizationLevel());
  options.tf32 = config.getFlag(nvinfer1::BuilderFlag::kTF32);
  options.bf16 = config.getFlag(nvinfer1::BuilderFlag::kBF16);
  options.notes = {{kNoteName, network.getName()},
                   {kNoteVerbosity, std::to_string(static_cast<int>(config.getProfilingVerbosity()))}};
  std::string values;
  for (size_t i = 0; i < config.profiles().size(); ++i) {
    options.profiles.push_back(config.profiles()[i]->ranges());
    values += config.profiles()[i]->shape_values_note(static_cast<int>(i));
  }
  require_profiles(network, options.profiles);
  if (!values.empty()) options.notes.emplace_back(kNoteShapeValues, values);
  if (network.implicit()) {
    options.profiles.clear();
    const int64_t fixed = network.fixed_batch();
    if (fixed != 0 && fixed != max_batch_)
      reporter_.warn("the model fixes the batch at " + std::to_string(fixed) + ", which becomes the largest batch");
    options.notes.emplace_back(kNoteMaxBatch, std::to_string(fixed == 0 ? max_batch_ : fixed));
    if (fixed == 0 && !network.inputs().empty())
      whole.set_range(NetworkImpl::batch_symbol(), 1, max_batch_, max_batch_);
  }
  if (config.getFlag(nvinfer1::BuilderFlag::kINT8) && !is_explicit(network)) {
    name_values(network, whole);
    const Ranges ranges = ranges_of(network, config, whole, *device);
    options.calibration = ranges.table;
    options.calibration_partial = ranges.partial;
    if (ranges.table.empty())
      reporter_.warn(
          "kINT8: the network has no quantise layers, and neither a calibrator nor dynamic ranges say what its ranges "
          "are; all of its layers stay in fp32");
    else
      options.fp32_layers = wider_nodes(network, whole);
  }
  Progress progress(config.getProgressMonitor(), reporter_);
  if (config.getProgressMonitor() != nullptr)
    options.progress = [&](const BuildProgress& step) { return progress.step(step); };
  return build_tuned(network, config, whole, options, *device);
}

// With the caller's timing cache, log of tactics and choice of them.
Blob BuilderImpl::build_tuned(NetworkImpl& network, const ConfigImpl& config, const Network& whole,
                              BuildOptions& options, const EngineDevice& device) const {
  using nvinfer1::BuilderFlag;
  nvinfer1::IAlgorithmSelector* selector = config.getAlgorithmSelector();
  std::string timings = config.cache() == nullptr ? "" : config.cache()->bytes;
  std::string* const used = config.cache() == nullptr && selector == nullptr ? nullptr : &timings;
  const auto keep = [&] {
    if (config.cache() != nullptr) config.cache()->bytes = timings;
  };
  TacticLog tactics;
  if (config.getFlag(BuilderFlag::kEDITABLE_TIMING_CACHE) || selector != nullptr) {
    options.timings_by_name = true;
    options.candidates = [&](const CandidateReport& report) { tactics.add(report); };
  }
  // What the selector chose holds for this build: the caller's cache has what was measured before.
  std::optional<Selection> selection;
  if (selector != nullptr) {
    selection.emplace(*selector, config.getFlag(BuilderFlag::kREJECT_EMPTY_ALGORITHMS));
    if (options.tuning == Tuning::off) options.tuning = Tuning::fast;
    const LoadedPlan free(build_plan(whole, options, used), device.handle(), network.plugins);
    keep();
    Timings chosen(timings);
    if (selection->choose(tactics.nodes(), free, chosen)) timings = chosen.text();
    tactics.clear();
  }
  const Blob plan = [&] {
    if (!refittable(config)) return build_plan(whole, options, used);
    RefitRecord record{{}, network.named_weights(), {}, timings};
    if (config.getFlag(BuilderFlag::kREFIT_INDIVIDUAL))
      std::erase_if(record.weights,
                    [&](const auto& known) { return !network.areWeightsMarkedRefittable(known.name.c_str()); });
    const Blob made = build_refittable(whole, options, record);
    timings = record.cache;
    return config.getFlag(BuilderFlag::kSTRIP_PLAN) ? stripped(made) : made;
  }();
  if (selection)
    selection->report(tactics.nodes(), LoadedPlan(plan, device.handle(), network.plugins));
  else
    keep();
  if (config.getFlag(BuilderFlag::kEDITABLE_TIMING_CACHE)) tactics.print(reporter_);
  return plan;
}

nvinfer1::IHostMemory* BuilderImpl::buildSerializedNetwork(nvinfer1::INetworkDefinition& network,
                                                           nvinfer1::IBuilderConfig& config) {
  return reporter_.guard(
      "buildSerializedNetwork", static_cast<nvinfer1::IHostMemory*>(nullptr), [&]() -> nvinfer1::IHostMemory* {
        return new HostMemory(build(static_cast<NetworkImpl&>(network), static_cast<ConfigImpl&>(config)));
      });
}

nvinfer1::IHostMemory* BuilderImpl::buildSerializedNetwork(nvinfer1::INetworkDefinition& network,
                                                           nvinfer1::IBuilderConfig& config,
                                                           nvinfer1::IHostMemory*& kernel_text) {
  kernel_text = nullptr;
  return buildSerializedNetwork(network, config);
}

bool BuilderImpl::buildSerializedNetworkToStream(nvinfer1::INetworkDefinition& network,
                                                 nvinfer1::IBuilderConfig& config, nvinfer1::IStreamWriter& writer) {
  return reporter_.guard("buildSerializedNetworkToStream", false, [&] {
    const Blob plan = build(static_cast<NetworkImpl&>(network), static_cast<ConfigImpl&>(config));
    const auto* bytes = static_cast<const char*>(plan.data.get());
    for (size_t done = 0; done < plan.size;) {
      const int64_t wrote = writer.write(bytes + done, static_cast<int64_t>(plan.size - done));
      if (wrote <= 0) throw Error(Code::io, "the writer of the plan failed");
      done += static_cast<size_t>(wrote);
    }
    return true;
  });
}

nvinfer1::ICudaEngine* BuilderImpl::buildEngineWithConfig(nvinfer1::INetworkDefinition& network,
                                                          nvinfer1::IBuilderConfig& config) {
  return reporter_.guard("buildEngine", static_cast<nvinfer1::ICudaEngine*>(nullptr), [&] {
    auto& mine = static_cast<NetworkImpl&>(network);
    RuntimeImpl runtime(reporter_.logger());
    runtime.setErrorRecorder(reporter_.recorder());
    if (allocator_ != nullptr) runtime.setGpuAllocator(allocator_);
    return runtime.load(build(mine, static_cast<ConfigImpl&>(config)), mine.plugins);
  });
}

bool BuilderImpl::isNetworkSupported(nvinfer1::INetworkDefinition const& network,
                                     nvinfer1::IBuilderConfig const&) const {
  return reporter_.guard("isNetworkSupported", false, [&] {
    const_cast<NetworkImpl&>(static_cast<NetworkImpl const&>(network)).finish();
    return true;
  });
}

}  // namespace planish::tensorrt

extern "C" {

void* createInferBuilder_INTERNAL(void* logger, int32_t version) {
  using namespace planish::tensorrt;
  auto* given = static_cast<nvinfer1::ILogger*>(logger);
  if (!serves(given, version, "createInferBuilder")) return nullptr;
  remember_logger(given);
  Reporter(given).guard("createInferBuilder", [] { register_adapters(); });
  return Reporter(given).guard("createInferBuilder", static_cast<nvinfer1::IBuilder*>(nullptr),
                               [&]() -> nvinfer1::IBuilder* { return new BuilderImpl(given); });
}

nvinfer1::IPluginRegistry* nvinfer1::getBuilderPluginRegistry(nvinfer1::EngineCapability) {
  return &planish::tensorrt::plugin_registry();
}

void nvinfer1::setInternalLibraryPath(nvinfer1::AsciiChar const*) {}

}  // extern "C"
