#pragma once
// Computing a node whose operands are constant.

#include "ir/graph.h"

namespace planish::passes {

// Pure, with constant operands only and results that are not much larger: a plan should not grow by an expanded zero.
bool is_foldable(const Graph& graph, const Node& node);
// Its results become constants; false where an output is one of them or it cannot be computed.
bool fold_node(Graph& graph, NodeId id);

}  // namespace planish::passes
