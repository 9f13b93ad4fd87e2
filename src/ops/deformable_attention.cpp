// deformable_attention: sums of weighted points of pictures of several sizes (Deformable DETR, arXiv:2010.04159, eq.
// 3).

#include "ops/common/row.h"

namespace planish::ops {
namespace {

// values [N, S, M, D], extents [L, 2], starts [L], places [N, Q, M, L, P, 2], weights [N, Q, M, L, P] -> [N, Q, M, D]
void deformable_attention_infer(InferContext& context) {
  for (size_t i : {0, 3, 4}) context.require_dtype(i, kFloats);
  for (size_t i : {1, 2}) context.require_dtype(i, kIndices);
  context.require_rank(0, 4, 4);
  context.require_rank(3, 6, 6);
  const Shape &values = context.shape(0), &places = context.shape(3);
  context.require_shape(1, Shape{places[3], 2});
  context.require_shape(2, Shape{places[3]});
  context.require_shape(3, Shape{values[0], places[1], values[2], places[3], places[4], 2});
  context.require_shape(4, Shape{values[0], places[1], values[2], places[3], places[4]});
  context.output(0, context.dtype(0), Shape{values[0], places[1], values[2], values[3]});
}

// A multiplication and an addition for each corner of each point.
Dim deformable_attention_flops(const Graph& graph, const Node& node) {
  return graph.value(node.inputs[4]).type.shape.element_count() * graph.value(node.inputs[0]).type.shape[3] * Dim(8);
}

}  // namespace

void register_deformable_attention(OpTable& table) {
  OpDef def = op_row("deformable_attention", 5, 5, check_attrs_as<NoAttrs>, deformable_attention_infer,
                     deformable_attention_flops);
  def.operand_names = {"values", "extents", "starts", "places", "weights"};
  table.add(std::move(def));
}

}  // namespace planish::ops
