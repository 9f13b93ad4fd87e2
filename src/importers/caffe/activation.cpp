// Layers that change each element by itself.

#include <cmath>

#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

template <const char* op>
void import_unary(LayerContext& context) {
  context.emit(op, {context.input(0)});
}

void import_relu(LayerContext& context) {
  const double slope = context.param("relu_param").number("negative_slope", 0);
  if (slope == 0) return context.emit("relu", {context.input(0)});
  context.emit("leaky_relu", {context.input(0)}, {{"alpha", slope}});
}

// One slope a channel (axis 1), or one for all.
void import_prelu(LayerContext& context) {
  const int rank = context.rank(0);
  if (rank < 2) fail(Code::invalid_model, "its bottom is {}; rank 2 and more is accepted", context.type(0).str());
  context.require_blobs(1, 1);
  const bool shared = context.param("prelu_param").flag("channel_shared");
  std::vector<int64_t> extents = {shared ? 1 : fixed_extent(context, context.input(0), 1, "the number of channels")};
  const Tensor slopes = context.blob_tensor(0, extents, Made::drawn);
  for (int i = 2; i < rank && !shared; ++i) extents.push_back(1);
  context.emit("prelu", {context.input(0), context.constant(slopes.reshaped(extents))});
}

void import_elu(LayerContext& context) {
  context.emit("elu", {context.input(0)}, {{"alpha", context.param("elu_param").number("alpha", 1)}});
}

// (shift + scale * x) ^ power
void import_power(LayerContext& context) {
  const text::Message& param = context.param("power_param");
  const double power = param.number("power", 1);
  const ValueId inner =
      shifted(context, scaled(context, context.input(0), param.number("scale", 1)), param.number("shift", 0));
  if (power == 1) return context.give({inner});
  context.emit("pow", {inner, context.scalar_like(inner, power)});
}

// base ^ (shift + scale * x); a base of -1 is e
void import_exp(LayerContext& context) {
  const text::Message& param = context.param("exp_param");
  const double base = param.number("base", -1);
  if (base != -1 && !(base > 0)) fail(Code::invalid_model, "a base of {}; -1 (e) and those above 0 are accepted", base);
  const double factor = base == -1 ? 1 : std::log(base);
  const ValueId inner = shifted(context, scaled(context, context.input(0), param.number("scale", 1) * factor),
                                param.number("shift", 0) * factor);
  context.emit("exp", {inner});
}

// The logarithm of shift + scale * x to the base; a base of -1 is e
void import_log(LayerContext& context) {
  const text::Message& param = context.param("log_param");
  const double base = param.number("base", -1);
  if (base != -1 && (!(base > 0) || base == 1))
    fail(Code::invalid_model, "a base of {}; -1 (e) and those above 0, but 1, are accepted", base);
  const ValueId inner =
      shifted(context, scaled(context, context.input(0), param.number("scale", 1)), param.number("shift", 0));
  if (base == -1) return context.emit("log", {inner});
  context.give({scaled(context, context.add("log", {inner}), 1 / std::log(base))});
}

void import_clip(LayerContext& context) {
  const text::Message& param = context.param("clip_param");
  if (!param.has("min") || !param.has("max")) fail(Code::invalid_model, "clip_param has no min or no max");
  const ValueId x = context.input(0);
  context.emit("clip", {x, context.scalar_like(x, param.number("min")), context.scalar_like(x, param.number("max"))});
}

void import_relu6(LayerContext& context) {
  const ValueId x = context.input(0);
  context.emit("clip", {x, context.scalar_like(x, 0), context.scalar_like(x, 6)});
}

void import_swish(LayerContext& context) {
  context.give({swish(context, context.input(0), context.param("swish_param").number("beta", 1))});
}

// 1 above the threshold, else 0
void import_threshold(LayerContext& context) {
  const ValueId x = context.input(0);
  const ValueId above =
      context.add("greater", {x, context.scalar_like(x, context.param("threshold_param").number("threshold", 0))});
  context.emit("cast", {above}, {{"to", DataType::f32}});
}

// In the phase TEST nothing is dropped.
void import_same(LayerContext& context) { context.give({context.input(0)}); }

constexpr char kSigmoid[] = "sigmoid", kTanh[] = "tanh", kAbs[] = "abs", kSoftplus[] = "softplus";

}  // namespace

void register_activation(LayerTable& table) {
  table.add("ReLU", import_relu);
  table.add("ReLU6", import_relu6);
  table.add("PReLU", import_prelu);
  table.add("ELU", import_elu);
  table.add("Sigmoid", import_unary<kSigmoid>);
  table.add("TanH", import_unary<kTanh>);
  table.add("AbsVal", import_unary<kAbs>);
  table.add("BNLL", import_unary<kSoftplus>);
  table.add("Power", import_power);
  table.add("Exp", import_exp);
  table.add("Log", import_log);
  table.add("Clip", import_clip);
  table.add("Swish", import_swish);
  table.add("Threshold", import_threshold);
  table.add("Dropout", import_same);
}

}  // namespace planish::caffe
