#include "ops/common/quantized.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference/quantize.h"
#include "ops/op.h"

namespace planish {
namespace {

bool is_byte(DataType type) { return type == DataType::u8 || type == DataType::i8; }

const Value* single_constant(const Graph& graph, const Node& node, size_t i) {
  if (i >= node.inputs.size() || !node.inputs[i].valid()) return nullptr;
  const Value& value = graph.value(node.inputs[i]);
  return value.is_constant() && value.constant.element_count() == 1 ? &value : nullptr;
}

}  // namespace

std::optional<TensorScale> tensor_scale(const Graph& graph, const Node& node) {
  const bool back = node.op == "dequantize_linear";
  if (!back && node.op != "quantize_linear") return std::nullopt;
  const DataType from = graph.value(node.inputs[0]).type.dtype, to = graph.value(node.outputs[0]).type.dtype;
  if ((back ? to : from) != DataType::f32 || !is_byte(back ? from : to)) return std::nullopt;
  const Value* scale = single_constant(graph, node, 1);
  const bool has_zero = node.inputs.size() > 2 && node.inputs[2].valid();
  const Value* zero = has_zero ? single_constant(graph, node, 2) : nullptr;
  if (scale == nullptr || scale->type.dtype != DataType::f32 || (has_zero && zero == nullptr) ||
      attrs_to<QuantizeAttrs>(node.attrs).block_size != 0)
    return std::nullopt;
  TensorScale found{scale->constant.to_doubles()[0], 0, back ? from : to};
  if (zero != nullptr) found.zero = zero->constant.to_ints()[0];
  if (!std::isfinite(found.scale) || found.scale <= 0) return std::nullopt;
  return found;
}

std::optional<TensorScale> tensor_scale_of(const Graph& graph, ValueId id) {
  if (!id.valid() || !graph.value(id).producer.valid()) return std::nullopt;
  const Node& node = graph.node(graph.value(id).producer);
  return node.op == "dequantize_linear" ? tensor_scale(graph, node) : std::nullopt;
}

bool has_dynamic_scale(const Graph& graph, const Node& node) {
  if (node.op != "dequantize_linear" || node.inputs.size() != 3 ||
      graph.value(node.outputs[0]).type.dtype != DataType::f32)
    return false;
  const NodeId maker = graph.value(node.inputs[0]).producer;
  if (!maker.valid() || graph.node(maker).op != "dynamic_quantize_linear" || graph.node(maker).outputs != node.inputs)
    return false;
  const Shape &x = graph.value(node.inputs[0]).type.shape, &scale = graph.value(node.inputs[1]).type.shape;
  const auto attrs = attrs_to<QuantizeAttrs>(node.attrs);
  if (scale.rank() == 0) return attrs.block_size == 0;
  return normalize_axis(attrs.axis, x.rank()) == x.rank() - 1 && Dim(attrs.block_size) == x[x.rank() - 1];
}

bool has_dynamic_scale(const Graph& graph, ValueId id) {
  const NodeId maker = id.valid() ? graph.value(id).producer : NodeId{};
  return maker.valid() && has_dynamic_scale(graph, graph.node(maker));
}

PwBuilder::Reg add_dequantize(PwBuilder& builder, PwBuilder::Reg r, const TensorScale& by) {
  if (by.zero != 0) r = builder.binary(PwOp::sub, r, builder.constant(static_cast<double>(by.zero)));
  return builder.binary(PwOp::mul, r, builder.constant(by.scale));
}

PwBuilder::Reg add_quantize(PwBuilder& builder, PwBuilder::Reg r, const TensorScale& by) {
  r = builder.unary(PwOp::round, builder.binary(PwOp::div, r, builder.constant(by.scale)));
  return by.zero == 0 ? r : builder.binary(PwOp::add, r, builder.constant(static_cast<double>(by.zero)));
}

PwBuilder::Reg add_saturate(PwBuilder& builder, PwBuilder::Reg r, DataType numbers) {
  const double low = numbers == DataType::i8 ? -128 : 0, high = numbers == DataType::i8 ? 127 : 255;
  const PwBuilder::Reg known = builder.select(builder.unary(PwOp::is_nan, r), builder.constant(0), r);
  return builder.binary(PwOp::min, builder.binary(PwOp::max, known, builder.constant(low)), builder.constant(high));
}

std::optional<QuantizedWeights> quantized_weights(const Tensor& numbers, const Tensor& scales, const Tensor& zeros,
                                                  const Attrs& attrs, int axis) {
  const auto given = attrs_to<QuantizeAttrs>(attrs);
  const auto rank = static_cast<int>(numbers.extents().size());
  if (!is_byte(numbers.dtype()) || scales.dtype() != DataType::f32 || given.block_size != 0 || axis >= rank)
    return std::nullopt;
  const int64_t columns = numbers.extents()[static_cast<size_t>(axis)], count = scales.element_count();
  if (count != 1 && (count != columns || normalize_axis(given.axis, rank) != axis)) return std::nullopt;
  QuantizedWeights weights;
  weights.scales = scales.to_doubles();
  if (std::any_of(weights.scales.begin(), weights.scales.end(), [](double s) { return !std::isfinite(s); }))
    return std::nullopt;
  const std::vector<int64_t> zero = zeros.present() ? zeros.to_ints() : std::vector<int64_t>{0};
  std::vector<int64_t> values = numbers.to_ints();
  int64_t inner = 1;
  for (int k = axis + 1; k < rank; ++k) inner *= numbers.extents()[static_cast<size_t>(k)];
  std::vector<int16_t> centred;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto column = static_cast<size_t>(static_cast<int64_t>(i) / inner % columns);
    const int64_t value = values[i] - zero[zero.size() == 1 ? 0 : column];
    weights.least = std::min(weights.least, value);
    weights.most = std::max(weights.most, value);
    centred.push_back(static_cast<int16_t>(value));
  }
  weights.centred = Tensor::of<int16_t>({numbers.extents().begin(), numbers.extents().end()}, centred);
  return weights;
}

std::optional<QuantizedWeights> quantized_weights(const Graph& graph, const Node& node, int axis) {
  if (node.op != "dequantize_linear") return std::nullopt;
  for (ValueId id : node.inputs)
    if (id.valid() && !graph.value(id).is_constant()) return std::nullopt;
  const bool has_zeros = node.inputs.size() > 2 && node.inputs[2].valid();
  return quantized_weights(graph.value(node.inputs[0]).constant, graph.value(node.inputs[1]).constant,
                           has_zeros ? graph.value(node.inputs[2]).constant : Tensor(), node.attrs, axis);
}

}  // namespace planish
