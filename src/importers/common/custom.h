#pragma once
// Nodes of operators that users add at run time.

#include <string>
#include <vector>

#include "ir/graph.h"
#include "plugin/plugin.h"

namespace planish::importers {

// Types of the plugin's results, as text over the graph's symbols.
std::vector<std::string> result_types(Plugin& plugin, const Graph& graph, const std::vector<ValueId>& inputs);

// The attributes of a custom node with these operands. Error(not_found): no plugin of that name is registered.
Attrs custom_attrs(const Graph& graph, const std::string& plugin, const std::vector<ValueId>& inputs,
                   const Attrs& attrs);

// What stands in a model as a node of a type that only a plugin can be.
struct CustomNode {
  std::string type;
  Attrs attrs;
};
// A node `Plugin` or `TRT_PluginV2` says the type in its attribute `name`, as exports through PyTorch's symbolic
// functions write it; every other node is of its own type.
CustomNode custom_node(const std::string& node_type, Attrs attrs);
bool is_registered(const CustomNode& node);
Attrs custom_attrs(const Graph& graph, const CustomNode& node, const std::vector<ValueId>& inputs);

}  // namespace planish::importers
