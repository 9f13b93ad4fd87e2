#include "compile/calibrate/islands.h"

#include <algorithm>
#include <set>

#include "passes/common/quantized_product.h"
#include "passes/common/values.h"

namespace planish {
namespace {

bool is_bytes(const Graph& graph, ValueId id) {
  return id.valid() && !graph.value(id).is_constant() && passes::is_byte_type(graph.value(id).type.dtype);
}

bool reads_bytes(const Graph& graph, const Node& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return is_bytes(graph, id); });
}

bool writes_bytes(const Graph& graph, const Node& node) {
  return std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) { return is_bytes(graph, id); });
}

// The node that a fused one is about: the first that is no dequantisation.
std::pair<const Graph*, const Node*> anchor_of(const Graph& graph, const Node& node) {
  if (node.op != "fused") return {&graph, &node};
  const Graph& body = *node.regions.at(0);
  for (NodeId id : body.nodes())
    if (body.node(id).op != "dequantize_linear") return {&body, &body.node(id)};
  return {&graph, &node};
}

std::string why_float(const Graph& graph, const Node& node) {
  const auto [body, anchor] = anchor_of(graph, node);
  const bool product = anchor->op == "conv" || anchor->op == "matmul";
  if (!product)
    return node.op == "fused" ? "a pointwise operator of floats"
                              : "there are no integer kernels of " + anchor->op.str();
  passes::ProductExtents extents;
  if (std::string why = passes::refuse_numbers(*body, *anchor, extents); !why.empty()) return why;
  const Value& x = body->value(anchor->inputs[0]);
  return "its operands are floats: " + x.type.str() + " is not quantised, or its weights are not";
}

}  // namespace

std::vector<FloatIsland> float_islands(const Graph& graph) {
  const std::vector<NodeId> order = graph.nodes();
  std::set<NodeId> after, before;
  for (NodeId id : order)
    for (ValueId input : graph.node(id).inputs) {
      if (!input.valid() || !graph.value(input).producer.valid()) continue;
      const NodeId from = graph.value(input).producer;
      if (reads_bytes(graph, graph.node(from)) || after.count(from) > 0) after.insert(id);
    }
  for (size_t i = order.size(); i-- > 0;)
    for (ValueId output : graph.node(order[i]).outputs)
      for (NodeId user : graph.users(output))
        if (writes_bytes(graph, graph.node(user)) || before.count(user) > 0) before.insert(order[i]);
  std::vector<FloatIsland> islands;
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (after.count(id) == 0 || before.count(id) == 0 || reads_bytes(graph, node) || writes_bytes(graph, node))
      continue;
    islands.push_back({node.name, anchor_of(graph, node).second->op.str(), why_float(graph, node)});
  }
  return islands;
}

}  // namespace planish
