#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <set>
#include <utility>

#include "base/cpu_features.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/arithmetic.h"
#include "cli/progress.h"
#include "compile/calibrate/quantize.h"
#include "plugin/library.h"

namespace planish::cli {
namespace {

template <class... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> text, Args&&... args) {
  throw UsageError(fmt::format(text, std::forward<Args>(args)...));
}

std::vector<int64_t> parse_extents(const std::string& flag, const std::string& text) {
  std::vector<int64_t> extents;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('x', at), text.size());
    const std::string item = text.substr(at, end - at);
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc() || stop != item.data() + item.size() || value < 0 || value > (int64_t{1} << 40))
      fail_usage("--shape {}: '{}' is no extent; write NAME=1x3x224x224", flag, item);
    extents.push_back(value);
    at = end + 1;
  }
  return extents;
}

Tuning parse_tuning(const std::string& text, double& seconds) {
  if (text == "off") return Tuning::off;
  if (text == "fast") return Tuning::fast;
  if (text == "full") return Tuning::full;
  char* stop = nullptr;
  seconds = std::strtod(text.c_str(), &stop);
  if (text.empty() || *stop != 0 || !(seconds > 0) || !std::isfinite(seconds))
    fail_usage("--tune {}: off, fast, full or a number of seconds is accepted", text);
  return Tuning::full;
}

std::string checked_target(const std::string& target) {
  const auto is_level = [&](Isa isa) { return target == isa_name(isa); };
  if (target.starts_with("cuda:sm_")) return target;
  if (!target.empty() && std::none_of(std::begin(kIsas), std::end(kIsas), is_level))
    fail_usage("--target {}: cuda:sm_90a (or another architecture of a GPU), {} are accepted", target, isa_names());
  return target;
}

std::vector<DimRange> ranges_of(const Tensor& tensor) {
  std::vector<DimRange> ranges;
  for (int64_t extent : tensor.extents()) ranges.push_back({extent, extent, extent});
  return ranges;
}

}  // namespace

OptionGroup::OptionGroup(CLI::App& command, const std::string& heading)
    : command_(command), before_(command.option_defaults()->get_group()) {
  command.option_defaults()->group(heading);
}

OptionGroup::~OptionGroup() { command_.option_defaults()->group(before_); }

void add_model_options(CLI::App& command, CommonOptions& options) {
  command.add_option("model", options.model, "An .onnx or .prototxt file, or a plan written by `planish build`")
      ->required();
  const OptionGroup machine(command, "Machine");
  command.add_option("--threads", options.threads, "Threads, the caller counted; 0: one per usable core");
  command.add_option("--affinity", options.processors, "Processors that threads run on besides the caller: 0,1")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber);
  command.add_option("--device", options.device, "cpu, cuda, cuda:NUMBER, or auto (a GPU where there is one)");
  command.add_option("--plugins", options.plugins,
                     "A library of plugins that the model or plan needs; several times for several");
  const OptionGroup output(command, "What is printed");
  command.add_option("--json", options.json,
                     "Write the results to this file as JSON; - is standard output, and nothing else is printed");
  command.add_flag("-v,--verbose", options.verbose, "Say what each layer chose, and why others were refused");
  command.add_flag("--quiet", options.quiet, "Errors and warnings only");
  command.parse_complete_callback([&options] {
    options.quiet = options.quiet || options.json == "-";
    if (is_weight_precision(options.weights)) options.weight_precision = std::exchange(options.weights, "");
    if (options.threads < 0) fail_usage("--threads {}: 0 or more is accepted", options.threads);
    for (const std::string& library : options.plugins) load_plugin_library(library);
  });
}

