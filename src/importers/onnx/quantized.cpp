// Operators on quantised numbers, as their arithmetic between DequantizeLinear and QuantizeLinear.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// Operands i, i + 1, i + 2: numbers, scales, zero points (may be absent)
ValueId dequantized(NodeContext& context, size_t i, int64_t axis = 1) {
  std::vector<ValueId> operands = {context.input(i), context.input(i + 1)};
  if (context.has_input(i + 2)) operands.push_back(context.input(i + 2));
  return context.add("dequantize_linear", std::move(operands), {{"axis", axis}});
}

// The last node: `value` by scale and zero point, operands i and i + 1
void emit_quantized(NodeContext& context, ValueId value, size_t i, int64_t axis = 1) {
  std::vector<ValueId> operands = {value, context.input(i)};
  if (context.has_input(i + 1)) operands.push_back(context.input(i + 1));
  context.emit("quantize_linear", std::move(operands), {{"axis", axis}});
}

// x, scale, zero; w, scale, zero; result's scale, zero; bias in steps of both scales' product
void import_qlinear_conv(NodeContext& context) {
  std::vector<ValueId> operands = {dequantized(context, 0), dequantized(context, 3, 0)};
  if (context.has_input(8)) {
    const ValueId step = context.add("mul", {context.input(1), context.input(4)});
    operands.push_back(context.add("mul", {as(DataType::f32, context, context.input(8)), step}));
  }
  emit_quantized(context, context.add("conv", std::move(operands), context.attrs()), 6);
}

// Scales of the left operand are a row's, those of the right one a column's.
void import_qlinear_matmul(NodeContext& context) {
  const int64_t rows = std::max(context.type(0).shape.rank() - 2, 0), columns = context.type(3).shape.rank() - 1;
  const ValueId product = context.add("matmul", {dequantized(context, 0, rows), dequantized(context, 3, columns)});
  emit_quantized(context, product, 6, std::max(shape_of(context, product).rank() - 2, 0));
}

// A, scale, zero; B, scale, zero; C in steps of both scales' product; result's scale, zero, absent: floats
void import_qgemm(NodeContext& context) {
  const int64_t columns = context.get_or<int64_t>("transB", 0) != 0 ? 0 : 1;
  std::vector<ValueId> operands = {dequantized(context, 0), dequantized(context, 3, columns)};
  Attrs attrs = context.attrs();
  if (context.has_input(6)) {
    const ValueId step = context.add("mul", {context.input(1), context.input(4)});
    operands.push_back(context.add("mul", {as(DataType::f32, context, context.input(6)), step}));
    attrs.set("beta", context.get_or<double>("alpha", 1));
  }
  const ValueId sum = context.add("gemm", std::move(operands), std::move(attrs));
  if (!context.has_input(7)) return context.alias(sum);
  emit_quantized(context, sum, 7);
}

void import_matmul_integer(NodeContext& context) { context.emit("matmul_integer", context.inputs()); }
void import_conv_integer(NodeContext& context) { context.emit("conv_integer", context.inputs(), context.attrs()); }

struct Quantized {
  ValueId numbers, scale, zero;
};

Quantized quantized_dynamically(NodeContext& context, ValueId x) {
  const ValueId numbers = context.add("dynamic_quantize_linear", {x});
  const std::vector<ValueId> results = context.graph().node(context.value(numbers).producer).outputs;
  return {results[0], results[1], results[2]};
}

void import_dynamic_quantize_linear(NodeContext& context) {
  const Quantized found = quantized_dynamically(context, context.input(0));
  context.results = {found.numbers, found.scale, found.zero};
}

// A, B, A's scale, B's scale, zero points, bias
void import_matmul_integer_to_float(NodeContext& context) {
  const ValueId scale = context.add("mul", {context.input(2), context.input(3)});
  std::vector<ValueId> operands = {context.input(0), context.input(1), context.input(4), context.input(5)};
  const ValueId sums = as(DataType::f32, context, context.add("matmul_integer", std::move(operands)));
  const ValueId product = context.add("mul", {sums, scale});
  if (!context.has_input(6)) return context.alias(product);
  context.emit("add", {product, context.input(6)});
}

// A in floats, B, B's scale, zero point, bias
void import_dynamic_quantize_matmul(NodeContext& context) {
  const Quantized a = quantized_dynamically(context, context.input(0));
  const ValueId sums = as(DataType::f32, context,
                          context.add("matmul_integer", {a.numbers, context.input(1), a.zero, context.input(3)}));
  const ValueId product = context.add("mul", {sums, context.add("mul", {a.scale, context.input(2)})});
  if (!context.has_input(4)) return context.alias(product);
  context.emit("add", {product, context.input(4)});
}

