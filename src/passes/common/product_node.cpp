#include "passes/common/product_node.h"

#include <algorithm>

#include "kernels/reference/conv.h"

namespace planish::passes {
namespace {

bool all_are(const std::vector<int64_t>& values, int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == wanted; });
}

}  // namespace

std::optional<ProductNode> conv_product(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  ProductNode product;
  const Graph* body = node.op == "fused" ? node.regions[0].get() : nullptr;
  product.anchor = body != nullptr ? &body->node(body->nodes().front()) : &node;
  if (product.anchor->op != "conv" || node.outputs.size() != 1 || node.inputs.size() < 2) return std::nullopt;
  if (body != nullptr && (product.anchor->inputs[0] != body->inputs()[0] ||
                          body->users(body->inputs()[0]).size() != 1 || product.anchor->inputs[1] != body->inputs()[1]))
    return std::nullopt;
  const TensorType& result = graph.value(node.outputs[0]).type;
  const Value& weights = graph.value(node.inputs[1]);
  if (result.dtype != DataType::f16 || graph.value(node.inputs[0]).type.dtype != DataType::f16 ||
      weights.type.dtype != DataType::f16 || !weights.is_constant() || result.shape.rank() != 4)
    return std::nullopt;
  product.columns = weights.constant.extents()[0];
  for (size_t i = 2; i < node.inputs.size(); ++i) {
    if (!node.inputs[i].valid()) continue;
    const Value& other = graph.value(node.inputs[i]);
    if (other.is_constant() && other.constant.element_count() == product.columns) continue;
    if (other.is_constant() || other.type != result) return std::nullopt;
    ++product.others;
  }
  return product;
}

std::optional<ProductNode> one_pixel_product(const Graph& graph, NodeId id) {
  auto product = conv_product(graph, id);
  if (!product) return std::nullopt;
  const auto attrs = attrs_to<ConvAttrs>(product->anchor->attrs);
  const auto& filter = graph.value(graph.node(id).inputs[1]).constant.extents();
  const bool one =
      filter[2] == 1 && filter[3] == 1 && attrs.group == 1 && all_are(attrs.strides, 1) && all_are(attrs.pads, 0);
  return one ? product : std::nullopt;
}

}  // namespace planish::passes
