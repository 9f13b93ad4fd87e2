// m = mean(x), d = x - m, r = 1 / sqrt(mean(d^2) + epsilon):
//   d r scale + bias                            ->  layer_normalization(x, scale, bias)
//   x s + (bias - m s) with s = r scale         ->  the same: a batch normalisation of rows, as TensorFlow writes it
// over the last axis; d^2 as pow(d, 2) or d * d, d r as a division.

#include "ir/matcher.h"
#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_last_axis_mean(const Graph& graph, ValueId id) {
  const Node& node = graph.node(graph.value(id).producer);
  if (node.attrs.get_or<int64_t>("keepdims", 1) == 0 || node.inputs.size() < 2 ||
      !graph.value(node.inputs[1]).is_constant())
    return false;
  const auto axes = graph.value(node.inputs[1]).constant.to_ints();
  const int rank = graph.value(node.inputs[0]).type.shape.rank();
  return axes.size() == 1 && normalize_axis(axes[0], rank) == rank - 1;
}

Pattern layer_norm_pattern() {
  const Pattern x = any().as("x");
  const Pattern mean = op("reduce_mean", {x}).where(is_last_axis_mean).shared().as("mean");
  const Pattern d = op("sub", {x, mean}).shared().as("d");
  const Pattern square = op("pow", {d, constant(2)}).or_else(op("mul", {d, d}));
  const Pattern variance = op("reduce_mean", {square}).where(is_last_axis_mean);
  const Pattern root = op("sqrt", {op("add", {variance, constant().as("epsilon")}).commutative()});
  const Pattern inverse = op("reciprocal", {root});
  const Pattern normal = op("div", {d, root}).or_else(op("mul", {d, inverse}).commutative());
  const Pattern scale = constant().as("scale"), bias = constant().as("bias");
  const Pattern scaled = op("mul", {normal, scale}).commutative();
  const Pattern factor = op("mul", {inverse, scale}).commutative().shared().as("factor");
  const Pattern rest = op("sub", {bias, op("mul", {mean, factor}).commutative()});
  const Pattern shifted = op("add", {op("mul", {x, factor}).commutative(), rest}).commutative();
  return op("add", {scaled, bias}).commutative().or_else(shifted);
}

bool is_row(const Graph& graph, ValueId id, Dim extent) {
  const Tensor& tensor = graph.value(id).constant;
  return tensor.rank() == 1 && Dim(tensor.extents()[0]) == extent;
}

bool recognise_at(Graph& graph, NodeId id, const Pattern& pattern) {
  const ValueId result = graph.node(id).outputs[0];
  const Match found = match(graph, result, pattern);
  if (!found) return false;
  const Shape& shape = graph.value(found["x"]).type.shape;
  const Dim last = shape[shape.rank() - 1];
  const Tensor& epsilon = graph.value(found["epsilon"]).constant;
  if (!is_row(graph, found["scale"], last) || !is_row(graph, found["bias"], last) || epsilon.element_count() != 1)
    return false;
  Patch patch(graph);
  patch.replace(result, add_op(patch, "layer_normalization", {found["x"], found["scale"], found["bias"]},
                               {{"axis", int64_t{-1}}, {"epsilon", epsilon.to_doubles()[0]}}));
  patch.apply();
  return true;
}

}  // namespace

Pass recognise_layer_norm() {
  return {"recognise_layer_norm", [](Graph& graph) {
            const Pattern pattern = layer_norm_pattern();
            bool changed = false;
            for (NodeId id : graph.nodes())
              if (graph.alive(id) && graph.node(id).op == "add") changed |= recognise_at(graph, id, pattern);
            return changed;
          }};
}

}  // namespace planish::passes
