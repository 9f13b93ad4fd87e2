#pragma once
// Which products of numbers become one step of integers.

#include <string>

#include "ir/graph.h"

namespace planish::passes {

struct ProductExtents {
  int axis = 0;       // of the weights' columns
  int64_t depth = 0;  // products that are summed
};

// Empty for a conv or matmul whose operands may be numbers of 8 bits: convolutions of one group, of wide ones or of one
// channel each; matrices [K, N]. Else the reason why not. Says nothing of whether the weights are constant.
std::string refuse_numbers(const Graph& graph, const Node& product, ProductExtents& extents);

}  // namespace planish::passes
