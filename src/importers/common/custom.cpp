#include "importers/common/custom.h"

#include "planish/planish_plugin.h"

namespace planish::importers {
namespace {

Attrs attrs_from(PluginCreator& creator, const Graph& graph, const std::vector<ValueId>& inputs, const Attrs& attrs) {
  return with_context([&] { return fmt::format("plugin '{}'", creator.name()); },
                      [&] {
                        const auto plugin = creator.create(attrs);
                        auto types = result_types(*plugin, graph, inputs);
                        if (types.empty()) fail(Code::invalid_argument, "it gives no results");
                        const std::string bytes = plugin->serialize();
                        const Tensor blob =
                            Tensor::make(DataType::u8, {static_cast<int64_t>(bytes.size())}, [&](std::byte* out) {
                              std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), out);
                            });
                        Attrs made{{"plugin", creator.name()},
                                   {"version", int64_t{creator.version()}},
                                   {"bytes", blob},
                                   {"types", std::move(types)},
                                   {"any_strides", int64_t{creator.any_strides()}}};
                        if (creator.on_device()) made.set("on_device", int64_t{1});
                        return made;
                      });
}

}  // namespace

std::vector<std::string> result_types(Plugin& plugin, const Graph& graph, const std::vector<ValueId>& inputs) {
  std::vector<TensorType> operands;
  for (ValueId input : inputs) operands.push_back(input.valid() ? graph.value(input).type : TensorType{});
  std::vector<std::string> texts;
  for (const TensorType& type : plugin.infer(operands)) texts.push_back(type.str());
  return texts;
}

Attrs custom_attrs(const Graph& graph, const std::string& plugin, const std::vector<ValueId>& inputs,
                   const Attrs& attrs) {
  return attrs_from(*require_plugin(plugin), graph, inputs, attrs);
}

CustomNode custom_node(const std::string& node_type, Attrs attrs) {
  const bool named = (node_type == "Plugin" || node_type == "TRT_PluginV2") && attrs.has("name");
  CustomNode node{named ? attrs.get<std::string>("name") : node_type, std::move(attrs)};
  return node;
}

bool is_registered(const CustomNode& node) { return find_plugin_for(node.type, node.attrs) != nullptr; }

Attrs custom_attrs(const Graph& graph, const CustomNode& node, const std::vector<ValueId>& inputs) {
  const auto creator = find_plugin_for(node.type, node.attrs);
  if (creator == nullptr) return custom_attrs(graph, node.type, inputs, node.attrs);  // says what is registered
  Attrs attrs = node.attrs;
  if (creator->name() != node.type) attrs.set(PLANISH_ATTR_NODE_TYPE, node.type);
  return attrs_from(*creator, graph, inputs, attrs);
}

}  // namespace planish::importers
