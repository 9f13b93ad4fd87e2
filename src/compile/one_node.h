#pragma once
// A node by itself: what candidates of it are timed in.

#include "ir/graph.h"

namespace planish {

// A graph of this node alone, at the extents to tune for: operands become inputs, constants stay.
Graph one_node_graph(const Graph& graph, const Node& node);

// Whether data decides some of its extents: those to tune for are guesses, which need not go together.
bool is_guessed(const Graph& graph, const Node& node);

}  // namespace planish
