#include "compile/one_node.h"

#include <algorithm>
#include <functional>
#include <map>

namespace planish {
namespace {

// Values of the symbols that the profile tunes for; of a symbol that data gives a value, the one that it must have, if
// any.
std::map<std::string, Dim, std::less<>> typical_values(const Graph& graph) {
  std::map<std::string, Dim, std::less<>> typical;
  for (const auto& [name, info] : graph.symbols) typical.emplace(name, info.range.opt);
  for (const Guard& guard : graph.guards)
    for (const auto& [symbol, value] : {std::pair(guard.left, guard.right), std::pair(guard.right, guard.left)})
      if (symbol.op() == DimOp::symbol && value.is_constant() && depends_on_data(symbol, graph.symbols))
        typical[std::string(symbol.name())] = value;
  return typical;
}

using TypeFix = std::function<TensorType(TensorType)>;

// Of all values of a region, and of the regions in it.
void fix_types(Graph& body, const TypeFix& fixed) {
  for (ValueId input : body.inputs()) body.mutable_value(input).type = fixed(body.value(input).type);
  for (NodeId inner : body.nodes()) {
    for (ValueId output : body.node(inner).outputs) body.mutable_value(output).type = fixed(body.value(output).type);
    for (const auto& region : body.node(inner).regions) fix_types(*region, fixed);
  }
}

}  // namespace

Graph one_node_graph(const Graph& graph, const Node& node) {
  Graph single;
  single.name = node.name;
  const auto typical = typical_values(graph);
  const TypeFix fixed = [&](TensorType type) {
    std::vector<Dim> dims;
    for (Dim dim : type.shape) dims.push_back(dim.substitute(typical));
    type.shape = Shape(std::move(dims));
    return type;
  };
  std::map<ValueId, ValueId> mapped;
  std::vector<ValueId> inputs;
  for (ValueId id : node.inputs) {
    if (id.valid() && mapped.count(id) == 0) {
      const Value& value = graph.value(id);
      mapped[id] = value.is_constant() ? single.add_constant(value.constant, value.name)
                                       : single.add_input(value.name, fixed(value.type));
    }
    inputs.push_back(id.valid() ? mapped[id] : ValueId{});
  }
  std::vector<TensorType> types;
  for (ValueId id : node.outputs) types.push_back(fixed(graph.value(id).type));
  const NodeId copy = single.add_node(node.op, std::move(inputs), node.attrs, std::move(types), node.name);
  for (const auto& region : node.regions) {
    auto body = std::make_unique<Graph>(region->clone());
    fix_types(*body, fixed);
    single.add_region(copy, std::move(body));
  }
  for (ValueId output : single.node(copy).outputs) single.add_output(output);
  return single;
}

bool is_guessed(const Graph& graph, const Node& node) {
  const auto waits = [&](ValueId id) {
    return id.valid() && std::any_of(graph.value(id).type.shape.begin(), graph.value(id).type.shape.end(),
                                     [&](Dim dim) { return depends_on_data(dim, graph.symbols); });
  };
  return std::any_of(node.inputs.begin(), node.inputs.end(), waits) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), waits);
}

}  // namespace planish
