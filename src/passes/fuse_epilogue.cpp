// anchor -> p1 -> p2 …  becomes fused(anchor, p1, p2 …), for anchors conv, conv_transpose and matmul and single-use
// pointwise nodes whose other operands are scalars, rows along the anchor's channel axis, or tensors of the result's
// shape.

#include <algorithm>

#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr size_t kLongestEpilogue = 16;
constexpr size_t kMostExtras = 4;

bool is_anchor(const Graph& graph, const Node& node) {
  const bool convolution = node.op == "conv" || node.op == "conv_transpose";
  if (!convolution && node.op != "matmul") return false;
  return graph.value(node.outputs[0]).type.dtype == DataType::f32 && graph.value(node.inputs[1]).is_constant() &&
         (convolution || graph.value(node.inputs[1]).type.shape.rank() == 2);
}

// One value a channel: [C, 1, 1] behind conv, [C] behind matmul.
bool is_channel_row(const Shape& row, const Shape& result, bool channels_second) {
  const Dim channels = result[channels_second ? 1 : result.rank() - 1];
  const int axis = channels_second ? row.rank() - (result.rank() - 1) : row.rank() - 1;
  return axis >= 0 && row.element_count() == channels && row[axis] == channels;
}

bool takes_operand(const Graph& graph, ValueId id, const Shape& result, bool channels_second) {
  const Value& value = graph.value(id);
  if (is_scalar_constant(graph, id)) return true;
  if (value.type.dtype != DataType::f32) return false;
  return value.type.shape == result || is_channel_row(value.type.shape, result, channels_second);
}

// Another operand of `next` never depends on the anchor: the only way out of the chain is `current`, which has no
// other user.
bool extend(const Graph& graph, ValueId current, const Node& next, bool channels_second, size_t& extras) {
  const Shape& shape = graph.value(current).type.shape;
  if (!is_fusible_pointwise(graph, next) || graph.value(next.outputs[0]).type.shape != shape) return false;
  for (ValueId input : next.inputs) {
    if (input == current) continue;
    if (!takes_operand(graph, input, shape, channels_second)) return false;
    extras += is_scalar_constant(graph, input) ? 0 : 1;
  }
  return extras <= kMostExtras;
}

bool fuse_from(Graph& graph, NodeId anchor) {
  const bool channels_second = graph.node(anchor).op != "matmul";
  std::vector<NodeId> chain = {anchor};
  ValueId current = graph.node(anchor).outputs[0];
  size_t extras = 0, length = 1;  // of the chain up to its last f32 result: booleans stay inside
  while (chain.size() < kLongestEpilogue) {
    const auto users = graph.users(current);
    if (users.size() != 1 || graph.is_output(current)) break;
    if (!extend(graph, current, graph.node(users[0]), channels_second, extras)) break;
    chain.push_back(users[0]);
    current = graph.node(users[0]).outputs[0];
    if (graph.value(current).type.dtype == DataType::f32) length = chain.size();
  }
  if (length == 1) return false;
  chain.resize(length);
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
