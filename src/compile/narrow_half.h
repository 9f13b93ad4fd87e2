#pragma once
// f32 is stored as f16, for a GPU that computes with halves:
//   y = f(x, c)  ->  h(y) = f(h(x), h(c)),   h(v): v rounded to f16, within its range
// Inputs and outputs of the network and operators that have no kernel for halves keep f32, with casts between. Kernels
// widen what they load and sum in f32. No pass of the pipeline: results are rounded, which no pass may do.

#include "ir/graph.h"

namespace planish {

void narrow_half(Graph& graph);

}  // namespace planish
