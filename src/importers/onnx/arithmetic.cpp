// Add, Sub, Mul, Div with the broadcast attributes of opset < 7, and what needs a word on the way in.

#include "importers/onnx/importer.h"

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

void import_cast(NodeContext& context) {
  const int64_t number = context.get_or<int64_t>("to", 0);
  const DataType to = wire::dtype_of(number);
  if (to == DataType::none || to == DataType::string)
    fail(Code::unsupported, "a cast to element type {} of ONNX", number);
  context.emit("cast", {context.input(0)}, {{"to", to}});
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

// True when it is known to drop elements, or not known not to.
bool drops_elements(NodeContext& context) {
  if (!context.has_input(2)) return false;
  const auto is_zero = [&](size_t i) {
    const Value& value = context.graph().value(context.input(i));
    return value.is_constant() && value.constant.element_count() == 1 && value.constant.to_doubles()[0] == 0;
  };
  return !is_zero(2) && !(context.has_input(1) && is_zero(1));
}

// Inference: the data passes, and the mask lets all of it.
void import_dropout(NodeContext& context) {
  if (drops_elements(context)) fail(Code::unsupported, "training_mode=1 with a ratio other than 0");
  const ValueId x = context.input(0);
  if (context.proto().outputs.size() < 2) return context.emit("identity", {x});
  const ValueId one = context.opset() >= 10
                          ? context.add("cast", {context.scalar_like(x, 1)}, {{"to", DataType::boolean}})
                          : context.scalar_like(x, 1);
  context.results = {context.add("identity", {x}), context.add("expand", {one, context.add("shape", {x})})};
}

// Without a zero point the result is u8: an output_dtype that says otherwise has no zero point to take it from.
void import_quantize(NodeContext& context) {
  Attrs attrs = context.attrs();
  const int64_t wanted = attrs.get_or<int64_t>("output_dtype", 0);
  const DataType given = context.has_input(2) ? context.type(2).dtype : DataType::u8;
  if (wanted != 0 && wire::dtype_of(wanted) != given)
    fail(Code::unsupported, "attribute 'output_dtype' is {}; the type of the zero point, {}, is accepted", wanted,
         data_type_name(given));
  attrs.erase("output_dtype");
  context.emit("quantize_linear", context.inputs(), std::move(attrs));
}

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
  table.add("QuantizeLinear", import_quantize);
  table.add("Dropout", import_dropout, 3);
  table.add("Softmax", import_softmax<kSoftmax>, 1);
  table.add("LogSoftmax", import_softmax<kLogSoftmax>, 1);
}

}  // namespace planish::onnx
