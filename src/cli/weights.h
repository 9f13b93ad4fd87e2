#pragma once
// Weights as numbers of few bits: the flags of building and of `quantize`.

#include <string>
#include <vector>

#include "compile/weights.h"

namespace CLI {
class App;
}

namespace planish::cli {

struct WeightFlags {
  int block = -1;
  bool asymmetric = false, dynamic = false;
  std::vector<std::string> exclude;
};

// --block, --asymmetric, --dynamic, --exclude
void add_weight_options(CLI::App& command, WeightFlags& flags);
// `weights`: "int8", "int4", or "" (which --dynamic alone makes int8); UsageError for flags without effect.
WeightOptions weight_options(const std::string& weights, const WeightFlags& flags);
bool is_weight_precision(const std::string& text);  // int8 or int4

}  // namespace planish::cli
