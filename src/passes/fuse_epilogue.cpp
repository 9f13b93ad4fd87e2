// anchor -> p1 -> p2 …  becomes fused(anchor, p1, p2 …), for anchors conv and matmul and single-use pointwise
// nodes whose other operands are scalars, rows along the anchor's channel axis, or tensors of the result's shape.

#include <algorithm>

#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr size_t kLongestEpilogue = 16;
constexpr size_t kMostExtras = 4;

bool is_anchor(const Graph& graph, const Node& node) {
  if (node.op != "conv" && node.op != "matmul") return false;
  return graph.value(node.outputs[0]).type.dtype == DataType::f32 && graph.value(node.inputs[1]).is_constant() &&
         (node.op == "conv" || graph.value(node.inputs[1]).type.shape.rank() == 2);
}

// One value a channel: [C, 1, 1] behind conv, [C] behind matmul.
bool is_channel_row(const Shape& row, const Shape& result, bool channels_second) {
  const Dim channels = result[channels_second ? 1 : result.rank() - 1];
  const int axis = channels_second ? row.rank() - (result.rank() - 1) : row.rank() - 1;
  return axis >= 0 && row.element_count() == channels && row[axis] == channels;
}

bool takes_operand(const Graph& graph, ValueId id, const Shape& result, bool channels_second) {
  const Value& value = graph.value(id);
  if (value.is_constant() && value.constant.element_count() == 1) return true;
  return value.type.shape == result || is_channel_row(value.type.shape, result, channels_second);
}

// `id` is computed before every node of the chain could run: it does not depend on the anchor.
bool depends_on(const Graph& graph, ValueId id, NodeId anchor, int budget = 100000) {
  std::vector<ValueId> open = {id};
  std::vector<bool> seen;
  while (!open.empty() && budget-- > 0) {
    const ValueId next = open.back();
    open.pop_back();
    const NodeId producer = graph.value(next).producer;
    if (producer == anchor) return true;
    if (!producer.valid()) continue;
    const auto at = static_cast<size_t>(producer.index);
    if (seen.size() <= at) seen.resize(at + 1, false);
    if (seen[at]) continue;
    seen[at] = true;
    for (ValueId input : graph.node(producer).inputs)
      if (input.valid()) open.push_back(input);
  }
  return budget <= 0;
}

bool extend(const Graph& graph, NodeId anchor, ValueId current, const Node& next, bool channels_second, size_t& extras) {
  const Shape& shape = graph.value(current).type.shape;
  if (!is_fusible_pointwise(graph, next) || graph.value(next.outputs[0]).type.shape != shape) return false;
  for (ValueId input : next.inputs) {
    if (input == current) continue;
    if (!takes_operand(graph, input, shape, channels_second) || depends_on(graph, input, anchor)) return false;
    const Value& value = graph.value(input);
    extras += value.is_constant() && value.constant.element_count() == 1 ? 0 : 1;
  }
  return extras <= kMostExtras;
}

bool fuse_from(Graph& graph, NodeId anchor) {
  const bool channels_second = graph.node(anchor).op == "conv";
  std::vector<NodeId> chain = {anchor};
  ValueId current = graph.node(anchor).outputs[0];
  size_t extras = 0;
  while (chain.size() < kLongestEpilogue) {
    const auto users = graph.users(current);
    if (users.size() != 1 || graph.is_output(current)) break;
    if (!extend(graph, anchor, current, graph.node(users[0]), channels_second, extras)) break;
    chain.push_back(users[0]);
    current = graph.node(users[0]).outputs[0];
  }
  if (chain.size() == 1) return false;
  fuse(graph, chain);
  return true;
}

}  // namespace

Pass fuse_epilogue() {
  return {"fuse_epilogue", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) changed |= is_anchor(graph, graph.node(id)) && fuse_from(graph, id);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
