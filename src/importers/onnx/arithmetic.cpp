// Add, Sub, Mul, Div with the broadcast attributes of opset < 7, and what needs a word on the way in.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// Opset < 7: with broadcast=1 the second operand lines up with `axis` of the first.
ValueId align_operand(NodeContext& context) {
  const int64_t axis = context.get_or<int64_t>("axis", -1);
  const int rank = context.type(0).shape.rank(), other = context.type(1).shape.rank();
  if (context.opset() >= 7 || context.get_or<int64_t>("broadcast", 0) == 0 || axis < 0 || axis + other == rank)
    return context.input(1);
  if (axis + other > rank)
    fail(Code::invalid_model, "axis {} of {}, where {} begins; up to {} is accepted", axis, context.type(0).str(),
         context.type(1).str(), rank - other);
  std::vector<int64_t> axes;
  for (int64_t i = other; i < rank - axis; ++i) axes.push_back(i);
  return context.add("unsqueeze", {context.input(1), context.ints(axes)});
}

template <const char* const& op>
void import_binary(NodeContext& context) {
  context.emit(op, {context.input(0), align_operand(context)});
}
const char* const kAdd = "add";
const char* const kSub = "sub";
const char* const kMul = "mul";
const char* const kDiv = "div";
const char* const kPow = "pow";
const char* const kAnd = "and";
const char* const kOr = "or";
const char* const kXor = "xor";
const char* const kEqual = "equal";
const char* const kLess = "less";
const char* const kGreater = "greater";

// Opset < 7: one slope for all, or one a channel.
void import_prelu(NodeContext& context) {
  const int rank = context.type(0).shape.rank();
  ValueId slope = context.input(1);
  const Shape& shape = context.type(1).shape;
  if (context.opset() < 7 && shape.rank() == 1 && shape[0] != Dim(1) && rank > 2) {
    std::vector<int64_t> axes;
    for (int64_t i = 1; i < rank - 1; ++i) axes.push_back(i);
    slope = context.add("unsqueeze", {slope, context.ints(axes)});
  }
  context.emit("prelu", {context.input(0), slope});
}

// Opset < 7: operand 2 spreads where 'broadcast' says so; it spreads here as it does from 7 on.
void import_gemm(NodeContext& context) {
  Attrs attrs = context.attrs();
  attrs.erase("broadcast");
  context.emit("gemm", context.inputs(), std::move(attrs));
}

void import_clip(NodeContext& context) {
  std::vector<ValueId> inputs = context.inputs();
  if (context.opset() < 11) {
    inputs.resize(1);
    inputs.push_back(context.attribute("min") != nullptr
                         ? context.scalar_like(inputs[0], context.get_or<double>("min", 0))
                         : ValueId{});
    inputs.push_back(context.attribute("max") != nullptr
                         ? context.scalar_like(inputs[0], context.get_or<double>("max", 0))
                         : ValueId{});
  }
  context.emit("clip", std::move(inputs));
}

// Opset < 6 names the type in words.
DataType cast_target(NodeContext& context) {
  const wire::Attribute* to = context.attribute("to");
  const auto* word = to == nullptr ? nullptr : std::get_if<std::string>(&to->value);
  if (word == nullptr) return named_type(context, "to");
  static const std::map<std::string_view, DataType> kWords = {
      {"FLOAT", DataType::f32}, {"DOUBLE", DataType::f64}, {"FLOAT16", DataType::f16}, {"BOOL", DataType::boolean},
      {"INT8", DataType::i8},   {"UINT8", DataType::u8},   {"INT16", DataType::i16},   {"UINT16", DataType::u16},
      {"INT32", DataType::i32}, {"UINT32", DataType::u32}, {"INT64", DataType::i64},   {"UINT64", DataType::u64}};
  const auto at = kWords.find(*word);
  if (at == kWords.end()) fail(Code::unsupported, "a cast to '{}'", *word);
  return at->second;
}

void emit_cast(NodeContext& context, DataType to) {
  Attrs attrs = {{"to", to}};
  for (const char* name : {"saturate", "round_mode"})
    if (const wire::Attribute* given = context.attribute(name)) attrs.set(name, given->value);
  context.emit("cast", {context.input(0)}, std::move(attrs));
}