void add_build_options(CLI::App& command, CommonOptions& options) {
  const OptionGroup shapes(command, "Shapes and target");
  command.add_option("--shape", options.shapes,
                     "Extents of a dynamic input: NAME=1x3x224x224, or NAME=MIN:OPT:MAX for a range");
  command.add_option("--target", options.target,
                     "Build for this level: " + isa_names() + ", or for a GPU: cuda:sm_90a (default: this machine's)");
  command.add_flag("--no-fallback", options.no_fallback,
                   "What the GPU has no kernel for is an error, not a step of the host");
  const OptionGroup precision(command, "Precision");
  command.add_option("--precision", options.precision,
                     "Permitted arithmetic of fp32 products, comma separated: fp32, bf16, int8, fp16 on a GPU (Q/DQ "
                     "networks run as written)");
  add_precision_options(command, options.quantization);
  command.add_flag("--fp16", options.fp16, "Values are stored as fp16 on a GPU: the same as --precision fp32,fp16");
  command.add_flag("--bf16", options.bf16, "The same as --precision fp32,bf16");
  command.add_flag(
      "--no-tf32", options.no_tf32,
      "Exact fp32: without products of two bf16 parts and Winograd convolution of 4x4 tiles (errors up to 1e-5)");
  const OptionGroup weights(command, "Weights");
  command.add_option(
      "--weights", options.weights,
      "int8 or int4: constant matrices become such numbers; else the weights of a .prototxt: a .caffemodel");
  add_weight_options(command, options.weight_flags);
  command.add_flag("--random-weights", options.random_weights, "Seeded random weights for a .prototxt that has none");
  const OptionGroup tuning(command, "Tuning");
  command.add_option("--timing-cache", options.timing_cache, "File that remembers measured kernels");
  command.add_option("--tune", options.tune, "off, fast, full, or a budget in seconds");
  command.add_flag("--no-optimize", options.no_optimize, "No fusion and reference kernels only (slow, exact)");
  command.add_option("--dump-graph", options.dump_dir, "Folder for the graph's text after each pass");
}

FlagPaths input_paths(const std::vector<std::string>& arguments) {
  FlagPaths paths;
  for (const std::string& argument : arguments) paths.push_back({"--input", input_file(argument)});
  return paths;
}

void declare_files(CommonOptions& options, const FlagPaths& read, const FlagPaths& written) {
  options.files.reads("the model", options.model);
  options.files.reads("--weights", options.weights);
  options.files.reads("--calibration", options.quantization.table);
  options.files.reads("the samples", options.quantization.data.data);
  for (const auto& [flag, path] : read) options.files.reads(flag, path);
  for (const auto& [flag, path] : written) options.files.writes(flag, path);
  options.files.writes("--json", options.json);
  options.files.keeps("--timing-cache", options.timing_cache);
}

std::pair<std::string, std::string> split_assignment(const std::string& flag, const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) fail_usage("{} {}: NAME=VALUE is accepted", flag, text);
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::pair<std::string, std::vector<DimRange>> parse_shape(const std::string& text) {
  const auto [name, value] = split_assignment("--shape", text);
  std::vector<std::vector<int64_t>> parts;
  for (size_t at = 0; at <= value.size();) {
    const size_t end = std::min(value.find(':', at), value.size());
    parts.push_back(parse_extents(text, value.substr(at, end - at)));
    at = end + 1;
  }
  if (parts.size() == 1) parts = {parts[0], parts[0], parts[0]};
  if (parts.size() != 3 || parts[0].size() != parts[1].size() || parts[1].size() != parts[2].size())
    fail_usage("--shape {}: one shape, or MIN:OPT:MAX of equal rank", text);
  std::vector<DimRange> ranges;
  for (size_t axis = 0; axis < parts[0].size(); ++axis) {
    ranges.push_back({parts[0][axis], parts[1][axis], parts[2][axis]});
    if (ranges.back().min > ranges.back().opt || ranges.back().opt > ranges.back().max)
      fail_usage("--shape {}: axis {} is not in the order MIN <= OPT <= MAX", text, axis);
  }
  return {name, ranges};
}

static std::map<std::string, std::vector<DimRange>> parse_shapes(const std::vector<std::string>& texts) {
  std::map<std::string, std::vector<DimRange>> shapes;
  for (const std::string& text : texts)
    if (const auto [at, fresh] = shapes.insert(parse_shape(text)); !fresh)
      fail_usage("--shape {}: '{}' has a shape already", text, at->first);
  return shapes;
}

Extents run_extents(const CommonOptions& options) {
  Extents extents;
  if (!is_plan_file(options.model)) return extents;
  for (const auto& [name, ranges] : parse_shapes(options.shapes))
    for (const DimRange& range : ranges) {
      if (range.min != range.max)
        fail_usage("--shape {}: {} is a plan, which has its ranges; one shape is accepted", name, options.model);
      extents[name].push_back(range.opt);
    }
  return extents;
}

static Precisions parse_precisions(const CommonOptions& options) {
  Precisions permitted{.tf32 = !options.no_tf32, .bf16 = options.bf16, .fp16 = options.fp16};
  for (size_t at = 0; at <= options.precision.size();) {
    const size_t end = std::min(options.precision.find(',', at), options.precision.size());
    const std::string name = options.precision.substr(at, end - at);
    if (name == "bf16")
      permitted.bf16 = true;
    else if (name == "fp16")
      permitted.fp16 = true;
    else if (name != "fp32" && name != "int8")
      fail_usage("--precision {}: fp32, bf16, fp16 and int8 are accepted (Q/DQ networks run as written)",
                 options.precision);
    at = end + 1;
  }
  return permitted;
}

