// One form for what keeps the elements and their order, and one node for a row of them:
//   flatten(x), squeeze(x), unsqueeze(x)             -> reshape(x, shape)
//   transpose(x, perm) that moves axes of extent 1   -> reshape(x, shape)
//   reshape(reshape(x, a), b)                        -> reshape(x, b)
//   reshape(x, shape of x)                           -> x

#include <algorithm>

#include "ir/patch.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool keeps_order_of_long_axes(const Shape& in, const std::vector<int64_t>& perm) {
  int64_t last = -1;
  for (int64_t axis : perm) {
    if (in[static_cast<int>(axis)] == Dim(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

bool is_reshape_like(const Graph& graph, const Node& node) {
  if (node.op == "reshape" || node.op == "flatten" || node.op == "squeeze" || node.op == "unsqueeze") return true;
  if (node.op != "transpose") return false;
  const Shape& in = graph.value(node.inputs[0]).type.shape;
  const auto perm = node.attrs.get_or<std::vector<int64_t>>("perm", {});
  return !perm.empty() && in != graph.value(node.outputs[0]).type.shape && keeps_order_of_long_axes(in, perm);
}

// The operand behind every reshape that leads to `id`.
ValueId source_of(const Graph& graph, ValueId id) {
  while (graph.value(id).producer.valid() && is_reshape_like(graph, graph.node(graph.value(id).producer)))
    id = graph.node(graph.value(id).producer).inputs[0];
  return id;
}

bool replace_result(Patch& patch, ValueId from, ValueId to) {
  if (patch.graph().value(from).type != patch.graph().value(to).type) return false;
  patch.replace(from, to);
  patch.apply();
  return true;
}

bool cancel_reshape(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_reshape_like(graph, node)) return false;
  const ValueId result = node.outputs[0], source = source_of(graph, result);
  const Shape shape = graph.value(result).type.shape;
  Patch patch(graph);
  if (graph.value(source).type.shape == shape && !graph.is_output(result)) return replace_result(patch, result, source);
  const bool in_form = node.op == "reshape" && node.inputs[0] == source;
  if (in_form) return false;
  const auto reshaped = add_reshape(patch, source, shape);
  return reshaped && replace_result(patch, result, *reshaped);
}

}  // namespace

Pass cancel_reshapes() {
  return {"cancel_reshapes", [](Graph& graph) { return sweep(graph, cancel_reshape); }};
}

}  // namespace planish::passes
