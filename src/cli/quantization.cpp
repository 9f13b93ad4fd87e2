#include "cli/quantization.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/file.h"
#include "base/log.h"
#include "cli/options.h"
#include "cli/progress.h"

namespace planish::cli {
namespace {

bool has_numbers(const Graph& graph) {
  const auto nodes = graph.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return graph.node(id).op == "dequantize_linear"; });
}

void say_layers(const QuantizedLayers& layers, bool verbose) {
  std::printf("int8: %zu layers; fp32: %zu\n", layers.int8.size(), layers.fp32.size());
  for (const auto& [name, why] : layers.fp32)
    if (verbose) std::printf("  %s stays fp32: %s\n", name.c_str(), why.c_str());
}

}  // namespace

void add_precision_options(CLI::App& command, QuantizationFlags& flags) {
  command.add_option("--calibration", flags.table, "Calibration table for --precision int8, of calibrate or TensorRT");
  command.add_option(
      "--layer-precision", flags.layers,
      "NAME=fp32 or NAME=int8: of one layer, with --precision int8; an error where it cannot be, a warning "
      "where it is NAME=int8:prefer");
}

void add_calibration_options(CLI::App& command, QuantizationFlags& flags, const std::string& data) {
  const OptionGroup group(command, "Ranges for int8, from samples");
  command.add_option(data, flags.data.data,
                     "Samples: a folder of .jpg, .png, .npy or .npz, or one .npy or .npz whose first axis counts them");
  if (command.get_option_no_throw("--image") == nullptr)
    command.add_option("--image", flags.data.images, "NAME:RECIPE for pictures, as for run");
  command.add_option("--samples", flags.data.samples, "So many of the samples, evenly spread; 0: all");
  command.add_option("--method", flags.method,
                     "entropy, minmax, percentile, mse, or best: what has the least error of these and "
                     "of the flags below");
  command.add_option("--percentile", flags.percent, "Share of the values, in percent, that --method percentile covers");
  command.add_flag("--correct-bias", flags.correct_bias,
                   "Take the weights' rounding out of the mean results; a table gets the means that this needs");
  command.add_flag("--equalise", flags.equalise, "Bring channels to like ranges; a table gets what this needs");
  command.add_flag("--round-weights", flags.round_weights,
                   "Round weights together, for what products make of them; a table gets their numbers");
}

static void say_best(const CalibrationReport& report) {
  for (const auto& [name, decibels] : report.decibels) std::printf("%-28s %6.2f dB\n", name.c_str(), decibels);
}

void add_error_option(CLI::App& command, QuantizationFlags& flags) {
  const OptionGroup group(command, "Ranges for int8, from samples");
  command.add_option(
      "--max-error", flags.most_error,
      "Relative L2 error of the outputs beside fp32: the most sensitive layers stay fp32 until it holds");
  command.add_option("--max-drop", flags.most_changed,
                     "Percent of the samples that may get another first class than by fp32, which bounds what accuracy "
                     "drops: expected from margins and noise on the samples; the most sensitive layers stay fp32");
}

LossBounds loss_bounds(const QuantizationFlags& flags) {
  if (!(flags.most_error >= 0))
    throw UsageError(fmt::format("--max-error {}: 0 or more is accepted", flags.most_error));
  if (!(flags.most_changed >= 0 && flags.most_changed <= 100))
    throw UsageError(fmt::format("--max-drop {}: percent, 0 to 100 are accepted", flags.most_changed));
  LossBounds bounds;
  if (flags.most_error > 0) bounds.error = flags.most_error;
  if (flags.most_changed > 0) bounds.changed = flags.most_changed / 100;
  return bounds;
}

CalibrateOptions calibrate_options(const QuantizationFlags& flags, bool quiet) {
  CalibrateOptions options;
  try {
    options.method = parse_method(flags.method);
  } catch (const Error& error) {
    throw UsageError(fmt::format("--method: {}", error.what()));
  }
  if (!(flags.percent > 0 && flags.percent <= 100))
    throw UsageError(fmt::format("--percentile {}: more than 0, up to 100 is accepted", flags.percent));
  options.percent = flags.percent;
  options.correct_bias = flags.correct_bias;
  options.equalise = flags.equalise;
  options.round_weights = flags.round_weights;
  options.quantize.layers = layer_choice(flags);
  if (!quiet) options.progress = show_progress;
  return options;
}

