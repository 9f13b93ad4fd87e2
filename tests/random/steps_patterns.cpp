// Reductions, softmax and normalisation, as operators and as exporters take them apart.

#include "random/draft.h"

namespace planish::testing {
namespace {

int64_t width_of(Draft& d, ValueId x) { return std::max<int64_t>(d.dims(x).back(), 1); }

void softmax_of_parts(Draft& d, ValueId x) {
  const ValueId last = d.ints({-1}), e = d.op("exp", {d.op("sub", {x, d.op("reduce_max", {x, last})})});
  d.keep(d.op("div", {e, d.op("reduce_sum", {e, last})}));
}

void layer_norm_of_parts(Draft& d, ValueId x) {
  const ValueId last = d.ints({-1}), centred = d.op("sub", {x, d.op("reduce_mean", {x, last})});
  const ValueId variance = d.op("reduce_mean", {d.op("mul", {centred, centred}), last});
  const ValueId root = d.op("sqrt", {d.op("add", {variance, d.scalar(0.1f)})});
  const ValueId scaled = d.op("mul", {d.op("div", {centred, root}), d.floats({width_of(d, x)})});
  d.keep(d.op("add", {scaled, d.floats({width_of(d, x)})}));
}

void rms_norm_of_parts(Draft& d, ValueId x) {
  const ValueId square = d.op("reduce_mean", {d.op("mul", {x, x}), d.ints({-1})});
  const ValueId root = d.op("sqrt", {d.op("add", {square, d.scalar(0.1f)})});
  d.keep(d.op("mul", {d.op("mul", {x, d.op("reciprocal", {root})}), d.floats({width_of(d, x)})}));
}

void hard_swish_of_parts(Draft& d, ValueId x) {
  const ValueId gate = d.op("clip", {d.op("add", {x, d.scalar(3)}), d.scalar(0), d.scalar(6)});
  d.keep(d.op("div", {d.op("mul", {x, gate}), d.scalar(6)}));
}

void gelu_of_parts(Draft& d, ValueId x) {
  const ValueId gate = d.op("add", {d.op("erf", {d.op("div", {x, d.scalar(1.41421354f)})}), d.scalar(1)});
  d.keep(d.op("mul", {d.op("mul", {x, gate}), d.scalar(0.5f)}));
}

void silu_of_parts(Draft& d, ValueId x) { d.keep(d.op("mul", {x, d.op("sigmoid", {x})})); }

void softmax(Draft& d, ValueId x) {
  d.keep(d.op(d.one_in(3) ? "log_softmax" : "softmax", {x}, {{"axis", int64_t{d.pick(d.rank(x))}}}));
}

void layer_norm(Draft& d, ValueId x) {
  const int64_t width = d.dims(x).back();
  if (width < 1) return;
  const bool rms = d.one_in(3);
  std::vector<ValueId> operands = {x, d.floats({width})};
  if (!rms && d.one_in(2)) operands.push_back(d.floats({width}));
  d.keep(d.op(rms ? "rms_normalization" : "layer_normalization", operands, {{"epsilon", 1e-2}}));
}

void reduce(Draft& d, ValueId x) {
  static const char* const names[] = {"reduce_mean",       "reduce_max",         "reduce_sum",
                                      "reduce_min",        "reduce_l1",          "reduce_l2",
                                      "reduce_sum_square", "reduce_log_sum_exp", "reduce_mean"};
  const int64_t axis = d.pick(d.rank(x));
  const Ints axes = d.rank(x) == 4 && d.one_in(2) ? Ints{2, 3} : Ints{axis};
  d.keep(d.op("tanh", {d.op(d.any_of(names), {x, d.ints(axes)}, {{"keepdims", int64_t{d.pick(3) > 0}}})}));
}

void running_sum(Draft& d, ValueId x) {
  const int64_t axis = d.pick(d.rank(x));
  const Attrs attrs = {{"exclusive", int64_t{d.pick(2)}}, {"reverse", int64_t{d.pick(2)}}};
  d.keep(d.op("tanh", {d.op("cum_sum", {x, d.graph.add_constant(Tensor::scalar(axis))}, attrs)}));
}

void triangle(Draft& d, ValueId x) {
  if (d.rank(x) >= 2) d.keep(d.op("trilu", {x}, {{"upper", int64_t{d.pick(2)}}}));
}

void largest(Draft& d, ValueId x) {
  const int64_t extent = d.dims(x).back();
  if (extent < 2) return;
  const NodeId node = add_node(d.graph, "topk", {x, d.ints({1 + d.pick(2)})});
  d.keep(d.graph.node(node).outputs[0]);
}

}  // namespace

std::span<const Step> pattern_steps() {
  static const Step steps[] = {softmax_of_parts,
                               layer_norm_of_parts,
                               rms_norm_of_parts,
                               hard_swish_of_parts,
                               gelu_of_parts,
                               silu_of_parts,
                               softmax,
                               layer_norm,
                               reduce,
                               reduce,
                               reduce,
                               running_sum,
                               triangle,
                               largest};
  return steps;
}

}  // namespace planish::testing
