#pragma once
// Quantisation and dequantisation written into a network, from what calibration found.
//
// A value of largest magnitude m, by what the operators before it leave (compile/calibrate/bounds.h):
//   never below 0                 u8, zero 0, scale m / 255
//   never below -a, 0 < a < m     u8, scale (m + a) / 255, zero the nearest to a / scale
//   any other                     scale m / 127, zero 0 (s8) or 128 (u8)
// Weights: s8, zero 0, a scale for each column: its largest magnitude by 127; in columns of up to 256 weights, as those
// of depthwise convolutions, by the number from 96 to 127 in steps of 1/4 that rounds them with the least squared
// error.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compile/calibrate/placement.h"
#include "compile/calibrate/table.h"

namespace planish {

struct QuantizeOptions {
  LayerChoice layers;
  bool signed_activations = false;  // s8 alone; else u8, which x86 multiplies by s8
  bool allow_missing = false;       // products whose value has no scale stay fp32; else Error(invalid_argument)
};

struct QuantizedLayers {
  std::vector<std::string> int8;                          // products
  std::vector<std::pair<std::string, std::string>> fp32;  // products, with the reason
};

// Only the passes that every build begins with: names of values and layers are those that calibration speaks of.
Graph simplified(Graph graph);

// `graph`: simplified. With means, the weights' rounding is taken out of the mean result of each product:
//   bias += sum over inputs of (W - rounded W) * mean of the input
Graph quantized(const Graph& graph, const CalibrationTable& table, const QuantizeOptions& options,
                QuantizedLayers* layers = nullptr);

// Signal by noise of `found` beside `expected`, over tensors that are added.
class SignalToNoise {
 public:
  void add(const Tensor& found, const Tensor& expected);
  double decibels() const;  // infinite when all were equal

 private:
  double signal_ = 0, noise_ = 0;
};

}  // namespace planish
