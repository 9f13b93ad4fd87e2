// build_plan: the builder's configuration, the build, and the files around it.

#include <chrono>

#include "trtexec/calibrator.h"
#include "trtexec/engine.h"
#include "trtexec/files.h"
#include "trtexec/network.h"
#include "trtexec/values.h"

namespace planish::trtexec {
namespace {

bool has_quantize_layers(const nvinfer1::INetworkDefinition& network) {
  for (int i = 0; i < network.getNbLayers(); ++i) {
    const nvinfer1::LayerType type = network.getLayer(i)->getType();
    if (type == nvinfer1::LayerType::kQUANTIZE || type == nvinfer1::LayerType::kDEQUANTIZE) return true;
  }
  return false;
}

// Batches for the extents to optimise for. A network that states its quantisation needs none.
std::unique_ptr<Calibrator> make_calibrator(const Options& options, const nvinfer1::INetworkDefinition& network) {
  if (!options.int8 || has_quantize_layers(network)) return nullptr;
  const ProfileShapes& shapes = options.calibration_shapes.empty()
                                    ? options.profiles[static_cast<size_t>(options.calibration_profile)]
                                    : options.calibration_shapes;
  std::map<std::string, std::pair<nvinfer1::DataType, size_t>> inputs;
  int batch = 1;
  for (int i = 0; i < network.getNbInputs(); ++i) {
    const nvinfer1::ITensor& input = *network.getInput(i);
    const nvinfer1::Dims dims = input.getDimensions();
    const auto at = find_plausible(shapes, input.getName());
    size_t count = 1;
    for (int axis = 0; axis < dims.nbDims; ++axis) {
      const int64_t given = at == shapes.end() ? 1 : at->second.at(1).at(static_cast<size_t>(axis));
      const int64_t extent = dims.d[axis] >= 0 ? dims.d[axis] : given;
      if (i == 0 && axis == 0) batch = static_cast<int>(extent);
      count *= static_cast<size_t>(extent);
    }
    inputs[input.getName()] = {input.getType(), count * bits_of(input.getType()) / 8};
  }
  if (options.calibration.empty())
    warn(
        "--int8 without --calib: the calibrator's batches are random, and so are the ranges of all tensors; times "
        "hold, "
        "results do not. --calib=<file> reads the calibration cache of real data");
  if (!options.fp16)
    info(
        "FP32 and INT8 precisions have been specified - more performance might be enabled by additionally specifying "
        "--fp16 or --best");
  return std::make_unique<Calibrator>(options.calibration, inputs, batch);
}

void set_pools(const Options& options, nvinfer1::IBuilderConfig& config) {
  using nvinfer1::MemoryPoolType;
  static const std::map<std::string, MemoryPoolType> kPools = {
      {"workspace", MemoryPoolType::kWORKSPACE},
      {"dlaSRAM", MemoryPoolType::kDLA_MANAGED_SRAM},
      {"dlaLocalDRAM", MemoryPoolType::kDLA_LOCAL_DRAM},
      {"dlaGlobalDRAM", MemoryPoolType::kDLA_GLOBAL_DRAM},
      {"tacticSharedMem", MemoryPoolType::kTACTIC_SHARED_MEMORY},
  };
  for (const auto& [pool, size] : options.pools) config.setMemoryPoolLimit(kPools.at(pool), static_cast<size_t>(size));
}

void set_flags(const Options& options, nvinfer1::IBuilderConfig& config) {
  using nvinfer1::BuilderFlag;
  const std::pair<BuilderFlag, bool> flags[] = {
      {BuilderFlag::kTF32, options.tf32},
      {BuilderFlag::kFP16, options.fp16},
      {BuilderFlag::kBF16, options.bf16},
      {BuilderFlag::kINT8, options.int8},
      {BuilderFlag::kSPARSE_WEIGHTS, options.sparsity},
      {BuilderFlag::kGPU_FALLBACK, options.gpu_fallback},
      {BuilderFlag::kREFIT, options.refit},
      {BuilderFlag::kSTRIP_PLAN, options.strip},
      {BuilderFlag::kDISABLE_TIMING_CACHE, options.no_builder_cache},
      {BuilderFlag::kOBEY_PRECISION_CONSTRAINTS, options.constraints == Constraints::obey},
      {BuilderFlag::kPREFER_PRECISION_CONSTRAINTS, options.constraints == Constraints::prefer},
  };
  for (const auto& [flag, on] : flags) on ? config.setFlag(flag) : config.clearFlag(flag);
}

std::unique_ptr<nvinfer1::IBuilderConfig> make_config(const Options& options, nvinfer1::IBuilder& builder) {
  std::unique_ptr<nvinfer1::IBuilderConfig> config(builder.createBuilderConfig());
  require(config != nullptr, "the builder's configuration cannot be made");
  set_flags(options, *config);
  set_pools(options, *config);
  config->setAvgTimingIterations(options.avg_timing);
  if (options.optimization_level >= 0) config->setBuilderOptimizationLevel(options.optimization_level);
  static constexpr nvinfer1::ProfilingVerbosity kVerbosities[] = {nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY,
                                                                  nvinfer1::ProfilingVerbosity::kNONE,
                                                                  nvinfer1::ProfilingVerbosity::kDETAILED};
  config->setProfilingVerbosity(kVerbosities[options.verbosity]);
  if (options.dla_core >= 0) config->setDLACore(options.dla_core);
  return config;
}

std::unique_ptr<nvinfer1::ITimingCache> load_cache(const Options& options, nvinfer1::IBuilderConfig& config) {
  if (options.cache_mode() == TimingCache::disable) return nullptr;
  const std::string bytes = options.timing_cache_file.empty() ? "" : read_file(options.timing_cache_file, true);
  if (!bytes.empty()) info("Loaded {} bytes of timing cache from {}", bytes.size(), options.timing_cache_file);
  std::unique_ptr<nvinfer1::ITimingCache> cache(config.createTimingCache(bytes.data(), bytes.size()));
  require(cache != nullptr && config.setTimingCache(*cache, false), "the timing cache is not accepted");
  return cache;
}

void save_cache(const Options& options, const nvinfer1::ITimingCache* cache) {
  if (cache == nullptr || options.timing_cache_file.empty()) return;
  const std::unique_ptr<nvinfer1::IHostMemory> bytes(cache->serialize());
  require(bytes != nullptr, "the timing cache cannot be serialized");
  write_file(options.timing_cache_file, std::string(static_cast<const char*>(bytes->data()), bytes->size()));
  info("Saved {} bytes of timing cache to {}", bytes->size(), options.timing_cache_file);
}

}  // namespace

std::string build_plan(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<nvinfer1::IBuilder> builder(nvinfer1::createInferBuilder(logger()));
  require(builder != nullptr, "the builder cannot be made");
  for (const std::string& path : options.dynamic_plugins)
    require(builder->getPluginRegistry().loadLibrary(path.c_str()) != nullptr,
            "{}: the plugin library cannot be loaded", path);
  const ParsedNetwork parsed = parse_model(options, *builder);
  apply_formats(options, *parsed.network);
  apply_layer_types(options, *parsed.network);
  const auto config = make_config(options, *builder);
  add_profiles(options, *builder, *parsed.network, *config);
  const auto calibrator = make_calibrator(options, *parsed.network);
  config->setInt8Calibrator(calibrator.get());
  const auto cache = load_cache(options, *config);
  const std::unique_ptr<nvinfer1::IHostMemory> built(builder->buildSerializedNetwork(*parsed.network, *config));
  require(built != nullptr, "Engine could not be created from network");
  info("Created engine with size: {:g} MiB", static_cast<double>(built->size()) / (1 << 20));
  save_cache(options, cache.get());
  std::string plan(static_cast<const char*>(built->data()), built->size());
  if (!options.save_engine.empty()) write_file(options.save_engine, plan);
  info("Engine built in {:g} sec.", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return plan;
}

}  // namespace planish::trtexec
