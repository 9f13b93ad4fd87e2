#pragma once
// How much each layer loses in integers of 8 bits, and which layers to keep in fp32 for a bound on it.

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "compile/calibrate/calibrate.h"

namespace planish {

struct LayerSensitivity {
  std::string layer, op;
  double own_decibels = 0;     // signal to noise of its own result when it alone is int8
  double end_decibels = 0;     // of the network's outputs then
  double int8_ms = 0, ms = 0;  // of its steps, all layers being int8 and fp32
};

// What is accepted.
struct LossBounds {
  double error = std::numeric_limits<double>::infinity();    // relative L2 of the worst output: 10 ^ (-decibels / 20)
  double changed = std::numeric_limits<double>::infinity();  // share of samples with another first class, expected
};

struct Loss {
  double error = 0;
  double changed = 0;  // compile/calibrate/classes.h; 0 where there are no classes
  double ms = 0;       // of a run, estimates choosing the kernels
  bool within(const LossBounds& bounds) const { return error <= bounds.error && changed <= bounds.changed; }
};

struct MixedPrecision {
  LayerChoice layers;
  std::vector<std::string> kept;  // in fp32 for the loss's sake, those first that save most for their time
  Loss loss, all_int8;
  double fp32_ms = 0;
};

// Judges a network on samples beside its fp32 results. `graph`: simplified().
class Sensitivity {
 public:
  Sensitivity(const Graph& graph, Device& device, std::vector<Sample> samples,
              std::function<bool(const BuildProgress&)> progress = {});
  ~Sensitivity();

  // Of the layers that `options` lets be int8, in order of execution, on up to 8 of the samples.
  std::vector<LayerSensitivity> layers(const CalibrationTable& table, const QuantizeOptions& options);

  // Layers stay fp32, those first that take most noise from the outputs for the time that fp32 costs them, the fewest
  // of this order that bring the loss within bounds (found by halving); then, from the last on, those become int8 again
  // without which it stays there. Error(unsupported) says what the least loss is; Error(invalid_argument) where a share
  // of classes is bounded and the first output has none.
  MixedPrecision search(const CalibrationTable& table, const QuantizeOptions& options, const LossBounds& bounds);

 private:
  Loss loss_of(const CalibrationTable& table, const QuantizeOptions& options);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace planish
