#include "cli/quantization.h"

#include <CLI/CLI.hpp>
#include <algorithm>
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
  command.add_option("--layer-precision", flags.layers, "NAME=fp32 or NAME=int8: of one layer, with --precision int8");
}

void add_calibration_options(CLI::App& command, QuantizationFlags& flags, const std::string& data) {
  command.add_option(data, flags.data.data,
                     "Samples: a folder of .jpg, .png, .npy or .npz, or one .npy or .npz whose first axis counts them");
  if (command.get_option_no_throw("--image") == nullptr)
    command.add_option("--image", flags.data.images, "NAME:RECIPE for pictures, as for run");
  command.add_option("--samples", flags.data.samples, "So many of the samples, evenly spread; 0: all");
  command.add_option("--method", flags.method, "entropy, minmax, percentile, mse, or best: the one of least error");
  command.add_option("--percentile", flags.percent, "Share of the values, in percent, that --method percentile covers");
  command.add_flag("--correct-bias", flags.correct_bias,
                   "Take the weights' rounding out of the mean results; a table gets the means that this needs");
}

void add_error_option(CLI::App& command, QuantizationFlags& flags) {
  command.add_option(
      "--max-error", flags.most_error,
      "Relative L2 error of the outputs beside fp32: the most sensitive layers stay fp32 until it holds");
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
    const auto [name, type] = split_assignment("--layer-precision", text);
    if (type == "fp32")
      choice.fp32[name] = "--layer-precision says so";
    else if (type == "int8")
      choice.int8.insert(name);
    else
      throw UsageError(fmt::format("--layer-precision {}: NAME=fp32 and NAME=int8 are accepted", text));
    if (choice.fp32.count(name) > 0 && choice.int8.count(name) > 0)
      throw UsageError(fmt::format("--layer-precision {}: '{}' has a precision already", text, name));
  }
  return choice;
}

CalibrationTable calibrate_by_flags(const CommonOptions& options, const Graph& simple, Device& device,
                                    CalibrationReport* report) {
  CalibrationReport own;
  CalibrationReport& out = report != nullptr ? *report : own;
  const Samples samples("--data", options.quantization.data, input_types(simple));
  CalibrateOptions how = calibrate_options(options.quantization, options.quiet);
  how.expected = samples.count();
  CalibrationTable found = calibrate(simple, device, how, samples.source(), &out);
  clear_progress();
  if (options.quiet) return found;
  for (const auto& [method, decibels] : out.decibels) std::printf("%-12s %6.2f dB\n", method.c_str(), decibels);
  std::printf("calibrated with %d samples by %s: %zu tensors\n", out.samples, method_name(out.method),
              found.scales.size());
  return found;
}

CalibrationTable obtain_calibration(const CommonOptions& options, const Graph& simple, Device& device) {
  const std::string& table = options.quantization.table;
  if (table.empty()) return calibrate_by_flags(options, simple, device);
  return with_context([&] { return table; }, [&] { return parse_table(read_file(table)); });
}

std::vector<Sample> judged_samples(const QuantizationFlags& flags, const Graph& simple) {
  constexpr int kJudged = 8;
  DataFlags data = flags.data;
  data.samples = data.samples == 0 ? kJudged : std::min(data.samples, kJudged);
  const Samples source("--data", data, input_types(simple));
  std::vector<Sample> samples;
  for (int i = 0; i < source.count(); ++i) samples.push_back(source.at(i));
  return samples;
}

void print_mixed(const MixedPrecision& mixed, double most) {
  std::printf("error of the outputs: all int8 %.3g (%.3f ms), now %.3g (%.3f ms, %+.3f); up to %.3g is accepted\n",
              mixed.all_int8_error, mixed.all_int8_ms, mixed.error, mixed.ms, mixed.ms - mixed.all_int8_ms, most);
  for (const std::string& layer : mixed.kept) std::printf("  %s stays fp32 for it\n", layer.c_str());
}

bool wants_int8(const CommonOptions& options) {
  return ("," + options.precision + ",").find(",int8,") != std::string::npos;
}

Graph quantized_model(const CommonOptions& options, Graph graph, Device& device) {
  const QuantizationFlags& flags = options.quantization;
  const bool given = !flags.table.empty() || !flags.data.data.empty();
  if (!given && has_numbers(graph)) return graph;
  if (!given)
    throw UsageError(
        fmt::format("--precision {}: --calibration TABLE or --calibrate SAMPLES says which range the values have "
                    "(planish calibrate {} --data DIR -o TABLE)",
                    options.precision, options.model));
  if (!flags.table.empty() && !flags.data.data.empty())
    throw UsageError("--calibration and --calibrate; one of them is accepted");
  if (!flags.table.empty() && flags.correct_bias)
    throw UsageError(
        "--correct-bias: a table has the means that calibrate --correct-bias wrote; it goes with --calibrate");
  if (flags.most_error > 0 && flags.data.data.empty())
    throw UsageError("--max-error: samples are needed to judge by; --calibrate gives them");
  const Graph simple = simplified(std::move(graph));
  const CalibrationTable calibration = obtain_calibration(options, simple, device);
  QuantizeOptions how;
  how.layers = layer_choice(flags);
  if (flags.most_error > 0) {
    Sensitivity sensitivity(simple, device, judged_samples(flags, simple), progress_of(options));
    const MixedPrecision mixed = sensitivity.search(calibration, how, flags.most_error);
    clear_progress();
    if (!options.quiet) print_mixed(mixed, flags.most_error);
    how.layers = mixed.layers;
  }
  QuantizedLayers layers;
  Graph numbers = with_context([&] { return flags.table.empty() ? options.model : flags.table; },
                               [&] { return quantized(simple, calibration, how, &layers); });
  if (!options.quiet) say_layers(layers, options.verbose);
  return numbers;
}

}  // namespace planish::cli
