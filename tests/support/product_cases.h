#pragma once
// Convolutions of integers, and what follows a product.

#include "support/candidates.h"

namespace planish::testing {

struct ConvCase {
  int64_t n, c, h, w, m, k, stride, pad, dilation, group;
};

enum class After { nothing, bias, residual, residual_relu, scaled_residual, count };

// What follows a product of shape `like`: [1] a constant row, [2, 3] an operand of its shape, [4] a longer program.
inline ValueId add_after(Graph& graph, ValueId y, After after, const std::vector<int64_t>& row,
                         const std::vector<int64_t>& like) {
  if (after == After::nothing) return y;
  if (after == After::bias)
    return add_op(graph, "relu", {add_op(graph, "add", {y, graph.add_constant(integer_tensor(row, 13))})});
  const ValueId other = graph.add_input("other", {DataType::f32, Shape::of(like)});
  if (after == After::scaled_residual) return add_op(graph, "mul", {add_op(graph, "sub", {y, other}), other});
  const ValueId sum = add_op(graph, "add", {other, y});
  return after == After::residual ? sum : add_op(graph, "relu", {sum});
}

inline std::map<std::string, Tensor> inputs_of(After after, Tensor x, const std::vector<int64_t>& like) {
  std::map<std::string, Tensor> inputs = {{"x", std::move(x)}};
  if (after >= After::residual) inputs["other"] = integer_tensor(like, 77);
  return inputs;
}

inline std::vector<int64_t> conv_result(const ConvCase& t) {
  const auto extent = [&](int64_t in) { return (in + 2 * t.pad - t.dilation * (t.k - 1) - 1) / t.stride + 1; };
  return {t.n, t.m, extent(t.h), extent(t.w)};
}

inline Graph conv_graph(const ConvCase& t, After after) {
  Graph graph;
  const ValueId x = graph.add_input("x", {DataType::f32, {t.n, t.c, t.h, t.w}});
  const Attrs attrs = {{"strides", std::vector<int64_t>{t.stride, t.stride}},
                       {"pads", std::vector<int64_t>{t.pad, t.pad, t.pad, t.pad}},
                       {"dilations", std::vector<int64_t>{t.dilation, t.dilation}},
                       {"group", t.group}};
  const ValueId w = graph.add_constant(integer_tensor({t.m, t.c / t.group, t.k, t.k}, 11)),
                b = graph.add_constant(integer_tensor({t.m}, 12));
  graph.add_output(add_after(graph, add_op(graph, "conv", {x, w, b}, attrs), after, {t.m, 1, 1}, conv_result(t)));
  return graph;
}

}  // namespace planish::testing
