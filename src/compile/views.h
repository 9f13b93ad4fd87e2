#pragma once
// Windows: which operators only look at their operand's memory differently, and how.

#include <optional>

#include "ir/graph.h"
#include "plan/plan.h"

namespace planish {

// Strides equal those of a dense tensor in `layout`; axes of extent 1 do not matter.
bool is_dense(const ViewDesc& view, Layout layout);

// The i-th result of a view operator as a window of `source` (operand 0's view); nullopt when the strides do
// not permit it, or the operator's bounds are not known as expressions.
std::optional<ViewDesc> window_of(const Graph& graph, const Node& node, size_t result, const ViewDesc& source);

ViewDesc dense_view(int32_t buffer, const TensorType& type, Layout layout);

}  // namespace planish
