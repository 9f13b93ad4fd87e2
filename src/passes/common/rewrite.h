#pragma once
// Applying a rule `bool rule(Graph&, NodeId)` to the nodes of a graph.

#include "ir/graph.h"

namespace planish::passes {

// Once at each node that is there when its turn comes, operands first; not at those that bind symbols, which the types
// of other values need. Returns whether the rule fired.
template <class Rule>
bool sweep(Graph& graph, Rule rule) {
  bool changed = false;
  for (NodeId id : graph.nodes())
    if (graph.alive(id) && graph.node(id).binds.empty()) changed |= rule(graph, id);
  return changed;
}

// Until it fires nowhere: for rules whose results they apply to again. A chain shortens or moves by one node a
// sweep at least, so the number of nodes bounds the sweeps; a rule that undoes itself ends there, too.
template <class Rule>
bool until_settled(Graph& graph, Rule rule) {
  bool changed = false;
  for (size_t left = 2 * graph.nodes().size() + 2; left > 0 && sweep(graph, rule); --left) changed = true;
  return changed;
}

}  // namespace planish::passes
