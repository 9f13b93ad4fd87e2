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
  int expected = 0;                                    // samples, for progress; 0: not known
  QuantizeOptions quantize;                            // that the method `best` is judged with
  std::function<bool(const BuildProgress&)> progress;  // false cancels: Error(cancelled)
};

struct CalibrationReport {
  int samples = 0;
  CalibrationMethod method = CalibrationMethod::entropy;  // that was taken
  std::map<std::string, double> decibels;                 // of the outputs, by method: of `best` alone
  std::vector<std::string> dead, constant;                // values that are 0, or one number, in every sample
};

// `graph`: simplified(). Error(invalid_argument): no sample, one that lacks an input or has NaN or infinite elements;
// values that are not finite. Fewer than 8 samples, dead and constant values are warned of by name.
CalibrationTable calibrate(const Graph& graph, Device& device, const CalibrateOptions& options,
                           const SampleSource& source, CalibrationReport* report = nullptr);

}  // namespace planish
