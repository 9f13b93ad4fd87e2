#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "ir/graph.h"

namespace planish {
namespace {

using UserLists = std::map<ValueId, std::vector<NodeId>>;

void verify_operands(const Graph& graph, NodeId id, UserLists& lists) {
  const Node& node = graph.node(id);
  for (ValueId input : node.inputs) {
    if (!input.valid()) continue;
    const auto [at, fresh] = lists.try_emplace(input);
    if (fresh) at->second = graph.users(input);
    const auto& users = at->second;
    if (!std::binary_search(users.begin(), users.end(), id))
      fail(Code::internal, "'{}' does not know its user '{}'", graph.value(input).name, node.name);
  }
}

void verify_results(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Value& value = graph.value(node.outputs[i]);
    if (value.producer != id || value.result != static_cast<int>(i))
      fail(Code::internal, "result {} of '{}' names another producer", i, node.name);
    if (value.type.dtype == DataType::none) fail(Code::internal, "result {} of '{}' has no type", i, node.name);
    if (graph.find_value(value.name) != node.outputs[i]) fail(Code::internal, "two values are called '{}'", value.name);
  }
}

// What enters and leaves the regions of `if` and `fused`. Loops check theirs where they are inferred.
void verify_signature(const Node& node, const Graph& region) {
  const size_t first = node.op == "if" ? 1 : 0;
  if (region.inputs().size() + first != node.inputs.size())
    fail(Code::invalid_model, "a region of '{}' takes {} values, the node has {} operands", node.name,
         region.inputs().size(), node.inputs.size());
  if (region.outputs().size() != node.outputs.size())
    fail(Code::invalid_model, "a region of '{}' gives {} values, the node has {} results", node.name,
         region.outputs().size(), node.outputs.size());
}

void verify_regions(const Node& node) {
  const bool branch = node.op == "if", fused = node.op == "fused";
  const size_t wanted = branch ? 2 : fused || node.op == "loop" ? 1 : 0;
  if (node.regions.size() != wanted)
    fail(Code::invalid_model, "'{}' ({}) has {} regions, {} are accepted", node.name, node.op.str(),
         node.regions.size(), wanted);
  for (const auto& region : node.regions) {
    with_context([&] { return fmt::format("region of '{}'", node.name); }, [&] { verify_structure(*region); });
    if (branch || fused) verify_signature(node, *region);
  }
}

}  // namespace

void verify_structure(const Graph& graph) {
  std::set<std::string_view> names;
  UserLists lists;
  for (NodeId id : graph.nodes()) {  // refuses cycles
    const Node& node = graph.node(id);
    if (!names.insert(node.name).second) fail(Code::internal, "two nodes are called '{}'", node.name);
    verify_operands(graph, id, lists);
    verify_results(graph, id);
    verify_regions(node);
  }
  for (ValueId input : graph.inputs())
    if (graph.value(input).producer.valid()) fail(Code::internal, "input '{}' has a producer", graph.value(input).name);
  for (ValueId output : graph.outputs()) graph.value(output);
}

}  // namespace planish
