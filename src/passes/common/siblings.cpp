#include "passes/common/siblings.h"

#include <map>

#include "ops/builder.h"

namespace planish::passes {
namespace {

// The node of the first sibling with other constants.
ValueId wide_node(Graph& graph, const Node& first, std::vector<ValueId> operands) {
  if (first.regions.empty()) return add_op(graph, first.op, std::move(operands), first.attrs);
  auto body = std::make_unique<Graph>(first.regions[0]->clone());
  for (size_t i = 0; i < operands.size(); ++i)
    body->mutable_value(body->inputs()[i]).type = graph.value(operands[i]).type;
  infer_all(*body);
  const TensorType type = body->value(body->outputs()[0]).type;
  const NodeId wide = graph.add_node(first.op, std::move(operands), first.attrs, {type}, graph.fresh_name(first.name));
  graph.add_region(wide, std::move(body));
  graph.mutable_node(wide).note = first.note;
  return graph.node(wide).outputs[0];
}

void take_place(Graph& graph, ValueId from, ValueId to) {
  const std::string name = graph.value(from).name;
  graph.replace_uses(from, to);
  graph.rename(from, graph.fresh_name(name + ".old"));
  graph.rename(to, name);
}

}  // namespace

std::string text_of(const Graph& body) {
  std::map<ValueId, std::string> places;
  for (ValueId input : body.inputs()) places[input] = "%" + std::to_string(places.size());
  std::string text;
  for (NodeId id : body.nodes()) {
    const Node& node = body.node(id);
    text += node.op.str() + node.attrs.str();
    for (ValueId input : node.inputs) {
      if (!input.valid()) continue;
      const Value& value = body.value(input);
      text += " " + (value.is_constant() ? fmt::format("{}", value.constant.to_doubles().at(0)) : places[input]);
    }
    places[node.outputs[0]] = "%" + std::to_string(places.size());
    text += ";";
  }
  return text;
}

void merge_nodes(Graph& graph, std::vector<ValueId> operands, const std::vector<Part>& parts, int64_t axis) {
  std::vector<int64_t> sizes;
  std::vector<std::string> origins;
  for (const Part& part : parts) {
    sizes.push_back(part.extent);
    const auto& names = graph.node(part.node).origins;
    origins.insert(origins.end(), names.begin(), names.end());
  }
  const ValueId wide = wide_node(graph, graph.node(parts[0].node), std::move(operands));
  graph.mutable_node(graph.value(wide).producer).origins = origins;
  const ValueId extents = graph.add_constant(Tensor::ints(sizes));
  const NodeId split = add_node(graph, "split", {wide, extents}, {{"axis", axis}}, "", static_cast<int>(sizes.size()));
  graph.mutable_node(split).origins = origins;
  for (size_t i = 0; i < parts.size(); ++i)
    take_place(graph, graph.node(parts[i].node).outputs[0], graph.node(split).outputs[i]);
}

}  // namespace planish::passes
