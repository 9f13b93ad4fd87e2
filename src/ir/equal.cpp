// Graphs are compared by names: those of values and nodes are unique, ids are not looked at.

#include <algorithm>
#include <map>

#include "ir/graph.h"

namespace planish {
namespace {

using Values = std::span<const ValueId>;

bool same_values(const Graph& a, Values in_a, const Graph& b, Values in_b) {
  return std::equal(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(), [&](ValueId x, ValueId y) {
    if (!x.valid() || !y.valid()) return x.valid() == y.valid();
    const Value &v = a.value(x), &w = b.value(y);
    return v.name == w.name && v.type == w.type && v.constant == w.constant;
  });
}

// A node without a stated origin is its own.
std::vector<std::string> origins_of(const Node& node) {
  return node.origins.empty() ? std::vector<std::string>{node.name} : node.origins;
}

bool same_node(const Graph& a, const Node& m, const Graph& b, const Node& n) {
  return m.op == n.op && m.attrs == n.attrs && m.binds == n.binds && origins_of(m) == origins_of(n) &&
         same_values(a, m.inputs, b, n.inputs) && same_values(a, m.outputs, b, n.outputs) &&
         std::equal(m.regions.begin(), m.regions.end(), n.regions.begin(), n.regions.end(),
                    [](const auto& x, const auto& y) { return equal(*x, *y); });
}

}  // namespace

bool equal(const Graph& a, const Graph& b) {
  if (a.name != b.name || a.symbols != b.symbols || a.guards != b.guards || a.node_count() != b.node_count())
    return false;
  if (!same_values(a, a.inputs(), b, b.inputs()) || !same_values(a, a.outputs(), b, b.outputs())) return false;
  std::map<std::string_view, NodeId> named;
  for (NodeId id : b.nodes()) named[b.node(id).name] = id;
  const auto order = a.nodes();
  return std::all_of(order.begin(), order.end(), [&](NodeId id) {
    const auto at = named.find(a.node(id).name);
    return at != named.end() && same_node(a, a.node(id), b, b.node(at->second));
  });
}

}  // namespace planish
