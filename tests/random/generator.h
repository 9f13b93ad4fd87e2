#pragma once
// Random valid networks: operators in the forms that exporters write, constants, named extents, branches.

#include <map>
#include <string>

#include "random/draft.h"

namespace planish::testing {

// The same seed and options give the same network.
Graph random_graph(uint32_t seed, const RandomOptions& options = {});

// Values for the named extents within their ranges; `choice` 0: the least, 1: the most, else any.
SymbolValues random_extents(const Graph& graph, int choice, uint32_t seed);

// Data for every input.
std::map<std::string, Tensor> random_inputs(const Graph& graph, const SymbolValues& extents, uint32_t seed);

}  // namespace planish::testing
