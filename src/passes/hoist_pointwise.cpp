// Elementwise nodes from behind a view to the producer that can take them along as its epilogue:
//   p(views(x), c)    -> views(p(x, c))        views: reshapes and transposes;  c: constants of one element
//   p(reshape(x), r)  -> reshape(p(x, r))      r: a constant row of the last axis, which the reshape keeps
// x being made by conv, matmul or elementwise nodes, and each of these values read by the next node alone.

#include <algorithm>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/fusion.h"
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

// The one operand that is no constant.
std::optional<ValueId> data_operand(const Graph& graph, const Node& node) {
  std::optional<ValueId> data;
  for (ValueId input : node.inputs) {
    if (graph.value(input).is_constant()) continue;
    if (data && *data != input) return std::nullopt;
    data = input;
  }
  return data;
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
  return view.op == "reshape" && before.rank() > 0 && after.rank() > 0 &&
         before[before.rank() - 1] == after[after.rank() - 1];
}

// Scalars move past every view, rows of the last axis past reshapes that keep it.
bool constants_move(const Graph& graph, const Node& node, const std::vector<NodeId>& views) {
  const Shape& shape = graph.value(node.outputs[0]).type.shape;
  const bool rows =
      std::all_of(views.begin(), views.end(), [&](NodeId view) { return keeps_last_axis(graph, graph.node(view)); });
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return !graph.value(id).is_constant() || is_scalar_constant(graph, id) ||
           (rows && is_row_of_last_axis(graph, id, shape[shape.rank() - 1]));
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

bool hoist_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || !is_fusible_pointwise(graph, node)) return false;
  const auto data = data_operand(graph, node);
  if (!data || graph.value(*data).type != graph.value(node.outputs[0]).type) return false;
  const auto views = views_before(graph, *data);
  if (views.empty() || !constants_move(graph, node, views)) return false;
  const ValueId x = graph.node(views.back()).inputs[0];
  if (!takes_epilogue(graph, x)) return false;
  Patch patch(graph);
  std::vector<ValueId> inputs;
  for (ValueId input : node.inputs) inputs.push_back(input == *data ? x : flat_constant(patch, input));
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

}  // namespace

Pass hoist_pointwise() {
  return {"hoist_pointwise", [](Graph& graph) { return until_settled(graph, hoist_at); }};
}

}  // namespace planish::passes
