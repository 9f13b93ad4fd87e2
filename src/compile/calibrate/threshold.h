#pragma once
// The largest magnitude that numbers of 8 bits shall stand for, from a histogram.

#include <string>

#include "compile/calibrate/histogram.h"

namespace planish {

enum class CalibrationMethod { entropy, min_max, percentile, mse, best };  // best: of the four, by the outputs' error

const char* method_name(CalibrationMethod method);  // "entropy", "minmax", "percentile", "mse", "best"
// Error(invalid_argument) lists the names.
CalibrationMethod parse_method(const std::string& name);

// entropy: bins i in 128 … 2048 are tried as the range; P is the first i bins with what lies beyond added to the last
// one, Q the same bins without it, brought to 128 levels: each level's count spread evenly over those of its bins that
// are not empty. The range with the least sum P log(P / Q) of the normalised counts is taken, the widest of equal ones.
// Bin 0, full of zeros, counts as bin 1. (Szymon Migacz, "8-bit inference with TensorRT", GTC 2017, and the histogram
// calibrator of NVIDIA's pytorch-quantization.)
double entropy_threshold(const Histogram& histogram);

// The least edge below which `percent` of the elements lie.
double percentile_threshold(const Histogram& histogram, double percent);

// The edge with the least squared error of bin centres that are clipped there and rounded to `levels` steps of it.
double mse_threshold(const Histogram& histogram, int levels);

// 0: nothing but zeros was seen. `levels`: steps from 0 to the threshold (127, or 255 where values are never negative).
double threshold_of(const Histogram& histogram, CalibrationMethod method, double percent, int levels);

}  // namespace planish
