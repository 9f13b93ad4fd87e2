#pragma once
// How much each layer loses in integers of 8 bits, and which layers to keep in fp32 for a bound on the error.

#include <string>
#include <vector>

#include "compile/calibrate/calibrate.h"

namespace planish {

struct LayerSensitivity {
  std::string layer, op;
  double own_decibels = 0;  // signal to noise of its own result when it alone is int8
  double end_decibels = 0;  // of the network's outputs then
};

struct MixedPrecision {
  LayerChoice layers;
  std::vector<std::string> kept;  // in fp32 for the error's sake, the most sensitive first
  double error = 0;               // relative L2 of the outputs: 10 ^ (-decibels / 20)
  double all_int8_error = 0;
  double ms = 0, all_int8_ms = 0;  // of a run, estimates choosing the kernels
};

// Judges a network on samples beside its fp32 results. `graph`: simplified().
class Sensitivity {
 public:
  Sensitivity(const Graph& graph, Device& device, std::vector<Sample> samples,
              std::function<bool(const BuildProgress&)> progress = {});

  // Of the layers that `options` lets be int8, in order of execution.
  std::vector<LayerSensitivity> layers(const CalibrationTable& calibration, const QuantizeOptions& options);
  // Keeps the fewest of the most sensitive layers in fp32 that bring the error to `most` (found by halving, as more
  // layers in fp32 seldom make it worse). Error(unsupported) says what the least error is.
  MixedPrecision search(const CalibrationTable& calibration, const QuantizeOptions& options, double most);

 private:
  double decibels(const Graph& numbers, const std::string& also, double* own, double* ms);
  MixedPrecision judged(const CalibrationTable& calibration, const QuantizeOptions& options,
                        const std::vector<std::string>& kept);

  const Graph& graph_;
  std::shared_ptr<Device> device_;
  std::vector<Sample> samples_;
  std::vector<std::map<std::string, Tensor>> expected_;
  std::function<bool(const BuildProgress&)> progress_;
};

}  // namespace planish
