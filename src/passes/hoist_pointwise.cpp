// Elementwise nodes from behind a view to the producer that can take them along as its epilogue:
//   p(views(x), c)    -> views(p(x, c))        views: reshapes and transposes;  c: constants of one element
//   p(views(x), r)    -> views(p(x, r))        r: a constant row of the last axis, which the views keep
//   p(reshape(x), z)  -> reshape(p(x, reshape(z)))      z: of the result's extents, x behind a matmul
// x being made by conv, matmul or elementwise nodes, and each of these values read by the next node alone.

#include <algorithm>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool takes_epilogue(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid() || !is_private(graph, id)) return false;
  const Node& node = graph.node(producer);
  if (node.op == "conv" || node.op == "matmul") return graph.value(node.inputs[1]).is_constant();
  return is_fusible_pointwise(graph, node);
}

bool is_row_of_last_axis(const Graph& graph, ValueId id, Dim last) {
  const Value& value = graph.value(id);
  if (!value.is_constant() || value.type.dtype != DataType::f32 || value.type.shape.rank() < 1) return false;
  return value.type.shape.element_count() == last && value.type.shape[value.type.shape.rank() - 1] == last;
}

// The views that lead to `id` and that nothing else reads, the nearest first.
std::vector<NodeId> views_before(const Graph& graph, ValueId id) {
  std::vector<NodeId> views;
  while (graph.value(id).producer.valid() && is_private(graph, id)) {
    const NodeId producer = graph.value(id).producer;
    const Node& node = graph.node(producer);
    if (node.op != "reshape" && node.op != "transpose") break;
    views.push_back(producer);
    id = node.inputs[0];
  }
  return views;
}

bool keeps_last_axis(const Graph& graph, const Node& view) {
  const Shape &before = graph.value(view.inputs[0]).type.shape, &after = graph.value(view.outputs[0]).type.shape;
  if (view.op == "transpose") {
    const auto perm = view.attrs.get_or<std::vector<int64_t>>("perm", {});
    return !perm.empty() && perm.back() == before.rank() - 1;
  }
  return view.op == "reshape" && before.rank() > 0 && after.rank() > 0 &&
         before[before.rank() - 1] == after[after.rank() - 1];
}

// Behind a product results lie row by row: a residual of the same extents can be reshaped like them.
bool is_behind_matmul(const Graph& graph, ValueId id) {
  while (graph.value(id).producer.valid()) {
    const Node& node = graph.node(graph.value(id).producer);
    if (node.op == "matmul") return graph.value(node.inputs[1]).is_constant();
    if (!is_fusible_pointwise(graph, node)) return false;
    const auto from = std::find_if(node.inputs.begin(), node.inputs.end(),
                                   [&](ValueId v) { return is_private(graph, v) && graph.value(v).producer.valid(); });
    if (from == node.inputs.end()) return false;
    id = *from;
  }
  return false;
}

// Scalars move past every view, rows of the last axis past reshapes that keep it, tensors of the result's extents past
// reshapes of a product.
bool operands_move(const Graph& graph, const Node& node, ValueId data, const std::vector<NodeId>& views) {
  const Shape& shape = graph.value(node.outputs[0]).type.shape;
  const auto each = [&](auto holds) {
    return std::all_of(views.begin(), views.end(), [&](NodeId view) { return holds(graph.node(view)); });
  };
  const bool rows = each([&](const Node& view) { return keeps_last_axis(graph, view); });
  const bool residuals = each([&](const Node& view) { return view.op == "reshape"; }) &&
                         is_behind_matmul(graph, graph.node(views.back()).inputs[0]);
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    if (id == data || is_scalar_constant(graph, id)) return true;
    if (rows && is_row_of_last_axis(graph, id, shape[shape.rank() - 1])) return true;
    // A residual that takes the node along itself keeps it: otherwise two products would pass it to and fro.
    return residuals && graph.value(id).type.shape == shape && graph.value(id).type.dtype == DataType::f32 &&
           !takes_epilogue(graph, id);
  });
}

// A constant without leading axes of extent 1: a row, or a scalar.
ValueId flat_constant(Patch& patch, ValueId id) {
  const Value& value = patch.graph().value(id);
  const int64_t count = value.constant.element_count();
  if (value.constant.rank() == (count == 1 ? 0 : 1)) return id;
  return patch.constant(value.constant.reshaped(count == 1 ? std::vector<int64_t>{} : std::vector<int64_t>{count}),
                        value.name);
}

// An operand for the node where it moves to: of extents that broadcast to those of `shape`.
std::optional<ValueId> moved_operand(Patch& patch, ValueId id, const Shape& result, const Shape& shape) {
  const Value& value = patch.graph().value(id);
  if (value.type.shape == result && !is_scalar_constant(patch.graph(), id)) return add_reshape(patch, id, shape);
  return flat_constant(patch, id);
}

// `data` is the operand behind the views.
bool hoist_operand(Graph& graph, NodeId id, ValueId data) {
  const Node& node = graph.node(id);
  const auto views = views_before(graph, data);
  if (views.empty() || !operands_move(graph, node, data, views)) return false;
  const ValueId x = graph.node(views.back()).inputs[0];
  if (!takes_epilogue(graph, x)) return false;
  Patch patch(graph);
  std::vector<ValueId> inputs;
  for (ValueId input : node.inputs) {
    const auto operand =
        input == data ? x : moved_operand(patch, input, graph.value(data).type.shape, graph.value(x).type.shape);
    if (!operand) return false;
    inputs.push_back(*operand);
  }
  ValueId moved = add_op(patch, node.op, std::move(inputs), node.attrs);
  if (graph.value(moved).type != graph.value(x).type) return false;
  graph.mutable_node(graph.value(moved).producer).origins = node.origins;
  for (size_t i = views.size(); i-- > 0;) {
    const Node& view = graph.node(views[i]);
    std::vector<ValueId> operands = view.inputs;
    operands[0] = moved;
    moved = add_op(patch, view.op, std::move(operands), view.attrs);
  }
  if (graph.value(moved).type != graph.value(node.outputs[0]).type) return false;
  patch.replace(node.outputs[0], moved);
  patch.apply();
  return true;
}

bool hoist_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || !is_fusible_pointwise(graph, node)) return false;
  for (ValueId data : std::vector<ValueId>(node.inputs)) {
    if (graph.value(data).is_constant() || graph.value(data).type != graph.value(node.outputs[0]).type) continue;
    if (hoist_operand(graph, id, data)) return true;
  }
  return false;
}

}  // namespace

Pass hoist_pointwise() {
  return {"hoist_pointwise", [](Graph& graph) { return until_settled(graph, hoist_at); }};
}

}  // namespace planish::passes
