#include "passes/common/fusion.h"

#include <algorithm>
#include <map>

#include "ops/builder.h"
#include "passes/common/values.h"

namespace planish::passes {

bool is_fusible_pointwise(const Graph& graph, const Node& node) {
  const auto fits = [&](DataType dtype) { return dtype == DataType::f32 || dtype == DataType::boolean; };
  if (!is_pointwise(node) || node.op == "identity" || !fits(graph.value(node.outputs[0]).type.dtype)) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id.valid() && (fits(graph.value(id).type.dtype) || scalar_of(graph, id).has_value());
  });
}

void fuse(Graph& graph, const std::vector<NodeId>& nodes) {
  auto body = std::make_unique<Graph>();
  body->name = "body";
  share_symbols(graph, *body);
  std::map<ValueId, ValueId> inner;
  std::vector<ValueId> operands;
  std::vector<std::string> origins;
  const auto bring_in = [&](ValueId id) {
    if (!id.valid() || inner.count(id) > 0) return;
    const Value& value = graph.value(id);
    if (value.is_constant() && value.constant.element_count() == 1) {
      inner[id] = body->add_constant(value.constant, value.name);
      return;
    }
    inner[id] = body->add_input(value.name, value.type);
    operands.push_back(id);
  };
  for (NodeId id : nodes) {
    const Node& node = graph.node(id);
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) {
      bring_in(input);
      inputs.push_back(input.valid() ? inner[input] : ValueId{});
    }
    const Value& result = graph.value(node.outputs[0]);
    const NodeId copy = body->add_node(node.op, std::move(inputs), node.attrs, {result.type}, node.name, {result.name});
    body->mutable_node(copy).origins = node.origins;
    body->mutable_node(copy).note = node.note;
    inner[node.outputs[0]] = body->node(copy).outputs[0];
    for (const std::string& origin : node.origins)
      if (std::find(origins.begin(), origins.end(), origin) == origins.end()) origins.push_back(origin);
  }
  const ValueId last = graph.node(nodes.back()).outputs[0];
  body->add_output(inner[last]);
  const TensorType type = graph.value(last).type;
  const NodeId fused =
      graph.add_node("fused", std::move(operands), {}, {type}, graph.node(nodes.back()).name + ".fused");
  graph.add_region(fused, std::move(body));
  graph.mutable_node(fused).origins = std::move(origins);
  graph.mutable_node(fused).note = graph.node(nodes.front()).note;
  const ValueId result = graph.node(fused).outputs[0];
  const std::string name = graph.value(last).name;
  graph.replace_uses(last, result);
  graph.rename(last, graph.fresh_name(name + ".old"));
  graph.rename(result, name);
}

}  // namespace planish::passes
