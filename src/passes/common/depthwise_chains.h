#pragma once
// Chains of convolutions around a depthwise one, each with what it has fused.

#include <vector>

#include "ir/graph.h"

namespace planish::passes {

// expand -> depthwise -> project, of which the first, the last or neither may be missing; nodes in order, each read by
// the next one alone. Of every depthwise convolution the longest chain first, then its parts of two.
std::vector<std::vector<std::vector<NodeId>>> depthwise_chains(const Graph& graph);

}  // namespace planish::passes
