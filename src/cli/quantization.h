#pragma once
// int8 by calibration: the flags, and what they make of a network.

#include <optional>
#include <string>
#include <vector>

#include "cli/samples.h"
#include "compile/calibrate/fastest.h"
#include "compile/calibrate/sensitivity.h"

namespace CLI {
class App;
}

namespace planish::cli {

struct CommonOptions;

struct QuantizationFlags {
  std::string table;  // --calibration: a table that calibrate wrote
  DataFlags data;     // --calibrate, or --data: samples
  std::string method = "entropy";
  double percent = 99.99;
  bool correct_bias = false, equalise = false, round_weights = false;
  std::vector<std::string> layers;  // --layer-precision NAME=TYPE
  double most_error = 0;            // --max-error; 0: none
  double most_changed = 0;          // --max-drop, percent; 0: none
  bool bounded() const { return most_error > 0 || most_changed > 0; }
};

// --calibration and --layer-precision.
void add_precision_options(CLI::App& command, QuantizationFlags& flags);
// How samples are chosen and judged; `data`: the flag that names them, "--calibrate" or "--data". --image is left to
// commands that have one.
void add_calibration_options(CLI::App& command, QuantizationFlags& flags, const std::string& data);
void add_error_option(CLI::App& command, QuantizationFlags& flags);  // --max-error, --max-drop
LossBounds loss_bounds(const QuantizationFlags& flags);              // UsageError: they are out of range

CalibrateOptions calibrate_options(const QuantizationFlags& flags, bool quiet);
// Of the samples of flags.data; prints what was chosen, unless quiet.
CalibrationTable calibrate_by_flags(const CommonOptions& options, const Graph& simple, Device& device,
                                    CalibrationReport* report = nullptr);
LayerChoice layer_choice(const QuantizationFlags& flags);

// What --calibration or the samples say.
CalibrationTable obtain_calibration(const CommonOptions& options, const Graph& simple, Device& device);
// Samples to judge by: up to 128 of those that the flags name.
std::vector<Sample> judged_samples(const QuantizationFlags& flags, const Graph& simple);
void print_mixed(const MixedPrecision& mixed, const LossBounds& bounds);

bool wants_int8(const CommonOptions& options);        // --precision names int8
bool wants_the_faster(const CommonOptions& options);  // and fp32

// What --calibration or --calibrate say of a network.
struct Quantization {
  Graph simple;
  CalibrationTable table;
  QuantizeOptions how;
};
// Nothing where the network has numbers of its own and neither is given. UsageError: nothing says what the ranges are.
std::optional<Quantization> quantization_of(const CommonOptions& options, const Graph& graph, Device& device);
// The network as numbers, or as it is.
Graph quantized_model(const CommonOptions& options, Graph graph, Device& device);
void print_fastest(const FastestPlan& fastest);

}  // namespace planish::cli
