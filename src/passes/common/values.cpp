#include "passes/common/values.h"

#include "base/error.h"

namespace planish::passes {

bool is_scalar_constant(const Graph& graph, ValueId id) {
  return id.valid() && graph.value(id).is_constant() && graph.value(id).constant.element_count() == 1;
}

std::optional<double> scalar_of(const Graph& graph, ValueId id) {
  if (!is_scalar_constant(graph, id) || graph.value(id).type.dtype == DataType::string) return std::nullopt;
  return graph.value(id).constant.to_doubles()[0];
}

std::optional<std::vector<int64_t>> ints_of(const Graph& graph, const Node& node, size_t operand) {
  if (operand >= node.inputs.size() || !node.inputs[operand].valid()) return std::nullopt;
  const Value& value = graph.value(node.inputs[operand]);
  if (!value.is_constant() || !is_integer(value.type.dtype)) return std::nullopt;
  return value.constant.to_ints();
}

bool is_private(const Graph& graph, ValueId id) { return graph.users(id).size() == 1 && !graph.is_output(id); }

const Node* private_producer(const Graph& graph, ValueId id, const char* op) {
  const NodeId producer = graph.value(id).producer;
  return producer.valid() && is_private(graph, id) && graph.node(producer).op == op ? &graph.node(producer) : nullptr;
}

bool is_float_constant(const Graph& graph, ValueId id) {
  return id.valid() && graph.value(id).is_constant() && is_float(graph.value(id).type.dtype);
}

bool is_byte_type(DataType type) { return type == DataType::u8 || type == DataType::i8; }

bool is_move(const Node& node) {
  if (node.outputs.size() != 1) return false;
  if (node.op == "resize")
    return node.attrs.get_or<std::string>("mode", "nearest") == "nearest" &&
           node.attrs.get_or<std::string>("coordinate_transformation_mode", "") != "tf_crop_and_resize";
  for (const char* op : {"depth_to_space", "space_to_depth", "reshape", "transpose", "squeeze", "unsqueeze", "flatten",
                         "slice", "max_pool"})
    if (node.op == op) return true;
  return false;
}

Tensor float_tensor(std::vector<int64_t> extents, const std::vector<double>& values) {
  if (make_view(nullptr, DataType::f32, extents).element_count() != static_cast<int64_t>(values.size()))
    fail(Code::internal, "{} values for a constant of {}", values.size(), Shape::of(extents).str());
  const std::vector<float> narrow(values.begin(), values.end());
  return Tensor::of<float>(std::move(extents), narrow);
}

}  // namespace planish::passes
