// Random numbers, and what draws them: Dropout in training, Bernoulli, Multinomial.

#include <bit>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// The attribute is a float, whose bits are as good; without it there is none.
int64_t seed_of(NodeContext& context) {
  const wire::Attribute* seed = context.attribute("seed");
  if (seed == nullptr) return -1;
  if (const auto* whole = std::get_if<int64_t>(&seed->value)) return *whole & INT64_MAX;
  return std::bit_cast<uint32_t>(static_cast<float>(context.get_or<double>("seed", 0)));
}

ValueId drawn(NodeContext& context, OpName op, ValueId shape, DataType type, double first, double second) {
  return context.add(op, {shape}, {{"dtype", type}, {"first", first}, {"second", second}, {"seed", seed_of(context)}});
}

// Of the extents that the attribute lists, or of the operand's.
template <bool normal>
void import_random(NodeContext& context) {
  const bool like = context.has_input(0), typed = context.attribute("dtype") != nullptr;
  const ValueId shape =
      like ? context.add("shape", {context.input(0)}) : context.ints(context.get_or<std::vector<int64_t>>("shape", {}));
  const DataType type = typed ? named_type(context, "dtype") : like ? context.type(0).dtype : DataType::f32;
  const double first = context.get_or<double>(normal ? "mean" : "low", 0);
  const double second = context.get_or<double>(normal ? "scale" : "high", 1);
  context.alias(drawn(context, normal ? "random_normal" : "random_uniform", shape, type, first, second));
}

ValueId uniform_like(NodeContext& context, ValueId x) {
  return drawn(context, "random_uniform", context.add("shape", {x}), DataType::f32, 0, 1);
}

// 1 with the probability that the operand says
void import_bernoulli(NodeContext& context) {
  const ValueId p = as(DataType::f32, context, context.input(0));
  const DataType type = context.attribute("dtype") != nullptr ? named_type(context, "dtype") : context.type(0).dtype;
  context.emit("cast", {context.add("less", {uniform_like(context, p), p})}, {{"to", type}});
}

// [B, C] logarithms of probabilities -> [B, samples] classes: the largest of each with -log(-log(u)) added
void import_multinomial(NodeContext& context) {
  require_range(context, 0, 2, 2);
  const int64_t samples = context.get_or<int64_t>("sample_size", 1);
  if (samples < 1) fail(Code::invalid_model, "attribute 'sample_size' is {}; 1 and more is accepted", samples);
  const ValueId scores = unsqueezed(context, as(DataType::f32, context, context.input(0)), {1});
  const Shape& shape = context.type(0).shape;
  const ValueId u =
      drawn(context, "random_uniform", dims(context, {shape[0], samples, shape[1]}), DataType::f32, 0x1p-24, 1);
  const auto minus_log = [&](ValueId x) { return context.add("neg", {context.add("log", {x})}); };
  const ValueId noisy = context.add("add", {scores, minus_log(minus_log(u))});
  const ValueId best = context.add("arg_max", {noisy}, {{"axis", int64_t{2}}, {"keepdims", int64_t{0}}});
  const DataType type = context.attribute("dtype") != nullptr ? named_type(context, "dtype") : DataType::i32;
  context.alias(as(type, context, best));
}

// True where it is known that nothing is dropped.
bool keeps_elements(NodeContext& context) {
  const auto is_zero = [&](size_t i) {
    const Value& value = context.value(context.input(i));
    return value.is_constant() && value.constant.element_count() == 1 && value.constant.to_doubles()[0] == 0;
  };
  return !context.has_input(2) || is_zero(2) || (context.has_input(1) && is_zero(1));
}

ValueId all_kept(NodeContext& context, ValueId x) {
  const ValueId one = context.opset() >= 10
                          ? context.add("cast", {context.scalar_like(x, 1)}, {{"to", DataType::boolean}})
                          : context.scalar_like(x, 1);
  return context.add("expand", {one, context.add("shape", {x})});
}

// Training: an element is 0 with the ratio's probability, all others grow by 1 / (1 - ratio).
void import_trained_dropout(NodeContext& context) {
  const ValueId x = context.input(0), training = context.input(2);
  const ValueId ratio = context.has_input(1) ? as(DataType::f32, context, context.input(1))
                                             : context.constant(Tensor::scalar<float>(0.5f));
  const ValueId lucky = context.add("greater_equal", {uniform_like(context, x), ratio});
  const ValueId kept = context.add("or", {lucky, context.add("not", {training})});
  const ValueId one = context.constant(Tensor::scalar<float>(1.f));
  const ValueId growth = context.add("div", {one, context.add("sub", {one, ratio})});
  const ValueId factor = as(context.type(0).dtype, context, context.add("where", {training, growth, one}));
  const ValueId grown = context.add("mul", {x, factor});
  context.results = {context.add("where", {kept, grown, context.scalar_like(x, 0)}), kept};
}

void import_dropout(NodeContext& context) {
  const ValueId x = context.input(0);
  if (!keeps_elements(context)) return import_trained_dropout(context);
  if (context.proto().outputs.size() < 2) return context.emit("identity", {x});
  context.results = {context.add("identity", {x}), all_kept(context, x)};
}

}  // namespace

void register_random(ImporterTable& table) {
  table.add("RandomUniform", import_random<false>, 0);
  table.add("RandomUniformLike", import_random<false>, 1);
  table.add("RandomNormal", import_random<true>, 0);
  table.add("RandomNormalLike", import_random<true>, 1);
  table.add("Bernoulli", import_bernoulli, 1);
  table.add("Multinomial", import_multinomial, 1);
  table.add("Dropout", import_dropout, 3);
}

}  // namespace planish::onnx
