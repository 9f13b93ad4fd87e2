// matmul(reshape(x), W) -> reshape(matmul(x, W))   where the reshape keeps the last axis and W is a constant matrix:
// exporters make rows of [batch, sequence, K] for a gemm and undo it behind; the two reshapes then meet.

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool sink_reshape_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul" || !graph.value(node.inputs[0]).producer.valid()) return false;
  const Value& weights = graph.value(node.inputs[1]);
  const Node& reshape = graph.node(graph.value(node.inputs[0]).producer);
  if (reshape.op != "reshape" || !weights.is_constant() || weights.type.shape.rank() != 2) return false;
  const Shape &before = graph.value(reshape.inputs[0]).type.shape, &after = graph.value(node.inputs[0]).type.shape;
  if (before.rank() < 2 || after.rank() < 2 || before[before.rank() - 1] != after[after.rank() - 1]) return false;
  Patch patch(graph);
  const ValueId product = add_op(patch, "matmul", {reshape.inputs[0], node.inputs[1]});
  const auto result = add_reshape(patch, product, graph.value(node.outputs[0]).type.shape);
  if (!result || graph.value(*result).type != graph.value(node.outputs[0]).type) return false;
  patch.replace(node.outputs[0], *result);
  patch.apply();
  return true;
}

}  // namespace

Pass sink_reshape() {
  return {"sink_reshape", [](Graph& graph) { return until_settled(graph, sink_reshape_at); }};
}

}  // namespace planish::passes
