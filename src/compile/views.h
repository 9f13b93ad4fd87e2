#pragma once
// Windows: which operators only look at their operand's memory differently, and how.

#include <optional>

#include "ir/graph.h"
#include "plan/plan.h"
#include "tactics/tactic.h"

namespace planish {

// Strides equal those of a dense tensor in `layout`; axes of extent 1 do not matter.
bool is_dense(const ViewDesc& view, Layout layout);

// Whether an operand in this place serves a kernel of this rule as it is. `strided`: the kernel takes windows of
// channels-last tensors, too.
bool accepts(LayoutRule rule, bool strided, const ViewDesc& view);

// Whether neighbouring elements follow the order: dense, or a window of a channels-last tensor.
bool lies(const ViewDesc& view, Layout layout);

// The i-th result of a view operator as a window of `source` (operand 0's view); nullopt when the strides do
// not permit it, or the operator's bounds are not known as expressions.
std::optional<ViewDesc> window_of(const Graph& graph, const Node& node, size_t result, const ViewDesc& source);

// The same elements in row-major order under other extents, equal in number; nullopt where axes would have to join
// that do not follow each other in memory.
std::optional<ViewDesc> reshaped(const ViewDesc& source, const Shape& target);

ViewDesc dense_view(int32_t buffer, const TensorType& type, Layout layout);

}  // namespace planish