BuildOptions build_options(const CommonOptions& options) {
  BuildOptions build;
  build.precisions = parse_precisions(options);
  build.tuning = parse_tuning(options.tune, build.tuning_seconds);
  build.timing_cache = options.timing_cache;
  build.optimize = !options.no_optimize;
  const std::string target = checked_target(options.target);
  (target.starts_with("cuda:") ? build.arch : build.isa) = target.substr(target.starts_with("cuda:") ? 5 : 0);
  build.fallback = !options.no_fallback;
  build.threads = options.threads;
  build.dump_dir = options.dump_dir;
  if (!options.quiet) build.progress = show_progress;
  return build;
}

std::shared_ptr<Device> open_device(const CommonOptions& options) {
  if (!is_device_name(options.device))
    fail_usage("--device {}: cpu, cuda, cuda:NUMBER and auto are accepted", options.device);
  return create_device(options.device, options.threads, {}, options.processors);
}

bool is_plan_file(const std::string& path) {
  const FileMap file = FileMap::open(path);
  const std::string_view magic("PLANISH\0", 8);
  const auto bytes = file.bytes();
  return bytes.size() >= 8 && std::string_view(reinterpret_cast<const char*>(bytes.data()), 8) == magic;
}

static ModelRequest import_request(const CommonOptions& options, const Inputs& inputs) {
  ModelRequest import;
  import.model.path = options.model;
  import.weights.path = options.weights;
  import.random_weights = options.random_weights;
  import.input_shapes = parse_shapes(options.shapes);
  for (const auto& [name, input] : inputs)
    if (input.has_extents()) import.input_shapes.emplace(name, ranges_of(input.tensor));
  return import;
}

// "--shape x=1x3x224x224", of each.
static std::string examples_of(const importers::OpenInputs& open) {
  std::string flags;
  for (const importers::OpenInput& input : open)
    flags += fmt::format("{}--shape {}={}", flags.empty() ? "" : " ", input.name, input.example);
  return flags;
}

// Once for each model: a command may import it several times.
static void say_open(const CommonOptions& options, const importers::OpenInputs& open) {
  static std::set<std::string> said;
  if (open.empty() || !said.insert(options.model).second) return;
  const std::string sentence = fmt::format("no shape was given: {}; {} gives one, --shape NAME=MIN:OPT:MAX a range",
                                           importers::text_of(open), examples_of(open));
  if (!importers::only_batches(open))
    log(Severity::warning, "{}", sentence);
  else if (!options.quiet)
    std::fprintf(stderr, "%s\n", sentence.c_str());
}

Graph import_model(const CommonOptions& options, const Inputs& inputs) {
  ModelRequest import = import_request(options, inputs);
  importers::OpenInputs open;
  import.open = &open;
  try {
    Graph graph = planish::import_model(import);
    options.files.check_mapped();
    say_open(options, open);
    return graph;
  } catch (const Error& error) {
    if (importers::only_batches(open)) throw;
    throw Error(error.code(), fmt::format("{}; {} gives another", error.what(), examples_of(open)));
  }
}

Graph import_open(const CommonOptions& options, std::string* example) {
  ModelRequest import = import_request(options, {});
  importers::OpenInputs open;
  import.open = &open;
  import.keep_dynamic = true;
  Graph graph = planish::import_model(import);
  if (example != nullptr) *example = examples_of(open);
  return graph;
}

namespace {

// A plan is built: these flags would go unheard.
void refuse_build_flags(const CommonOptions& options) {
  const CommonOptions none;
  const std::pair<const char*, bool> flags[] = {{"--weights", !options.weights.empty()},
                                                {"--random-weights", options.random_weights},
                                                {"--weights", !options.weight_precision.empty()},
                                                {"--dynamic", options.weight_flags.dynamic},
                                                {"--target", !options.target.empty()},
                                                {"--timing-cache", !options.timing_cache.empty()},
                                                {"--precision", options.precision != none.precision},
                                                {"--bf16", options.bf16},
                                                {"--calibration", !options.quantization.table.empty()},
                                                {"--layer-precision", !options.quantization.layers.empty()},
                                                {"--fp16", options.fp16},
                                                {"--no-tf32", options.no_tf32},
                                                {"--tune", options.tune != none.tune},
                                                {"--no-optimize", options.no_optimize},
                                                {"--dump-graph", !options.dump_dir.empty()}};
  for (const auto& [flag, given] : flags)
    if (given) fail_usage("{}: {} is a plan, which is built already; a model is accepted", flag, options.model);
}

}  // namespace

