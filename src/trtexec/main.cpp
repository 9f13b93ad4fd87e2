// trtexec: builds an engine from a model, or loads one, runs it and reports.

#include <csignal>
#include <cstdio>

#include "trtexec/device.h"
#include "trtexec/engine.h"
#include "trtexec/files.h"
#include "trtexec/inference.h"
#include "trtexec/logger.h"
#include "trtexec/profile.h"

namespace planish::trtexec {
namespace {

void say_state(const char* state, int count, char** arguments) {
  std::string line = fmt::format("&&&& {} TensorRT.trtexec [TensorRT v{}] #", state, NV_TENSORRT_VERSION);
  for (int i = 0; i < count; ++i) line += std::string(" ") + arguments[i];
  std::puts(line.c_str());
  std::fflush(stdout);
}

void infer(const Options& options, nvinfer1::ICudaEngine& engine) {
  Inference inference(options, engine);
  print_layers(options, engine, inference.first());
  if (options.dump_profiles) print_profiles(engine);
  info("Starting inference");
  Profiler profiler;
  const bool together = options.profiling() && !options.separate_profile;
  const std::vector<Trace> traces = inference.run(together ? &profiler : nullptr);
  if (together) {
    info(
        "The e2e network timing is not reported since it is inaccurate due to the extra synchronizations when the "
        "profiler is "
        "enabled.");
    info(
        "To show e2e network timing report, add --separateProfileRun to profile layer timing in a separate run or "
        "remove "
        "--dumpProfile to disable the profiler.");
  } else {
    report(options, traces);
  }
  if (options.dump_output || options.dump_bindings || !options.export_output.empty())
    inference.outputs().fetch_outputs();
  if (options.dump_output) info("{}", inference.outputs().text_of_outputs());
  if (options.dump_bindings) inference.outputs().write_raw();
  if (!options.export_output.empty()) write_file(options.export_output, inference.outputs().json_of_outputs());
  if (options.profiling() && !together) inference.run(&profiler);
  if (options.dump_profile) info("{}", profiler.table());
  if (!options.export_profile.empty()) write_file(options.export_profile, profiler.json());
}

void run(const Options& options) {
  for (const std::string& warning : options.warnings) warn("{}", warning);
  info("{}", describe(options));
  keep_apart({{"--onnx", options.onnx},
              {"--deploy", options.deploy},
              {"--model", options.caffe_model},
              {"--loadEngine", options.load_engine}},
             {{"--saveEngine", options.save_engine},
              {"--exportTimes", options.export_times},
              {"--exportOutput", options.export_output},
              {"--exportProfile", options.export_profile},
              {"--exportLayerInfo", options.export_layers}});
  logger().set_verbose(options.verbose);
  choose_device(options.device);
  info("TensorRT version: {}.{}.{}", NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR, NV_TENSORRT_PATCH);
  load_plugins(options);
  const std::string plan = options.load_engine.empty() ? build_plan(options) : load_plan(options.load_engine);
  const LoadedEngine loaded = deserialize(options, plan);
  refit(options, *loaded.engine);
  if (options.skip_inference) {
    print_layers(options, *loaded.engine, nullptr);
    if (options.dump_profiles) print_profiles(*loaded.engine);
    info("Skipped inference phase since --skipInference is added.");
  } else if (options.time_deserialize) {
    time_deserialize(options, plan);
  } else {
    infer(options, *loaded.engine);
  }
}

// What stands between RUNNING and PASSED or FAILED; false: it failed.
bool attempt(const std::vector<std::string>& arguments) {
  try {
    const Options options = parse(arguments);
    run(options);
    return true;
  } catch (const Usage& usage) {
    for (const std::string& line : usage.lines) error("{}", line);
    error("trtexec --help lists all options");
  } catch (const std::exception& exception) {
    error("{}", exception.what());
  }
  return false;
}

}  // namespace
}  // namespace planish::trtexec

int main(int count, char** arguments) {
  using namespace planish::trtexec;
  const std::vector<std::string> list(arguments + 1, arguments + count);
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit is an error of writing, with a sentence
  say_state("RUNNING", count, arguments);
  for (const std::string& argument : list)
    if (argument == "--help" || argument == "-h") {
      std::fputs(help_text().c_str(), stdout);
      return 0;
    }
  if (list.empty()) std::fputs(help_text().c_str(), stdout);
  const bool done = list.empty() || attempt(list);
  say_state(done ? "PASSED" : "FAILED", count, arguments);
  return done ? 0 : 1;
}
