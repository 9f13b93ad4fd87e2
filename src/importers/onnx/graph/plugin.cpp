// Nodes whose operator is none of ONNX's: plugins of the user, and those that ship with the library.

#include "importers/common/custom.h"
#include "importers/onnx/graph/graph_importer.h"
#include "importers/plugins/table/plugin_table.h"

namespace planish::onnx {
namespace {

// Whatever the domain: exporters choose it freely. Attributes of kinds that are not read make it no plugin.
importers::CustomNode described(const wire::Node& node) {
  Attrs attrs;
  for (const wire::Attribute& attribute : node.attributes)
    if (attribute.supported && attribute.graphs.empty()) attrs.set(attribute.name, attribute.value);
  return importers::custom_node(node.op_type, std::move(attrs));
}

}  // namespace

bool is_plugin(const wire::Node& node) {
  const importers::CustomNode custom = described(node);
  return importers::is_registered(custom) || plugins::plugin_table().find(custom.type) != nullptr;
}

// What the user registered goes first.
void import_plugin(NodeContext& context) {
  const importers::CustomNode custom =
      importers::custom_node(context.proto().op_type, NodeContext::attrs_of(context.proto()));
  if (importers::is_registered(custom))
    return context.emit("custom", context.inputs(), importers::custom_attrs(context.graph(), custom, context.inputs()));
  plugins::PluginNode node{custom.type, custom.attrs, context.inputs(), context.name(), context.proto().outputs.at(0)};
  context.results = plugins::expand(context.graph(), std::move(node));
}

}  // namespace planish::onnx