static std::function<bool(const BuildProgress&)> progress_of(const CommonOptions& options) {
  if (options.quiet) return {};
  return show_progress;
}

LayerChoice layer_choice(const QuantizationFlags& flags) {
  LayerChoice choice;
  for (const std::string& text : flags.layers) {
    auto [name, type] = split_assignment("--layer-precision", text);
    if (const size_t colon = type.find(':'); colon != std::string::npos) {
      const std::string manner = type.substr(colon + 1);
      if (manner != "obey" && manner != "prefer")
        throw UsageError(fmt::format("--layer-precision {}: obey and prefer are accepted after the type", text));
      if (manner == "prefer") choice.preferred.insert(name);
      type.resize(colon);
    }
    if (type == "fp32")
      choice.fp32[name] = "--layer-precision says so";
    else if (type == "int8")
      choice.int8.insert(name);
    else
      throw UsageError(
          fmt::format("--layer-precision {}: NAME=fp32 and NAME=int8 are accepted, with :prefer or :obey", text));
    if (choice.fp32.count(name) > 0 && choice.int8.count(name) > 0)
      throw UsageError(fmt::format("--layer-precision {}: '{}' has a precision already", text, name));
  }
  return choice;
}

// What is wrong with a sample is said with its file.
static CalibrationTable calibrate_named(const Graph& simple, Device& device, const CalibrateOptions& how,
                                        const Samples& samples, CalibrationReport& report) {
  int taken = 0;
  const SampleSource source = [&, next = samples.source()]() mutable {
    ++taken;
    return next();
  };
  try {
    return calibrate(simple, device, how, source, &report);
  } catch (Error& error) {
    if (std::string_view(error.what()).starts_with("sample ")) error.add_context(samples.name(taken - 1));
    throw;
  }
}

CalibrationTable calibrate_by_flags(const CommonOptions& options, const Graph& simple, Device& device,
                                    CalibrationReport* report) {
  CalibrationReport own;
  CalibrationReport& out = report != nullptr ? *report : own;
  const Samples samples("--data", options.quantization.data, input_types(simple));
  CalibrateOptions how = calibrate_options(options.quantization, options.quiet);
  how.expected = samples.count();
  CalibrationTable found = calibrate_named(simple, device, how, samples, out);
  clear_progress();
  if (options.quiet) return found;
  say_best(out);
  std::printf("calibrated with %d samples by %s%s%s: %zu tensors\n", out.samples, method_name(out.method),
              out.equalised ? ", equalised" : "", out.rounded ? ", weights rounded" : "", found.scales.size());
  return found;
}

CalibrationTable obtain_calibration(const CommonOptions& options, const Graph& simple, Device& device) {
  const std::string& table = options.quantization.table;
  if (table.empty()) return calibrate_by_flags(options, simple, device);
  return with_context([&] { return table; }, [&] { return parse_table(read_file(table)); });
}

std::vector<Sample> judged_samples(const QuantizationFlags& flags, const Graph& simple) {
  constexpr int kJudged = 128;
  DataFlags data = flags.data;
  data.samples = data.samples == 0 ? kJudged : std::min(data.samples, kJudged);
  const Samples source("--data", data, input_types(simple));
  std::vector<Sample> samples;
  for (int i = 0; i < source.count(); ++i) samples.push_back(source.at(i));
  return samples;
}

void print_mixed(const MixedPrecision& mixed, const LossBounds& bounds) {
  const auto line = [](const char* what, const Loss& loss) {
    std::printf("%-10s error of the outputs %.3g, other first classes expected %.2f %%, %.3f ms\n", what, loss.error,
                100 * loss.changed, loss.ms);
  };
  std::printf("%-10s %.3f ms\n", "fp32", mixed.fp32_ms);
  line("all int8", mixed.all_int8);
  line("now", mixed.loss);
  if (std::isfinite(bounds.error)) std::printf("an error up to %.3g is accepted\n", bounds.error);
  if (std::isfinite(bounds.changed))
    std::printf("up to %.2f %% other first classes are accepted\n", 100 * bounds.changed);
  if (!mixed.kept.empty())
    std::printf("%zu layers stay fp32 for it, which costs %+.3f ms:\n", mixed.kept.size(),
                mixed.loss.ms - mixed.all_int8.ms);
  for (const std::string& layer : mixed.kept) std::printf("  %s\n", layer.c_str());
}

