#pragma once
// Which chains of convolutions around a depthwise one run as one step.

#include <functional>
#include <string>

#include "ir/graph.h"

namespace planish {

// Microseconds of a node of a graph; < 0: not known.
using NodeCost = std::function<double(const Graph&, const Node&)>;

// Those become one node each whose cost is below that of their nodes together; the rest of the graph stays. Returns
// their number.
int fuse_blocks(Graph& graph, const NodeCost& cost);

}  // namespace planish
