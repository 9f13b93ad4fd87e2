#include "compile/concats.h"

#include <algorithm>

#include "ops/op.h"

namespace planish {
namespace {

bool joins_channels(const Graph& graph, const Node& node) {
  if (node.op != "concat") return false;
  const Shape& shape = graph.value(node.outputs[0]).type.shape;
  // Of a result of data-dependent extents nothing can be written before all of them are there.
  return shape.rank() >= 3 && normalize_axis(node.attrs.get_or<int64_t>("axis", 0), shape.rank()) == 1 &&
         !depends_on_data(graph.value(node.outputs[0]).type.bytes(), graph.symbols);
}

bool is_part(const Graph& graph, const Node& concat, ValueId id) {
  const Value& value = graph.value(id);
  return value.producer.valid() && !value.is_constant() && !graph.is_output(id) &&
         std::count(concat.inputs.begin(), concat.inputs.end(), id) == 1;
}

bool begins_with(const Node& whole, const Node& part) {
  return whole.inputs.size() > part.inputs.size() &&
         std::equal(part.inputs.begin(), part.inputs.end(), whole.inputs.begin());
}

}  // namespace

ConcatPlaces::ConcatPlaces(const Graph& graph) {
  std::vector<NodeId> concats;
  for (NodeId id : graph.nodes())
    if (joins_channels(graph, graph.node(id))) concats.push_back(id);
  std::stable_sort(concats.begin(), concats.end(),
                   [&](NodeId a, NodeId b) { return graph.node(a).inputs.size() > graph.node(b).inputs.size(); });
  for (NodeId id : concats) {
    const Node& concat = graph.node(id);
    for (ValueId input : concat.inputs)
      if (is_part(graph, concat, input)) places_.emplace(input, id);
    const ValueId result = concat.outputs[0];
    if (concat.inputs.empty() || graph.is_output(result)) continue;
    for (NodeId other : graph.users(concat.inputs[0]))
      if (const Node& whole = graph.node(other);
          whole.op == "concat" && joins_channels(graph, whole) && begins_with(whole, concat) && longer_.count(id) == 0)
        longer_[id] = other;
  }
  // The longest: a concat that is itself the beginning of another has been looked at before.
  for (auto at = concats.begin(); at != concats.end(); ++at)
    while (longer_.count(*at) > 0 && longer_.count(longer_[*at]) > 0) longer_[*at] = longer_[longer_[*at]];
}

}  // namespace planish
