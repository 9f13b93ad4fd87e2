// Fields of the build: shapes, types, precisions, memory.

#include "trtexec/take.h"

namespace planish::trtexec {
namespace {

Take profile_shapes(size_t select) {
  return [=](Options& o, const std::string& text) {
    for (const auto& [name, extents] : shapes(text)) {
      auto& given = o.profiles.back()[name].given[select];
      if (given)
        throw std::invalid_argument("'" + name + "' is given more than once; --profile=N starts another profile");
      given = extents;
    }
  };
}

Take calibration_shapes(size_t select) {
  return [=](Options& o, const std::string& text) {
    for (const auto& [name, extents] : shapes(text)) o.calibration_shapes[name].given[select] = extents;
  };
}

// Profiles are given in the order of their numbers; the first is there before it is named.
void start_profile(Options& o, const std::string& text) {
  const int64_t index = integer(text, 0, 1 << 16);
  const int64_t next =
      o.profiles.back().empty() ? static_cast<int64_t>(o.profiles.size()) - 1 : static_cast<int64_t>(o.profiles.size());
  if (index != next)
    throw std::invalid_argument(
        fmt::format("profile {} is next: profiles are given in order, shapes after each", next));
  o.profiles.resize(static_cast<size_t>(index) + 1);
}

Take formats(std::vector<IoFormat> Options::*member) {
  return [=](Options& o, const std::string& text) {
    for (const std::string& part : split(text, ',')) (o.*member).push_back(io_format(part));
  };
}

Show show_formats(std::vector<IoFormat> Options::*member) {
  return [=](const Options& o) {
    std::string text;
    for (const IoFormat& format : o.*member) text += (text.empty() ? "" : ",") + text_of(format);
    return text.empty() ? "fp32:CHW" : text;
  };
}

Take layer_types(std::vector<std::pair<std::string, std::vector<std::string>>> Options::*member) {
  return [=](Options& o, const std::string& text) {
    for (auto& [layer, types] : names_and_values(text)) {
      for (const std::string& type : split(types, '+')) data_type(type);
      (o.*member).emplace_back(layer, split(types, '+'));
    }
  };
}

std::string show_layers(const std::vector<std::pair<std::string, std::vector<std::string>>>& list) {
  std::string text;
  for (const auto& [layer, types] : list)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", layer, fmt::join(types, "+"));
  return text;
}

void take_pools(Options& o, const std::string& text) {
  static const std::vector<std::string> kPools = {"workspace", "dlaSRAM", "dlaLocalDRAM", "dlaGlobalDRAM",
                                                  "tacticSharedMem"};
  for (const auto& [pool, size] : names_and_values(text)) {
    if (std::find(kPools.begin(), kPools.end(), pool) == kPools.end())
      throw std::invalid_argument(fmt::format("'{}' is no memory pool; {} are", pool, fmt::join(kPools, ", ")));
    o.pools[pool] = bytes(size, 'M');
  }
}

std::string show_pools(const Options& o) {
  std::string text;
  for (const char* pool : {"workspace", "dlaSRAM", "dlaLocalDRAM", "dlaGlobalDRAM", "tacticSharedMem"}) {
    const auto at = o.pools.find(pool);
    text += text.empty() ? "" : ", ";
    text += std::string(pool) + ": ";
    text += at == o.pools.end() ? "default" : fmt::format("{:g} MiB", static_cast<double>(at->second) / (1 << 20));
  }
  return text;
}

std::string show_precision(const Options& o) {
  if (o.strongly_typed) return "Strongly Typed";
  std::string text = "FP32";
  if (o.fp16) text += "+FP16";
  if (o.bf16) text += "+BF16";
  if (o.int8) text += "+INT8";
  if (o.constraints == Constraints::obey) text += " (obey precision constraints)";
  if (o.constraints == Constraints::prefer) text += " (prefer precision constraints)";
  return text;
}

}  // namespace

std::vector<Field> build_fields() {
  constexpr Section s = Section::build;
  return {
      {s, "--maxBatch", "=N", "Largest batch of a Caffe network (default = same as --batch)",
       whole(&Options::max_batch, 1), "Max batch",
       [](const Options& o) { return o.max_batch > 0 ? std::to_string(o.max_batch) : "explicit batch"; }},
      {s,
       "--minShapes",
       "=spec",
       "Build for dynamic shapes: the smallest",
       profile_shapes(0),
       "",
       {},
       Meaning::honoured,
       "",
       true},
      {s,
       "--optShapes",
       "=spec",
       "The shapes to tune for; alone they are smallest and largest, too",
       profile_shapes(1),
       "",
       {},
       Meaning::honoured,
       "",
       true},
      {s,
       "--maxShapes",
       "=spec",
       "The largest\n"
       "spec ::= name:extents[,spec], such as input0:1x3x256x256,input1:1x3x128x128; input0:scalar or input0: for no "
       "axes.\n"
       "Names may stand in single quotes and hold one wildcard ('*').",
       profile_shapes(2),
       "",
       {},
       Meaning::honoured,
       "",
       true},
      {s,
       "--profile",
       "=N",
       "The shapes that follow are of optimization profile N, counted from 0",
       start_profile,
       "",
       {},
       Meaning::honoured,
       "",
       true},
      {s, "--minShapesCalib", "=spec", "Calibrate with shapes of their own: the smallest", calibration_shapes(0)},
      {s, "--optShapesCalib", "=spec", "The shapes to calibrate with", calibration_shapes(1)},
      {s, "--maxShapesCalib", "=spec", "The largest", calibration_shapes(2)},
      {s, "--calibProfile", "=N", "Optimization profile to calibrate with (default = 0)",
       whole(&Options::calibration_profile, 0), "Calibration Profile Index",
       [](const Options& o) { return std::to_string(o.calibration_profile); }},
      {s, "--explicitBatch", "", "Batches of ONNX models are always explicit", nothing},
      {s, "--inputIOFormats", "=spec", "Type and format of each input, or of all (default = those of the model)",
       formats(&Options::input_formats), "Input(s)s format", show_formats(&Options::input_formats)},
      {s, "--outputIOFormats", "=spec",
       "Type and format of each output, or of all (default = those of the model)\n"
       "spec ::= type:fmt[+fmt][,spec], type ::= fp32|fp16|bf16|int32|int64|int8|uint8|bool, fmt ::= "
       "chw|chw2|chw4|hwc8|…;\n"
       "inputs and outputs are linear (chw) here, other formats are said not to be offered.",
       formats(&Options::output_formats), "Output(s)s format", show_formats(&Options::output_formats)},
      {s, "--noTF32", "", "Disable tf32 precision (default is to enable tf32, in addition to fp32)",
       turn(&Options::tf32, false)},
      {s, "--fp16", "", "Permit fp16 (default = disabled)", turn(&Options::fp16), "Precision", show_precision},
      {s, "--bf16", "", "Permit bf16 (default = disabled)", turn(&Options::bf16)},
      {s, "--int8", "", "Permit int8 (default = disabled)", turn(&Options::int8)},
      {s, "--best", "", "Permit all of them (default = disabled)", turn(&Options::best)},
      {s, "--stronglyTyped", "", "Types are those of the network (default = disabled)", turn(&Options::strongly_typed)},
      {s, "--calib", "=<file>", "INT8 calibration cache to read; without one, inputs are random",
       word(&Options::calibration), "Calibration",
       [](const Options& o) { return o.int8 && o.calibration.empty() ? "Dynamic" : o.calibration; }},
      {s, "--precisionConstraints", "=spec", "none|obey|prefer: how --layerPrecisions and --layerOutputTypes are meant",
       choice({"none", "obey", "prefer"}, [](Options& o, size_t i) { o.constraints = static_cast<Constraints>(i); })},
      {s, "--layerPrecisions", "=spec", "spec ::= layer:type[,spec]; names may hold one wildcard ('*'), later ones win",
       layer_types(&Options::layer_precisions), "LayerPrecisions",
       [](const Options& o) { return show_layers(o.layer_precisions); }},
      {s, "--layerOutputTypes", "=spec", "spec ::= layer:type[+type][,spec]", layer_types(&Options::layer_output_types),
       "LayerOutputTypes", [](const Options& o) { return show_layers(o.layer_output_types); }},
      {s, "--memPoolSize", "=spec",
       "spec ::= pool:size[,spec], pool ::= workspace|dlaSRAM|dlaLocalDRAM|dlaGlobalDRAM|tacticSharedMem;\n"
       "B, K, M or G behind the size, MiB without",
       take_pools, "Memory Pools", show_pools, Meaning::none,
       "scratch memory is planned with the values of the network"},
      {s,
       "--workspace",
       "=N",
       "Workspace in MiB",
       [](Options& o, const std::string& text) { o.pools["workspace"] = bytes(text, 'M'); },
       "",
       {},
       Meaning::none,
       "scratch memory is planned with the values of the network"},
  };
}

std::vector<Field> tactic_fields() {
  constexpr Section s = Section::build;
  return {
      {s, "--saveEngine", "=<file>", "Save the serialized engine", word(&Options::save_engine), "Save engine",
       told(&Options::save_engine)},
      {s, "--loadEngine", "=<file>", "Load a serialized engine", word(&Options::load_engine), "Load engine",
       told(&Options::load_engine)},
      {s, "--skipInference", "", "Exit after the engine has been built (default = disabled)",
       turn(&Options::skip_inference), "Skip inference", whether(&Options::skip_inference)},
      {s, "--buildOnly", "", "The same as --skipInference", turn(&Options::skip_inference)},
      {s, "--refit", "", "Weights of the engine can be exchanged (default = disabled)", turn(&Options::refit), "Refit",
       whether(&Options::refit)},
      {s, "--stripWeights", "",
       "The engine holds no weights that can be set; it runs once --refitFromOnnx gave them (default = disabled)",
       turn(&Options::strip), "Strip weights", whether(&Options::strip)},
      {s, "--stripAllWeights", "", "The same as --refit with --stripWeights",
       [](Options& o, const std::string&) { o.refit = o.strip = true; }},
      {s, "--weightless", "", "The older name of --stripWeights", turn(&Options::strip)},
      {s, "--profilingVerbosity", "=mode",
       "layer_names_only|detailed|none: what the engine tells of its layers (default = layer_names_only)",
       choice({"layer_names_only", "none", "detailed", "default", "verbose"},
              [](Options& o, size_t i) { o.verbosity = static_cast<int>(i > 2 ? (i - 3) * 2 : i); }),
       "Profiling verbosity", [](const Options& o) { return std::to_string(o.verbosity); }},
      {s, "--nvtxMode", "=mode", "default|none|verbose: the older name of --profilingVerbosity",
       choice({"default", "none", "verbose"}, [](Options& o, size_t i) { o.verbosity = static_cast<int>(i); })},
      {s, "--noBuilderCache", "", "Do without a timing cache", turn(&Options::no_builder_cache), "timingCacheMode",
       [](const Options& o) {
         static constexpr const char* kNames[] = {"local", "global", "disable"};
         return std::string(kNames[static_cast<int>(o.cache_mode())]);
       }},
      {s, "--timingCacheFile", "=<file>", "Times of kernels, to read before the build and to write after it",
       word(&Options::timing_cache_file), "timingCacheFile", told(&Options::timing_cache_file)},
      {s, "--builderOptimizationLevel", "=N",
       "0: estimates choose kernels, 1 to 4: the promising are timed (default), 5: all are timed",
       whole(&Options::optimization_level, 0, 5), "BuilderOptimizationLevel",
       [](const Options& o) { return std::to_string(o.optimization_level); }},
      {s, "--avgTiming", "=M", "Times averaged for each candidate kernel (default = 8)", whole(&Options::avg_timing, 1),
       "avgTiming", [](const Options& o) { return std::to_string(o.avg_timing); }, Meaning::none,
       "the tuner repeats a kernel until its time is sure"},
      {s, "--sparsity", "=spec", "disable|enable|force",
       choice({"disable", "enable", "force"}, [](Options& o, size_t i) { o.sparsity = i > 0; }), "Sparsity",
       whether(&Options::sparsity), Meaning::none, "there are no kernels for weights with zeros in a pattern"},
      {s, "--allowGPUFallback", "", "Layers of a DLA run on the default device, too (default = disabled)",
       turn(&Options::gpu_fallback), "Allow GPU fallback for DLA", whether(&Options::gpu_fallback)},
  };
}

}  // namespace planish::trtexec