// Weights [D, rows, 4 * hidden] of an LSTM, as it wants them; scales and zero points are a direction's or a column's.
ValueId lstm_weights(NodeContext& context, size_t weights, size_t scale) {
  require_range(context, weights, 3, 3);
  const auto spread = [&](size_t i) {
    const Shape &found = context.type(i).shape, &w = context.type(weights).shape;
    const Shape directions{w[0]}, columns{w[0], w[2]};
    const bool each_column = found == columns;
    if (!each_column && found != directions)
      fail(Code::invalid_model, "operand {} is {}; {} and {} are accepted", i, context.type(i).str(), directions.str(),
           columns.str());
    const ValueId value = as(DataType::f32, context, context.input(i));
    return unsqueezed(context, value, each_column ? std::vector<int64_t>{1} : std::vector<int64_t>{1, 2});
  };
  ValueId numbers = as(DataType::f32, context, context.input(weights));
  if (context.has_input(scale + 1)) numbers = context.add("sub", {numbers, spread(scale + 1)});
  return transposed(context, context.add("mul", {numbers, spread(scale)}), {0, 2, 1});
}

// The operands of LSTM; then W's scales and zero points, R's scales and zero points. X is quantised as a whole, h
// of each step and sequence by itself.
void import_dynamic_quantize_lstm(NodeContext& context) {
  std::vector<ValueId> operands = context.inputs();
  if (operands.size() < 11) fail(Code::invalid_model, "{} operands; 11 or 12 are accepted", operands.size());
  const Quantized x = quantized_dynamically(context, context.input(0));
  operands[0] = context.add("dequantize_linear", {x.numbers, x.scale, x.zero});
  operands[1] = lstm_weights(context, 1, 8);
  operands[2] = lstm_weights(context, 2, 10);
  operands.resize(8);
  Attrs attrs = context.attrs();
  attrs.set("state_in_bytes", int64_t{1});
  context.emit("lstm", std::move(operands), std::move(attrs));
}

// A, scale, zero; B, scale, zero; result's scale, zero
template <const char* const& op>
void import_qlinear_binary(NodeContext& context) {
  emit_quantized(context, context.add(op, {dequantized(context, 0), dequantized(context, 3)}), 6);
}
const char* const kSumOf = "add";
const char* const kProductOf = "mul";

// X, scale, zero; result's scale, zero
template <const char* const& op>
void import_qlinear_unary(NodeContext& context) {
  emit_quantized(context, context.add(op, {dequantized(context, 0)}, context.attrs()), 3);
}
const char* const kSigmoidOf = "sigmoid";
const char* const kLeakyReluOf = "leaky_relu";

void import_qlinear_softmax(NodeContext& context) {
  const int64_t axis = context.get_or<int64_t>("axis", -1);
  const int rank = context.type(0).shape.rank();
  if (context.get_or<int64_t>("opset", 13) < 13 && normalize_axis(axis, rank) != rank - 1)
    fail(Code::unsupported, "an axis of {} in the form of opset 12; the last axis is accepted", axis);
  emit_quantized(context, context.add("softmax", {dequantized(context, 0)}, {{"axis", axis}}), 3);
}

void import_qlinear_pool(NodeContext& context) {
  if (context.get_or<int64_t>("channels_last", 0) != 0) fail(Code::unsupported, "channels_last=1");
  Attrs attrs = context.attrs();
  attrs.erase("channels_last");
  const bool global = context.proto().op_type == "QLinearGlobalAveragePool";
  const ValueId mean =
      context.add(global ? "global_average_pool" : "average_pool", {dequantized(context, 0)}, std::move(attrs));
  emit_quantized(context, mean, 3);
}

// Result's scale, zero; then numbers, scale, zero of each part
void import_qlinear_concat(NodeContext& context) {
  std::vector<ValueId> parts;
  for (size_t i = 2; i < context.inputs().size(); i += 3) {
    for (size_t k : {i, i + 1, i + 2})
      if (!context.has_input(k)) fail(Code::invalid_model, "operand {} is missing", k);
    parts.push_back(dequantized(context, i));
  }
  const ValueId joined = context.add("concat", std::move(parts), {{"axis", context.get_or<int64_t>("axis", 0)}});
  emit_quantized(context, joined, 0);
}

}  // namespace

void register_quantized(ImporterTable& table) {
  table.add("QLinearConv", import_qlinear_conv);
  table.add("QLinearMatMul", import_qlinear_matmul);
  table.add("MatMulInteger", import_matmul_integer);
  table.add("ConvInteger", import_conv_integer);
  table.add("DynamicQuantizeLinear", import_dynamic_quantize_linear);
  table.add("com.microsoft::MatMulIntegerToFloat", import_matmul_integer_to_float);
  table.add("com.microsoft::DynamicQuantizeMatMul", import_dynamic_quantize_matmul);
  table.add("com.microsoft::DynamicQuantizeLSTM", import_dynamic_quantize_lstm, 12);
  table.add("com.microsoft::QGemm", import_qgemm, 9);
  table.add("com.microsoft::QLinearAdd", import_qlinear_binary<kSumOf>);
  table.add("com.microsoft::QLinearMul", import_qlinear_binary<kProductOf>);
  table.add("com.microsoft::QLinearSigmoid", import_qlinear_unary<kSigmoidOf>);
  table.add("com.microsoft::QLinearLeakyRelu", import_qlinear_unary<kLeakyReluOf>);
  table.add("com.microsoft::QLinearSoftmax", import_qlinear_softmax);
  table.add("com.microsoft::QLinearGlobalAveragePool", import_qlinear_pool);
  table.add("com.microsoft::QLinearAveragePool", import_qlinear_pool);
  table.add("com.microsoft::QLinearConcat", import_qlinear_concat);
}

}  // namespace planish::onnx
