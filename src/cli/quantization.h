#pragma once
// int8 by calibration: the flags, and what they make of a network.

#include <string>
#include <vector>

#include "cli/samples.h"
#include "compile/calibrate/calibrate.h"

namespace CLI {
class App;
}

namespace planish::cli {

struct CommonOptions;

struct QuantizationFlags {
  std::string table;                // --calibration: a table that calibrate wrote
  DataFlags data;                   // --calibrate, or --data: samples
  std::string method = "entropy";
  double percent = 99.99;
  bool correct_bias = false;
  std::vector<std::string> layers;  // --layer-precision NAME=TYPE
};

// --calibration and --layer-precision.
void add_precision_options(CLI::App& command, QuantizationFlags& flags);
// How samples are chosen and judged; `data`: the flag that names them, "--calibrate" or "--data".
void add_calibration_options(CLI::App& command, QuantizationFlags& flags, const std::string& data);

CalibrateOptions calibrate_options(const QuantizationFlags& flags, bool quiet);
// Of the samples of flags.data; prints what was chosen, unless quiet.
Calibration calibrate_by_flags(const CommonOptions& options, const Graph& simple, Device& device,
                               CalibrationReport* report = nullptr);
LayerChoice layer_choice(const QuantizationFlags& flags);

// --precision names int8.
bool wants_int8(const CommonOptions& options);
// The network with what --calibration or --calibrate say; as it is where it has numbers of its own and neither is
// given. UsageError: nothing says what the ranges are.
Graph quantized_model(const CommonOptions& options, Graph graph, Device& device);

}  // namespace planish::cli
