#pragma once
// int8 where it is faster: fp32 and int8 are both permitted, measured time decides.

#include <string>
#include <vector>

#include "compile/calibrate/calibrate.h"

namespace planish {

struct FastestPlan {
  Plan plan;
  std::string taken;                              // "int8", "fp32" or "mixed"
  std::vector<std::string> fp32;                  // layers of the mixed plan that are faster so
  double int8_ms = 0, fp32_ms = 0, mixed_ms = 0;  // the least of runs in turns; mixed_ms 0: no layer is faster in fp32
};

// Builds the network as numbers and in fp32, and one in which each layer is what took less time; of these three the
// fastest is taken. `graph`: simplified(). Layers that `options` asks to be int8 stay so, but where fp32 is taken
// whole.
FastestPlan build_fastest(const Graph& graph, const CalibrationTable& table, const QuantizeOptions& options,
                          std::shared_ptr<Device> device, const BuildOptions& build_options, BuildReport* report);

}  // namespace planish
