#pragma once
// Convolutions with constant weights and what is fused behind them, as passes behind fuse_epilogue find them.

#include <optional>

#include "ir/graph.h"

namespace planish::passes {

struct ProductNode {
  const Node* anchor = nullptr;  // the conv itself, perhaps in the node's body
  int64_t columns = 0;
  size_t others = 0;  // operands that are computed, besides the image: tensors of the result's type
};

// A conv of halves, alone or in front of its epilogue, whose image is operand 0. Nothing where an operand is of another
// kind.
std::optional<ProductNode> conv_product(const Graph& graph, NodeId id);

// The same of one tap, of whole pixels as they lie.
std::optional<ProductNode> one_pixel_product(const Graph& graph, NodeId id);

}  // namespace planish::passes
