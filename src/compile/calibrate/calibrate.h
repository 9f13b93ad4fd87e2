#pragma once
// Calibration: samples are run through a plan of the network whose results include every value that shall become
// numbers of 8 bits; histograms of these give the scales.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "compile/build.h"
#include "compile/calibrate/quantize.h"
#include "compile/calibrate/threshold.h"

namespace planish {

using Sample = std::map<std::string, Tensor>;                 // by input
using SampleSource = std::function<std::optional<Sample>()>;  // nothing: there are no more

struct CalibrateOptions {
  CalibrationMethod method = CalibrationMethod::entropy;
  double percent = 99.99;                              // of the method percentile
  bool correct_bias = false;                           // notes the means that this needs
  bool equalise = false;                               // notes the channels that this needs
  bool round_weights = false;                          // notes numbers of weights (compile/calibrate/rounding.h)
  int expected = 0;                                    // samples, for progress; 0: not known
  QuantizeOptions quantize;                            // that the method `best` is judged with
  std::function<bool(const BuildProgress&)> progress;  // false cancels: Error(cancelled)
};

struct CalibrationReport {
  int samples = 0;
  CalibrationMethod method = CalibrationMethod::entropy;  // that was taken
  std::map<std::string, double> decibels;                 // of the outputs, by method and more: of `best` alone
  bool equalised = false, rounded = false;                // whether the table has what these need
  std::vector<std::string> dead, constant;                // values that are 0, or one number, in every sample
};

// `best` compares the four methods, then the best of them with channels equalised and with weights rounded, on up to 32
// of the samples, biases corrected throughout, and takes what is nearest to fp32.
// `graph`: simplified(). Error(invalid_argument): no sample, one that lacks an input or has NaN or infinite elements;
// values that are not finite. Fewer than 8 samples, dead and constant values are warned of by name.
CalibrationTable calibrate(const Graph& graph, Device& device, const CalibrateOptions& options,
                           const SampleSource& source, CalibrationReport* report = nullptr);

}  // namespace planish
