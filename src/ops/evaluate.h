#pragma once
// Running a node now, on host tensors, with its reference kernel: for folding, and for tests.

#include <span>
#include <vector>

#include "ir/graph.h"
#include "tensor/tensor.h"

namespace planish {

// Results of a pure node without regions whose operands are these (absent ones: not present()). The node's
// result types must be static. Error when the operator has no reference kernel, or the kernel refuses.
std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> operands);

}  // namespace planish
