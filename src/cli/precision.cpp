#include "cli/precision.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/progress.h"
#include "cli/report.h"
#include "compile/calibrate/islands.h"
#include "compile/pipeline.h"
#include "ops/builder.h"

namespace planish::cli {
namespace {

nlohmann::json decibels_json(double decibels) {
  return std::isfinite(decibels) ? nlohmann::json(decibels) : nlohmann::json("inf");
}

nlohmann::json verify_json(const std::vector<LayerSensitivity>& layers, const MixedPrecision& mixed) {
  nlohmann::json rows = nlohmann::json::array();
  for (const LayerSensitivity& layer : layers)
    rows.push_back({{"name", layer.layer},
                    {"operator", layer.op},
                    {"sqnr_db", decibels_json(layer.own_decibels)},
                    {"end_sqnr_db", decibels_json(layer.end_decibels)},
                    {"ms_int8", layer.int8_ms},
                    {"ms_fp32", layer.ms}});
  return {{"layers", rows},
          {"error_all_int8", mixed.all_int8.error},
          {"error", mixed.loss.error},
          {"changed_all_int8", mixed.all_int8.changed},
          {"changed", mixed.loss.changed},
          {"fp32", mixed.kept},
          {"ms_all_int8", mixed.all_int8.ms},
          {"ms", mixed.loss.ms},
          {"ms_fp32", mixed.fp32_ms}};
}

}  // namespace

void verify_layers(CommonOptions& options) {
  if (!wants_int8(options)) throw UsageError("--data: --precision int8 is what samples are for");
  declare_files(options, {});
  const auto device = open_device(options);
  const Graph simple = simplified(import_model(options, {}));
  const CalibrationTable calibration = obtain_calibration(options, simple, *device);
  QuantizeOptions how;
  how.layers = layer_choice(options.quantization);
  std::function<bool(const BuildProgress&)> progress;
  if (!options.quiet) progress = show_progress;
  Sensitivity sensitivity(simple, *device, judged_samples(options.quantization, simple), progress);
  const auto layers = sensitivity.layers(calibration, how);
  const LossBounds bounds = loss_bounds(options.quantization);
  const MixedPrecision mixed = sensitivity.search(calibration, how, bounds);
  clear_progress();
  if (!options.json.empty()) write_json(options.json, verify_json(layers, mixed));
  if (options.quiet) return;
  std::printf("%10s %10s %10s %10s  %-10s %s\n", "own dB", "end dB", "int8 ms", "fp32 ms", "operator",
              "layer that alone is int8");
  for (const LayerSensitivity& layer : layers)
    std::printf("%10.2f %10.2f %10.3f %10.3f  %-10s %s\n", layer.own_decibels, layer.end_decibels, layer.int8_ms,
                layer.ms, layer.op.c_str(), layer.layer.c_str());
  std::printf("all int8: %.2f dB at the outputs\n", -20 * std::log10(mixed.all_int8.error));
  if (options.quantization.bounded()) print_mixed(mixed, bounds);
}

void print_islands(const CommonOptions& options) {
  const auto device = open_device(options);
  Graph graph = import_model(options, {});
  if (wants_int8(options)) graph = quantized_model(options, std::move(graph), *device);
  infer_all(graph);
  run_pipeline(graph, pipeline(true), "");
  const auto islands = float_islands(graph);
  std::printf("%zu layers compute in floats between integer ones\n", islands.size());
  for (const FloatIsland& island : islands)
    std::printf("  %-20s %-48s %s\n", island.op.c_str(), island.layer.c_str(), island.why.c_str());
}

}  // namespace planish::cli
