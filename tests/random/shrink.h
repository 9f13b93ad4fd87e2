#pragma once
// A smaller network that goes wrong in the same way.

#include <functional>

#include "ir/graph.h"

namespace planish::testing {

// `fails` says whether a network still goes wrong; at most `tries` are asked. Outputs and nodes are dropped, values
// become inputs, named extents numbers, and extents smaller.
Graph shrink(const Graph& graph, const std::function<bool(const Graph&)>& fails, int tries = 1000);

}  // namespace planish::testing
