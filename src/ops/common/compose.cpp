#include "ops/compose.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ops/builder.h"

namespace planish {
namespace {

using Copies = std::map<ValueId, ValueId>;

ValueId copy_of(const Graph& from, ValueId id, Graph& to, Copies& copies) {
  if (!id.valid()) return id;
  const auto at = copies.find(id);
  if (at != copies.end()) return at->second;
  const Value& value = from.value(id);
  if (!value.is_constant()) fail(Code::internal, "'{}' has no copy", value.name);
  return copies[id] = to.add_constant(value.constant, value.name);
}

void copy_nodes(const Graph& from, const std::vector<NodeId>& nodes, Graph& to, Copies& copies);

// A region by itself, whose inner loops have turns and states of their own.
std::unique_ptr<Graph> copy_region(const Graph& region, const Graph& around) {
  auto copy = std::make_unique<Graph>();
  copy->name = region.name;
  copy->symbols = around.symbols;
  for (const auto& [name, info] : region.symbols) copy->symbols.try_emplace(name, info);
  Copies copies;
  for (ValueId id : region.inputs()) {
    const Value& input = region.value(id);
    copies[id] = copy->add_input(input.name, input.type);
    copy->mutable_value(copies[id]).contents = input.contents;
  }
  copy_nodes(region, region.nodes(), *copy, copies);
  for (ValueId id : region.outputs()) copy->add_output(copy_of(region, id, *copy, copies));
  return copy;
}

NodeId copy_node(const Graph& from, const Node& node, Graph& to, Copies& copies) {
  std::vector<ValueId> inputs;
  for (ValueId input : node.inputs) inputs.push_back(copy_of(from, input, to, copies));
  std::vector<std::string> names;
  for (ValueId output : node.outputs) names.push_back(from.value(output).name);
  NodeId made;
  if (node.op == "loop") {
    made = add_loop(to, std::move(inputs), static_cast<size_t>(node.attrs.get_or<int64_t>("carried", 0)),
                    *node.regions[0], node.name);
  } else if (!node.regions.empty()) {
    std::vector<std::unique_ptr<Graph>> regions;
    for (const auto& region : node.regions) {
      regions.push_back(copy_region(*region, to));
      share_symbols(*regions.back(), to);
    }
    made = add_region_node(to, node.op, std::move(inputs), node.attrs, std::move(regions), node.name, names);
  } else {
    made =
        add_node(to, node.op, std::move(inputs), node.attrs, node.name, static_cast<int>(node.outputs.size()), names);
  }
  Node& copy = to.mutable_node(made);
  copy.origins = node.origins;
  copy.note = node.note;
  for (size_t i = 0; i < node.outputs.size(); ++i) copies[node.outputs[i]] = copy.outputs[i];
  return made;
}

// On failure none of them stays.
void copy_nodes(const Graph& from, const std::vector<NodeId>& nodes, Graph& to, Copies& copies) {
  std::vector<NodeId> made;
  try {
    for (NodeId id : nodes) made.push_back(copy_node(from, from.node(id), to, copies));
  } catch (...) {
    for (size_t i = made.size(); i-- > 0;) to.remove_node(made[i]);
    throw;
  }
}

// Nodes that some of these values lead to, in order.
std::vector<NodeId> dependent(const Graph& graph, const std::vector<ValueId>& values) {
  std::set<ValueId> reached(values.begin(), values.end());
  std::vector<NodeId> nodes;
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    const bool own = std::any_of(node.outputs.begin(), node.outputs.end(),
                                 [&](ValueId output) { return reached.count(output) > 0; });
    if (own ||
        std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) { return reached.count(input) > 0; }))
      continue;
    nodes.push_back(id);
    reached.insert(node.outputs.begin(), node.outputs.end());
  }
  return nodes;
}

