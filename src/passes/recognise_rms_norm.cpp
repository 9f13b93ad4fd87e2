// r = 1 / sqrt(mean(x^2) + epsilon);  x * r * scale  ->  rms_normalization(x, scale)
// over the last axis; x^2 as pow(x, 2) or x * x, the root as sqrt with div or reciprocal, or as pow(…, -0.5).

#include "ir/matcher.h"
#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_mean_of_rows(const Graph& graph, ValueId id) {
  const Node& node = graph.node(graph.value(id).producer);
  const auto axes = ints_of(graph, node, 1);
  const int rank = graph.value(node.inputs[0]).type.shape.rank();
  return axes && axes->size() == 1 && node.attrs.get_or<int64_t>("keepdims", 1) != 0 &&
         normalize_axis((*axes)[0], rank) == rank - 1;
}

Pattern rms_norm_pattern() {
  const Pattern x = any().as("x");
  const Pattern square = op("pow", {x, constant(2)}).or_else(op("mul", {x, x}));
  const Pattern mean = op("reduce_mean", {square}).where(is_mean_of_rows);
  const Pattern sum = op("add", {mean, constant().as("epsilon")}).commutative();
  const Pattern root = op("sqrt", {sum});
  const Pattern inverse =
      op("reciprocal", {root}).or_else(op("div", {constant(1), root})).or_else(op("pow", {sum, constant(-0.5)}));
  const Pattern normal = op("div", {x, root}).or_else(op("mul", {x, inverse}).commutative());
  return op("mul", {normal, constant().as("scale")}).commutative();
}

bool recognise_rms_norm_at(Graph& graph, NodeId id, const Pattern& pattern) {
  const ValueId result = graph.node(id).outputs[0];
  const Match found = match(graph, result, pattern);
  if (!found || graph.value(found["x"]).type != graph.value(result).type) return false;
  const Shape& shape = graph.value(found["x"]).type.shape;
  const Tensor& scale = graph.value(found["scale"]).constant;
  const auto epsilon = scalar_of(graph, found["epsilon"]);
  if (!epsilon || scale.rank() != 1 || Dim(scale.extents()[0]) != shape[shape.rank() - 1]) return false;
  Patch patch(graph);
  patch.replace(result, add_op(patch, "rms_normalization", {found["x"], found["scale"]},
                               {{"axis", int64_t{-1}}, {"epsilon", *epsilon}}));
  patch.apply();
  return true;
}

}  // namespace

Pass recognise_rms_norm() {
  return {"recognise_rms_norm", [](Graph& graph) {
            const Pattern pattern = rms_norm_pattern();
            return sweep(graph, [&](Graph& g, NodeId id) {
              return g.node(id).op == "mul" && recognise_rms_norm_at(g, id, pattern);
            });
          }};
}

}  // namespace planish::passes
