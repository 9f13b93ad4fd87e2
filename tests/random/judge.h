#pragma once
// A network optimised against its reference kernels, on fresh data.

#include <string>

#include "ir/graph.h"

namespace planish::testing {

// In words, for reports.
std::string random_tolerance();

// What is wrong, or "". Networks with named extents run at the least, the most and some extents between. A difference
// counts where the reference itself does not move as much when inputs and constants move by 1e-5: a value that stands
// on the edge of a comparison or of a rounding may fall to either side.
std::string judge(const Graph& graph, uint32_t seed);

}  // namespace planish::testing