// Those of `nodes` that the values need.
std::vector<NodeId> needed(const Graph& graph, std::vector<NodeId> nodes, const std::vector<ValueId>& values) {
  std::set<ValueId> wanted(values.begin(), values.end());
  std::vector<NodeId> kept;
  for (size_t i = nodes.size(); i-- > 0;) {
    const Node& node = graph.node(nodes[i]);
    if (std::none_of(node.outputs.begin(), node.outputs.end(),
                     [&](ValueId output) { return wanted.count(output) > 0; }))
      continue;
    kept.push_back(nodes[i]);
    wanted.insert(node.inputs.begin(), node.inputs.end());
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace

std::vector<ValueId> append_graph(Graph& graph, const Graph& other, const std::vector<ValueId>& inputs) {
  const auto expected = other.inputs();
  if (expected.size() != inputs.size())
    fail(Code::invalid_argument, "{} values for the {} inputs of '{}'", inputs.size(), expected.size(), other.name);
  Copies copies;
  for (size_t i = 0; i < inputs.size(); ++i) copies[expected[i]] = inputs[i];
  for (const auto& [name, info] : other.symbols) graph.symbols.try_emplace(name, info);
  copy_nodes(other, other.nodes(), graph, copies);
  std::vector<ValueId> results;
  for (ValueId output : other.outputs()) results.push_back(copy_of(other, output, graph, copies));
  return results;
}

Extract extract_graph(const Graph& graph, const std::vector<ValueId>& inputs, const std::vector<ValueId>& outputs) {
  Extract part;
  part.graph.symbols = graph.symbols;
  const std::vector<NodeId> nodes = needed(graph, dependent(graph, inputs), outputs);
  Copies copies;
  const auto add_input = [&](ValueId id) {
    const Value& value = graph.value(id);
    copies[id] = part.graph.add_input(value.name, value.type);
  };
  for (ValueId id : inputs) add_input(id);
  std::set<ValueId> own(inputs.begin(), inputs.end());
  for (NodeId id : nodes) own.insert(graph.node(id).outputs.begin(), graph.node(id).outputs.end());
  const auto capture = [&](ValueId id) {
    if (!id.valid() || graph.value(id).is_constant() || !own.insert(id).second) return;
    part.captured.push_back(id);
    add_input(id);
  };
  for (NodeId id : nodes)
    for (ValueId input : graph.node(id).inputs) capture(input);
  for (ValueId output : outputs) capture(output);
  copy_nodes(graph, nodes, part.graph, copies);
  for (ValueId output : outputs) {
    const ValueId copy = copy_of(graph, output, part.graph, copies);
    // What enters unchanged, or leaves twice, goes through a node.
    const bool plain = part.graph.value(copy).producer.valid() && !part.graph.is_output(copy);
    part.graph.add_output(plain ? copy : add_op(part.graph, "identity", {copy}));
  }
  return part;
}

bool widen_state(Graph& graph, std::vector<TensorType>& state, const Graph& body, std::set<std::string>& widened) {
  bool changed = false;
  for (size_t i = 0; i < state.size(); ++i) {
    const TensorType &before = state[i], &after = body.value(body.outputs()[i + 1]).type;
    if (before.dtype != after.dtype || before.shape.rank() != after.shape.rank())
      fail(Code::unsupported, "a state that is {} before a turn and {} after it; one type and rank are accepted",
           before.str(), after.str());
    std::vector<Dim> dims = before.shape.dims();
    for (int axis = 0; axis < after.shape.rank(); ++axis) {
      Dim& dim = dims[static_cast<size_t>(axis)];
      if (dim == after.shape[axis] || (dim.op() == DimOp::symbol && widened.count(std::string(dim.name())) > 0))
        continue;
      const std::string name = graph.fresh_symbol("state", kMeasuredSymbol);
      widened.insert(name);
      dim = Dim::symbol(name);
      changed = true;
    }
    state[i].shape = Shape(std::move(dims));
  }
  return changed;
}

NodeId add_loop(Graph& graph, std::vector<ValueId> operands, size_t carried, const Graph& body, std::string name) {
  if (operands.size() < carried + 2 || body.inputs().size() != operands.size() || body.outputs().size() < carried + 1)
    fail(Code::invalid_argument, "a body of {} inputs and {} outputs for {} operands, {} of them carried",
         body.inputs().size(), body.outputs().size(), operands.size(), carried);
  const Dim turn = Dim::symbol(graph.fresh_symbol("turn", kMeasuredSymbol));
  std::vector<TensorType> state;
  for (size_t i = 0; i < carried; ++i) state.push_back(graph.value(operands[i + 2]).type);
  const std::vector<Guard> guards = graph.guards;
  std::set<std::string> widened;
  std::unique_ptr<Graph> region;
  do {
    graph.guards = guards;  // without those of narrower states
    region = copy_region(body, graph);
    share_symbols(*region, graph);
    const auto inputs = region->inputs();
    region->mutable_value(inputs[0]).type = {DataType::i64, Shape{}};
    region->mutable_value(inputs[0]).contents = std::vector<Dim>{turn};
    region->mutable_value(inputs[1]).type = {DataType::boolean, Shape{}};
    for (size_t i = 2; i < operands.size(); ++i) {
      Value& inner = region->mutable_value(inputs[i]);
      const bool carries = i < carried + 2;
      inner.type = carries ? state[i - 2] : graph.value(operands[i]).type;
      inner.contents = carries ? std::nullopt : graph.value(operands[i]).contents;
    }
    infer_all(*region);
    share_symbols(*region, graph);
    add_guards(region->guards, graph);
  } while (widen_state(graph, state, *region, widened));
  std::vector<std::unique_ptr<Graph>> regions;
  regions.push_back(std::move(region));
  return add_region_node(graph, "loop", std::move(operands), {{"carried", static_cast<int64_t>(carried)}},
                         std::move(regions), std::move(name), {});
}

}  // namespace planish
