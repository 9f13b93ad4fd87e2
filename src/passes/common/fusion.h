#pragma once
// Making a fused node of a set of nodes.

#include <vector>

#include "ir/graph.h"

namespace planish::passes {

// Nodes in topological order, of which only the last one's result is used outside. They become one `fused`
// node that keeps them as its body; scalar constants move inside, everything else enters as an operand.
void fuse(Graph& graph, const std::vector<NodeId>& nodes);

// A pointwise node on f32 and booleans; constants of one element may be of any type.
bool is_fusible_pointwise(const Graph& graph, const Node& node);

}  // namespace planish::passes
