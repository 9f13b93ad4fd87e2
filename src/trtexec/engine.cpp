#include "trtexec/engine.h"

#include <chrono>
#include <filesystem>

#include "NvInferPlugin.h"
#include "trtexec/files.h"
#include "trtexec/logger.h"

namespace planish::trtexec {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }
double mebibytes(size_t size) { return static_cast<double>(size) / (1 << 20); }

std::unique_ptr<nvinfer1::IRuntime> make_runtime(const Options& options) {
  std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger()));
  require(runtime != nullptr, "the runtime cannot be made");
  for (const std::string& path : options.dynamic_plugins)
    require(runtime->getPluginRegistry().loadLibrary(path.c_str()) != nullptr,
            "{}: the plugin library cannot be loaded", path);
  return runtime;
}

std::string layers_of(const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext* context,
                      nvinfer1::LayerInformationFormat format) {
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine.createEngineInspector());
  require(inspector != nullptr, "the engine's inspector cannot be made");
  if (context != nullptr) inspector->setExecutionContext(context);
  const char* text = inspector->getEngineInformation(format);
  return text == nullptr ? "" : text;
}

}  // namespace

void load_plugins(const Options& options) {
  info("Loading standard plugins");
  initLibNvInferPlugins(&logger(), "");
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger()));  // whose log says why not
  require(runtime != nullptr, "the runtime cannot be made");
  for (const std::string& path : options.plugins) {
    info("Loading supplied plugin library: {}", path);
    require(runtime->getPluginRegistry().loadLibrary(path.c_str()) != nullptr, "{}: cannot be loaded", path);
  }
}

std::string load_plan(const std::string& path) {
  const auto start = Clock::now();
  require(!std::filesystem::is_other(path), "{}: not a regular file", path);
  std::string plan = read_file(path);
  info("Engine loaded in {:g} sec.", seconds_since(start));
  info("Loaded engine with size: {:g} MiB", mebibytes(plan.size()));
  return plan;
}

LoadedEngine deserialize(const Options& options, const std::string& plan) {
  LoadedEngine loaded{make_runtime(options), nullptr};
  const auto start = Clock::now();
  loaded.engine.reset(loaded.runtime->deserializeCudaEngine(plan.data(), plan.size()));
  require(loaded.engine != nullptr, "{}: Engine deserialization failed",
          options.load_engine.empty() ? "the engine that was built" : options.load_engine);
  info("Engine deserialized in {:g} sec.", seconds_since(start));
  return loaded;
}

void time_deserialize(const Options& options, const std::string& plan) {
  constexpr int kWarmUps = 2, kRuns = 20;
  const auto runtime = make_runtime(options);
  const auto milliseconds = [&] {
    const auto start = Clock::now();
    const std::unique_ptr<nvinfer1::ICudaEngine> engine(runtime->deserializeCudaEngine(plan.data(), plan.size()));
    require(engine != nullptr, "Engine deserialization failed");
    return 1e3 * seconds_since(start);
  };
  info("Begin deserialization warmup...");
  for (int i = 0; i < kWarmUps; ++i) milliseconds();
  info("Begin deserialization engine timing...");
  const double first = milliseconds();
  info("First deserialization time = {:g} milliseconds", first);
  double total = 0;
  for (int i = 0; i < kRuns; ++i) total += milliseconds();
  info(
      "Total deserialization time = {:g} milliseconds in {} iterations, average time = {:g} milliseconds, first time = "
      "{:g} "
      "milliseconds.",
      total, kRuns, total / kRuns, first);
  info("Deserialization Bandwidth = {:g} GB/s", 1e-6 * static_cast<double>(plan.size()) * kRuns / total);
}

void print_layers(const Options& options, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext* context) {
  if (options.dump_layers) {
    info("Layer Information:");
    info("{}", layers_of(engine, context, nvinfer1::LayerInformationFormat::kONELINE));
  }
  if (!options.export_layers.empty())
    write_file(options.export_layers, layers_of(engine, context, nvinfer1::LayerInformationFormat::kJSON));
}

void print_profiles(const nvinfer1::ICudaEngine& engine) {
  info("Optimization Profile Information:");
  for (int profile = 0; profile < engine.getNbOptimizationProfiles(); ++profile)
    for (int i = 0; i < engine.getNbIOTensors(); ++i) {
      const char* name = engine.getIOTensorName(i);
      if (engine.getTensorIOMode(name) != nvinfer1::TensorIOMode::kINPUT) continue;
      const auto shape = [&](nvinfer1::OptProfileSelector select) {
        return text_of(engine.getProfileShape(name, profile, select));
      };
      info("Model input {} (profile {}): min={}, opt={}, max={}", name, profile,
           shape(nvinfer1::OptProfileSelector::kMIN), shape(nvinfer1::OptProfileSelector::kOPT),
           shape(nvinfer1::OptProfileSelector::kMAX));
    }
}

}  // namespace planish::trtexec
