// if (known) { a } else { b }  ->  the nodes of a, or of b.
// The condition is a constant, or an element that shape arithmetic knows.

#include <algorithm>
#include <map>

#include "ops/builder.h"
#include "ops/evaluate.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// Copies the nodes of `body` into `graph`, its inputs being `operands`; returns what its outputs have become.
std::vector<ValueId> inline_body(Graph& graph, const Graph& body, std::span<const ValueId> operands) {
  add_guards(body.guards, graph);
  std::map<ValueId, ValueId> outer;
  for (size_t i = 0; i < operands.size(); ++i) outer[body.inputs()[i]] = operands[i];
  const auto bring_out = [&](ValueId id) {
    if (!id.valid()) return id;
    if (const auto at = outer.find(id); at != outer.end()) return at->second;
    const Value& value = body.value(id);
    return outer[id] = graph.add_constant(value.constant, value.name);
  };
  for (NodeId id : body.nodes()) {
    const Node& node = body.node(id);
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) inputs.push_back(bring_out(input));
    std::vector<TensorType> types;
    std::vector<std::string> names;
    for (ValueId output : node.outputs) {
      types.push_back(body.value(output).type);
      names.push_back(body.value(output).name);
    }
    const NodeId copy =
        graph.add_node(node.op, std::move(inputs), node.attrs, std::move(types), node.name, std::move(names));
    graph.mutable_node(copy).origins = node.origins;
    graph.mutable_node(copy).note = node.note;
    graph.mutable_node(copy).binds = node.binds;
    for (const auto& region : node.regions) graph.add_region(copy, std::make_unique<Graph>(region->clone()));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId result = graph.node(copy).outputs[i];
      graph.mutable_value(result).contents = body.value(node.outputs[i]).contents;
      outer[node.outputs[i]] = result;
    }
  }
  std::vector<ValueId> results;
  for (ValueId output : body.outputs()) results.push_back(bring_out(output));
  return results;
}

// An output keeps its name: what takes its place must be a result that no other output is.
void take_place(Graph& graph, ValueId old, ValueId value) {
  if (!graph.is_output(old)) return graph.replace_uses(old, value);
  if (!graph.value(value).producer.valid() || graph.is_output(value)) value = add_op(graph, "identity", {value});
  const std::string name = graph.value(old).name;
  graph.replace_uses(old, value);
  graph.rename(old, graph.fresh_name(name + ".old"));
  graph.rename(value, name);
}

bool fold_if_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "if" || graph.is_binding(node)) return false;
  const auto condition = known_condition(graph.value(node.inputs[0]));
  if (!condition) return false;
  const Graph& body = *node.regions[*condition ? 0 : 1];
  const auto results = inline_body(graph, body, std::span(node.inputs).subspan(1));
  for (size_t i = 0; i < results.size(); ++i) take_place(graph, graph.node(id).outputs[i], results[i]);
  graph.remove_node(id);
  return true;
}

}  // namespace

Pass fold_if() {
  return {"fold_if", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) changed |= graph.alive(id) && fold_if_at(graph, id);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