void import_cast(NodeContext& context) { emit_cast(context, cast_target(context)); }
void import_cast_like(NodeContext& context) { emit_cast(context, context.type(1).dtype); }
void import_bit_cast(NodeContext& context) {
  context.emit("bit_cast", {context.input(0)}, {{"to", named_type(context, "to")}});
}

void import_constant(NodeContext& context) {
  if (context.attribute("value") != nullptr)
    return context.alias(context.constant(context.get_or<Tensor>("value", {})));
  if (context.attribute("value_int") != nullptr)
    return context.alias(context.constant(Tensor::scalar<int64_t>(context.get_or<int64_t>("value_int", 0))));
  if (context.attribute("value_float") != nullptr)
    return context.alias(
        context.constant(Tensor::scalar<float>(static_cast<float>(context.get_or<double>("value_float", 0)))));
  if (context.attribute("value_ints") != nullptr)
    return context.alias(context.ints(context.get_or<std::vector<int64_t>>("value_ints", {})));
  if (context.attribute("value_floats") != nullptr) {
    const auto values = context.get_or<std::vector<double>>("value_floats", {});
    const std::vector<float> floats(values.begin(), values.end());
    return context.alias(context.constant(Tensor::of<float>({static_cast<int64_t>(floats.size())}, floats)));
  }
  fail(Code::unsupported, "a Constant without a tensor, ints or floats");
}

void import_constant_of_shape(NodeContext& context) {
  context.emit("constant_of_shape", {context.input(0)}, context.attrs());
}

// 'precision' says in which type to divide; it is f32 here.
template <const char* const& op>
void import_quantize(NodeContext& context) {
  Attrs attrs = context.attrs();
  attrs.erase("precision");
  attrs.erase("output_dtype");
  if (context.get_or<int64_t>("output_dtype", 0) != 0) attrs.set("output_dtype", named_type(context, "output_dtype"));
  context.emit(op, context.inputs(), std::move(attrs));
}
const char* const kQuantizeLinear = "quantize_linear";
const char* const kDequantizeLinear = "dequantize_linear";

// Opset < 13: everything from `axis` on is one row.
template <const char* const& op>
void import_softmax(NodeContext& context) {
  const int rank = context.type(0).shape.rank();
  const int64_t axis = context.get_or<int64_t>("axis", context.opset() < 13 ? 1 : -1);
  if (context.opset() >= 13 || normalize_axis(axis, rank) == rank - 1)
    return context.emit(op, {context.input(0)}, {{"axis", axis}});
  const ValueId shape = context.add("shape", {context.input(0)});
  const ValueId flat = context.add("flatten", {context.input(0)}, {{"axis", int64_t{normalize_axis(axis, rank)}}});
  context.emit("reshape", {context.add(op, {flat}, {{"axis", int64_t{-1}}}), shape}, {{"allowzero", int64_t{1}}});
}
const char* const kSoftmax = "softmax";
const char* const kLogSoftmax = "log_softmax";

}  // namespace

void register_arithmetic(ImporterTable& table) {
  table.add("Add", import_binary<kAdd>, 2);
  table.add("Sub", import_binary<kSub>, 2);
  table.add("Mul", import_binary<kMul>, 2);
  table.add("Div", import_binary<kDiv>, 2);
  table.add("Pow", import_binary<kPow>, 2);
  table.add("And", import_binary<kAnd>, 2);
  table.add("Or", import_binary<kOr>, 2);
  table.add("Xor", import_binary<kXor>, 2);
  table.add("Equal", import_binary<kEqual>, 2);
  table.add("Less", import_binary<kLess>, 2);
  table.add("Greater", import_binary<kGreater>, 2);
  table.add("PRelu", import_prelu, 2);
  table.add("Gemm", import_gemm);
  table.add("Clip", import_clip, 3);
  table.add("Cast", import_cast, 1);
  table.add("Constant", import_constant, 0);
  table.add("ConstantOfShape", import_constant_of_shape, 1);
  table.add("CastLike", import_cast_like, 2);
  table.add("BitCast", import_bit_cast, 1);
  table.add("QuantizeLinear", import_quantize<kQuantizeLinear>);
  table.add("DequantizeLinear", import_quantize<kDequantizeLinear>);
  table.add("Softmax", import_softmax<kSoftmax>, 1);
  table.add("LogSoftmax", import_softmax<kLogSoftmax>, 1);
}

}  // namespace planish::onnx
