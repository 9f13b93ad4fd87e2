#include "passes/common/depthwise_chains.h"

#include <optional>

#include "passes/common/values.h"

namespace planish::passes {
namespace {

enum class Kind : uint8_t { product, depthwise };

// A 1x1 convolution or a depthwise one with constant weights, of rank 4.
std::optional<Kind> kind_of(const Graph& graph, const Node& node) {
  const Graph* body = node.op == "fused" ? node.regions[0].get() : nullptr;
  const Node& conv = body != nullptr ? body->node(body->nodes().front()) : node;
  if (conv.op != "conv" || node.outputs.size() != 1 || node.inputs.size() < 2) return std::nullopt;
  for (size_t i = 0; body != nullptr && i < 2; ++i)
    if (conv.inputs[i] != body->inputs()[i]) return std::nullopt;
  const Shape& weights = graph.value(node.inputs[1]).type.shape;
  if (!is_float_constant(graph, node.inputs[1]) || weights.rank() != 4 ||
      graph.value(node.outputs[0]).type.dtype != DataType::f32)
    return std::nullopt;
  const auto group = conv.attrs.get_or<int64_t>("group", 1);
  if (group == 1 && weights[2] == Dim(1) && weights[3] == Dim(1)) return Kind::product;
  if (group > 1 && weights[0] == Dim(group) && weights[1] == Dim(1)) return Kind::depthwise;
  return std::nullopt;
}

bool is_product(const Graph& graph, NodeId id) { return kind_of(graph, graph.node(id)) == Kind::product; }

// The node that alone reads the value, as its image.
NodeId only_reader(const Graph& graph, ValueId value) {
  const auto users = graph.users(value);
  if (users.size() != 1 || graph.is_output(value)) return {};
  const Node& user = graph.node(users[0]);
  size_t reads = 0;
  for (ValueId input : user.inputs) reads += input == value ? 1 : 0;
  return reads == 1 && user.inputs[0] == value ? users[0] : NodeId{};
}

}  // namespace

std::vector<std::vector<std::vector<NodeId>>> depthwise_chains(const Graph& graph) {
  std::vector<std::vector<std::vector<NodeId>>> all;
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (kind_of(graph, node) != Kind::depthwise) continue;
    const NodeId producer = graph.value(node.inputs[0]).producer, reader = only_reader(graph, node.outputs[0]);
    const bool expands = producer.valid() && is_product(graph, producer) && only_reader(graph, node.inputs[0]) == id;
    const bool projects = reader.valid() && is_product(graph, reader);
    std::vector<std::vector<NodeId>> chains;
    if (expands && projects) chains.push_back({producer, id, reader});
    if (expands) chains.push_back({producer, id});
    if (projects) chains.push_back({id, reader});
    if (!chains.empty()) all.push_back(std::move(chains));
  }
  return all;
}

}  // namespace planish::passes
