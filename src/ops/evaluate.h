#pragma once
// Running a node now, on host tensors, with its reference kernel: for folding, and for tests.

#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "tensor/tensor.h"

namespace planish {

// Results of a pure node without regions whose operands are these (absent ones: not present()). The node's
// result types must be static. Error when the operator has no reference kernel, or the kernel refuses.
std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node, std::span<const Tensor> operands);

// An operand as a tensor of at most kFoldedElements, when it is constant or its contents are.
constexpr int64_t kFoldedElements = 4096;
std::optional<Tensor> known_operand(const Value& value);

// The only element of a boolean, where that is known.
std::optional<bool> known_condition(const Value& value);

// All operands of a node as tensors, absent ones included; nothing when one is not known.
std::optional<std::vector<Tensor>> known_operands(const Graph& graph, const Node& node);

}  // namespace planish
