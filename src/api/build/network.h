#pragma once
// The network of the C interface: a graph, which of its symbols have ranges, and texts that were handed out.

#include <memory>
#include <set>
#include <string>

#include "api/runtime/handles.h"
#include "ir/graph.h"
#include "planish/planish_build.h"
#include "plugin/c_attrs.h"

struct planish_network {
  planish::Graph graph;
  std::set<std::string> ranged;  // symbols whose range was given

  // Of the last call that returned a text or an attribute.
  mutable std::string text;
  mutable planish::Attrs attrs;
  mutable std::unique_ptr<planish::CAttrs> c_attrs;
};

namespace planish::api {

// Error(invalid_argument) for what is not (any more) of the network.
ValueId value_at(const planish_network& network, planish_value value);
NodeId node_at(const planish_network& network, planish_node node);
std::vector<ValueId> values_at(const planish_network& network, const planish_value* values,
                               size_t count);  // -1: absent

Attrs attrs_of(const planish_attr* attrs, size_t count);
DataType checked_dtype(planish_dtype type);

// Types of all values again; custom nodes ask their plugins.
void infer_network(Graph& graph);
// Of a graph's guards those of the model's own: the others inference finds again, where they still hold.
std::vector<Guard> stated_guards(const Graph& graph);

// Runs `change` on a copy, infers all types, keeps the copy. A change that fails has not happened.
template <class Change>
void edit(planish_network& network, Change change) {
  Graph copy = network.graph.clone();
  copy.guards = stated_guards(network.graph);
  change(copy);
  infer_network(copy);
  network.graph = std::move(copy);
}

}  // namespace planish::api