// Preferences that cannot be.
static void warn_of_preferences(const Graph& simple, const LayerChoice& choice) {
  if (choice.preferred.empty()) return;
  const Placement placement = place(simple, choice);
  for (const std::string& name : choice.preferred) {
    const std::set<std::string> only = {name};
    const auto nodes = simple.nodes();
    const auto is_it = [&](NodeId id) { return find_named(only, simple.node(id)) != only.end(); };
    if (std::none_of(nodes.begin(), nodes.end(), is_it)) log(Severity::warning, "there is no layer '{}'", name);
    for (const FloatLayer& layer : placement.kept)
      if (is_it(layer.node) && choice.int8.count(name) > 0)
        log(Severity::warning, "layer '{}' stays fp32: {}", name, layer.why);
  }
}

static bool names_precision(const CommonOptions& options, const std::string& name) {
  return ("," + options.precision + ",").find("," + name + ",") != std::string::npos;
}

bool wants_int8(const CommonOptions& options) { return names_precision(options, "int8"); }

bool wants_the_faster(const CommonOptions& options) { return wants_int8(options) && names_precision(options, "fp32"); }

static void check_flags(const CommonOptions& options) {
  const QuantizationFlags& flags = options.quantization;
  if (!flags.table.empty() && !flags.data.data.empty())
    throw UsageError("--calibration and --calibrate; one of them is accepted");
  if (!flags.table.empty() && (flags.correct_bias || flags.equalise || flags.round_weights))
    throw UsageError(fmt::format("{}: a table has what calibrate wrote of it; it goes with --calibrate",
                                 flags.correct_bias ? "--correct-bias"
                                 : flags.equalise   ? "--equalise"
                                                    : "--round-weights"));
  if (flags.bounded() && flags.data.data.empty())
    throw UsageError("--max-error, --max-drop: samples are needed to judge by; --calibrate gives them");
}

std::optional<Quantization> quantization_of(const CommonOptions& options, const Graph& graph, Device& device) {
  const QuantizationFlags& flags = options.quantization;
  const bool given = !flags.table.empty() || !flags.data.data.empty();
  if (!given && has_numbers(graph)) return std::nullopt;
  if (!given)
    throw UsageError(
        fmt::format("--precision {}: --calibration TABLE or --calibrate SAMPLES says which range the values have "
                    "(planish calibrate {} --data DIR -o TABLE)",
                    options.precision, options.model));
  check_flags(options);
  const LossBounds bounds = loss_bounds(flags);
  Quantization found{simplified(graph.clone()), {}, {}};
  found.how.layers = layer_choice(flags);
  warn_of_preferences(found.simple, found.how.layers);
  found.table = obtain_calibration(options, found.simple, device);
  if (!flags.bounded()) return found;
  Sensitivity sensitivity(found.simple, device, judged_samples(flags, found.simple), progress_of(options));
  const MixedPrecision mixed = sensitivity.search(found.table, found.how, bounds);
  clear_progress();
  if (!options.quiet) print_mixed(mixed, bounds);
  found.how.layers = mixed.layers;
  return found;
}

Graph quantized_model(const CommonOptions& options, Graph graph, Device& device) {
  const auto found = quantization_of(options, graph, device);
  if (!found) return graph;
  QuantizedLayers layers;
  Graph numbers =
      with_context([&] { return options.quantization.table.empty() ? options.model : options.quantization.table; },
                   [&] { return quantized(found->simple, found->table, found->how, &layers); });
  if (!options.quiet) say_layers(layers, options.verbose);
  return numbers;
}

void print_fastest(const FastestPlan& fastest) {
  std::printf("int8 %.3f ms, fp32 %.3f ms", fastest.int8_ms, fastest.fp32_ms);
  if (fastest.mixed_ms > 0) std::printf(", %zu layers in fp32 %.3f ms", fastest.fp32.size(), fastest.mixed_ms);
  std::printf(": %s is taken\n", fastest.taken.c_str());
  for (const std::string& layer : fastest.fp32)
    if (fastest.taken == "mixed") std::printf("  %s is faster in fp32\n", layer.c_str());
}

}  // namespace planish::cli