// What was asked for beside fp32, and what the products became; --quiet keeps it back.
static void say_arithmetic(const CommonOptions& options, const Precisions& permitted, const Plan& plan) {
  const bool asked = permitted.bf16 || permitted.fp16 || wants_int8(options);
  if (!asked || options.quiet || plan.target != "cpu") return;
  const std::string names = fmt::format("fp32{}{}{}{}", permitted.tf32 ? ", tf32" : "", permitted.bf16 ? ", bf16" : "",
                                        permitted.fp16 ? ", fp16" : "", wants_int8(options) ? ", int8" : "");
  std::fprintf(stderr, "permitted: %s; products: %s%s\n", names.c_str(), text_of(arithmetic_of(plan)).c_str(),
               permitted.fp16 ? "; fp16 is for GPUs, a processor computes in fp32, which is at least as exact" : "");
}

static Plan fastest_plan(const CommonOptions& options, const Quantization& numbers, Device& device,
                         const BuildOptions& how, BuildReport& report) {
  const std::shared_ptr<Device> same(&device, [](Device*) {});
  FastestPlan fastest =
      with_context([&] { return options.quantization.table.empty() ? options.model : options.quantization.table; },
                   [&] { return build_fastest(numbers.simple, numbers.table, numbers.how, same, how, &report); });
  clear_progress();
  if (!options.quiet) print_fastest(fastest);
  if (options.verbose) log_choices(report);
  return std::move(fastest.plan);
}

Plan obtain_plan(const CommonOptions& options, Device& device, const Inputs& inputs, BuildReport* report) {
  if (is_plan_file(options.model)) {
    refuse_build_flags(options);
    return load(options.model);
  }
  BuildReport own;
  BuildReport& out = report != nullptr ? *report : own;
  const BuildOptions how = build_options(options);
  Graph graph = import_model(options, inputs);
  if (wants_the_faster(options)) {
    if (const auto numbers = quantization_of(options, graph, device)) {
      Plan plan = fastest_plan(options, *numbers, device, how, out);
      say_arithmetic(options, how.precisions, plan);
      return plan;
    }
  } else if (wants_int8(options)) {
    graph = quantized_model(options, std::move(graph), device);
  } else if (!options.quantization.table.empty() || !options.quantization.layers.empty() ||
             !options.quantization.data.data.empty() || options.quantization.bounded()) {
    fail_usage(
        "--calibration, --calibrate, --max-error, --max-drop, --layer-precision: --precision int8 permits what they "
        "are for");
  }
  if (const WeightOptions weights = weight_options(options.weight_precision, options.weight_flags); weights.wanted()) {
    graph = simplified(std::move(graph));
    WeightReport quantized;
    with_context([&] { return options.model; }, [&] { quantize_weights(graph, weights, &quantized); });
    if (!options.quiet)
      std::fprintf(stderr, "%zu layers, their weights %.1f MB in place of %.1f\n", quantized.layers.size(),
                   static_cast<double>(quantized.bytes_after) * 1e-6,
                   static_cast<double>(quantized.bytes_before) * 1e-6);
  }
  Plan plan = with_context([&] { return options.model; }, [&] { return build(std::move(graph), device, how, &out); });
  clear_progress();
  say_arithmetic(options, how.precisions, plan);
  if (options.verbose) log_choices(out);
  return plan;
}

void log_choices(const BuildReport& report) {
  for (const TacticChoice& choice : report.choices) {
    std::fprintf(stderr, "%s: %s\n", choice.node.c_str(), choice.chosen.c_str());
    for (const auto& [name, us] : choice.timings_us) std::fprintf(stderr, "    %-32s %10.1f us\n", name.c_str(), us);
    for (const auto& [name, why] : choice.refusals)
      std::fprintf(stderr, "    %-32s refused: %s\n", name.c_str(), why.c_str());
  }
  for (const auto& [phase, ms] : report.phases_ms) std::fprintf(stderr, "%-24s %9.1f ms\n", phase.c_str(), ms);
  std::fprintf(stderr, "%d timed, %d from the cache\n", report.timed, report.cached);
}

}  // namespace planish::cli
