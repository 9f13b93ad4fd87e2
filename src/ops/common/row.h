#pragma once
// What rows of the operator table have in common.

#include "ops/op.h"

namespace planish::ops {

// A row of these names and numbers; most operators have one result.
OpDef op_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&),
             FlopsFn flops);

// Flops functions: one operation an element of operand 0; none at all.
Dim elements_of_first(const Graph& graph, const Node& node);
Dim no_work(const Graph& graph, const Node& node);

}  // namespace planish::ops
