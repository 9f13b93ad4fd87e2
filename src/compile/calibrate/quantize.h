#pragma once
// Quantisation and dequantisation written into a network, from what calibration found.
//
// A value of largest magnitude m whose elements the table says to lie in [low, high]: u8, scale (b - a) / 255, zero the
// nearest to -a / scale, with a = min(0, max(low, -m)) and b = max(0, min(high, m)). Of other values, by what the
// operators before them leave (compile/calibrate/bounds.h):
//   never below 0                 u8, zero 0, scale m / 255
//   never below -a, 0 < a < m     u8, scale (m + a) / 255, zero the nearest to a / scale
//   any other                     scale m / 127, zero 0 (s8) or 128 (u8)
// min(x, limit) before such numbers vanishes where m <= limit: they end there. Weights: s8, zero 0, those of the table
// or the nearest, by scales of their own (compile/calibrate/weights.h).

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

// `graph`: simplified. Channels are brought to like ranges where the table has them (compile/calibrate/equalise.h), for
// all choices of layers alike. With means, the weights' rounding is taken out of the mean result of each product:
//   bias += sum over inputs of (W - rounded W) * mean of the input
Graph quantized(const Graph& graph, const CalibrationTable& table, const QuantizeOptions& options,
                QuantizedLayers* layers = nullptr);

// Scales of weights are searched for once, where networks of several choices of layers are made.
void note_weight_scales(const Graph& graph, CalibrationTable& table);

// Signal by noise of `found` beside `expected`, over tensors that are added.
class SignalToNoise {
 public:
  void add(const Tensor& found, const Tensor& expected);
  double decibels() const;  // infinite when all were equal

 private:
  double signal_ = 0, noise_ = 0;
};

// Of several outputs the worst counts, so that none hides behind another of larger values.
class OutputNoise {
 public:
  void add(const std::string& output, const Tensor& found, const Tensor& expected) { of_[output].add(found, expected); }
  double decibels() const;

 private:
  std::map<std::string, SignalToNoise> of_;
};

}  // namespace planish
