#pragma once
// Channels brought to like ranges before a value becomes numbers of one scale.

#include <map>
#include <vector>

#include "compile/calibrate/table.h"
#include "ir/graph.h"

namespace planish {

// Where a value's numbers have convolutions, rectifiers and concats of them before, and products alone as readers,
//   x'_c = x_c / s_c,  s_c = min(1, 5/4 t_c / t)^a,  t_c the largest magnitude of channel c, t that of the value (both
//   of
// `table`),
// is written into the weights and biases before and after, and into min(x, limit): results stay what they were. Of a in
// 0, 1/4 … 1 the one is taken whose numbers and rounded weights are expected to disturb the readers least:
//   sum over outputs o, inputs c of |W_oc|^2 s_c^2 step^2 / 12 + (max_c |W_oc s_c| / 127)^2 / 12 * E[x_c^2] / s_c^2
// Means of `table` follow. Values of which it has no channels stay as they are. Returns s by product that reads such.
std::map<NodeId, std::vector<double>> equalise(Graph& graph, CalibrationTable& table);

}  // namespace planish
