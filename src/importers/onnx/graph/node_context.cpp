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

Attrs NodeContext::attrs() const {
  Attrs attrs;
  for (const wire::Attribute& attribute : node_.attributes) {
    if (!attribute.supported) fail(Code::unsupported, "attribute '{}' is of a kind that is not read", attribute.name);
    if (attribute.graphs.empty() && attribute.name != "consumed_inputs") attrs.set(attribute.name, attribute.value);
  }
  return attrs;
}

ValueId NodeContext::scalar_like(ValueId like, double value) {
  const DataType dtype = this->value(like).type.dtype;
  if (!is_float(dtype) && !(std::abs(value) < 1e15))
    fail(Code::invalid_model, "a value of {} for elements of {}", value, data_type_name(dtype));
  return constant(Tensor::make(dtype, {}, [&](std::byte* out) { store_double(make_view(out, dtype, {}), 0, value); }));
}

std::string NodeContext::name() const {
  return node_.name.empty() ? node_.op_type + "_" + node_.outputs.at(0) : node_.name;
}

void NodeContext::emit(OpName op, std::vector<ValueId> inputs, Attrs attrs) {
  std::vector<std::string> names = node_.outputs;
  while (!names.empty() && names.back().empty()) names.pop_back();
  const NodeId id =
      add_node(graph_, op, std::move(inputs), std::move(attrs), name(), static_cast<int>(names.size()), names);
  results = graph_.node(id).outputs;
}

}  // namespace planish::onnx
