#include "importers/onnx/importer.h"

namespace planish::onnx {

const wire::Attribute* NodeContext::attribute(std::string_view name) const {
  for (const wire::Attribute& attribute : node_.attributes)
    if (attribute.name == name) {
      if (!attribute.supported) fail(Code::unsupported, "attribute '{}' is of a kind that is not read", name);
      return &attribute;
    }
  return nullptr;
}

Attrs NodeContext::attrs_of(const wire::Node& node) {
  Attrs attrs;
  for (const wire::Attribute& attribute : node.attributes) {
    if (!attribute.supported) fail(Code::unsupported, "attribute '{}' is of a kind that is not read", attribute.name);
    if (attribute.graphs.empty() && attribute.name != "consumed_inputs") attrs.set(attribute.name, attribute.value);
  }
  return attrs;
}

void NodeContext::emit(OpName op, std::vector<ValueId> inputs, Attrs attrs) {
  std::vector<std::string> names = node_.outputs;
  while (!names.empty() && names.back().empty()) names.pop_back();
  const NodeId id =
      add_node(graph(), op, std::move(inputs), std::move(attrs), name(), static_cast<int>(names.size()), names);
  results = graph().node(id).outputs;
}

}  // namespace planish::onnx
