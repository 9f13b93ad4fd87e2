#pragma once
// What computes in floats between layers of integers.

#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish {

struct FloatIsland {
  std::string layer, op, why;
};

// `graph`: after all passes. Nodes that an integer layer feeds, perhaps through others, and that feed one.
std::vector<FloatIsland> float_islands(const Graph& graph);

}  // namespace planish
