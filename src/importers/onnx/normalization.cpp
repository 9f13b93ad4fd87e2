// Normalisations in terms of layer normalisation over rows, of reductions and of pooling.

#include <algorithm>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

ValueId normal_rows(NodeContext& context, int64_t groups) {
  return importers::normal_rows(context, context.input(0), groups, context.get_or<double>("epsilon", 1e-5));
}

void require_channels(NodeContext& context, Dim wanted) {
  for (size_t i : {1, 2}) {
    const Shape& shape = context.type(i).shape;
    if (shape.rank() != 1 || (wanted.is_constant() && shape[0].is_constant() && shape[0] != wanted))
      fail(Code::invalid_model, "operand {} is {}, [{}] is accepted", i, context.type(i).str(), wanted.str());
  }
}

void require_rank_3(NodeContext& context) {
  if (context.type(0).shape.rank() < 3)
    fail(Code::invalid_model, "operand 0 is {}; rank 3 and above is accepted", context.type(0).str());
}

// (x - mean) / sqrt(variance + epsilon) * scale + bias over the space of each channel
void import_instance_normalization(NodeContext& context) {
  require_rank_3(context);
  const int rank = context.type(0).shape.rank();
  require_channels(context, context.type(0).shape[1]);
  const ValueId normal = in_shape_of(context, normal_rows(context, 0), context.input(0));
  const ValueId scaled = context.add("mul", {normal, per_channel(context, context.input(1), rank)});
  context.emit("add", {scaled, per_channel(context, context.input(2), rank)});
}

// The same over groups of channels. Opset < 21: scale and bias have one value a group.
void import_group_normalization(NodeContext& context) {
  require_rank_3(context);
  const int rank = context.type(0).shape.rank();
  const int64_t groups = context.get_or<int64_t>("num_groups", 0);
  const Dim channels = context.type(0).shape[1];
  if (groups < 1 || (channels.is_constant() && channels.value() % groups != 0))
    fail(Code::invalid_model, "attribute 'num_groups' is {}; a divisor of {} is accepted", groups, channels.str());
  const bool by_group = context.opset() < 21;
  require_channels(context, by_group ? Dim(groups) : channels);
  const ValueId rows = normal_rows(context, groups);
  if (by_group) {
    const ValueId scaled = context.add("mul", {rows, per_channel(context, context.input(1), 3)});
    const ValueId sum = context.add("add", {scaled, per_channel(context, context.input(2), 3)});
    return context.emit("reshape", {sum, context.add("shape", {context.input(0)})});
  }
  const ValueId normal = in_shape_of(context, rows, context.input(0));
  const ValueId scaled = context.add("mul", {normal, per_channel(context, context.input(1), rank)});
  context.emit("add", {scaled, per_channel(context, context.input(2), rank)});
}

// Y, and where asked the mean and 1 / deviation of each row, in the type that 'stash_type' names
void import_layer_normalization(NodeContext& context) {
  const ValueId x = context.input(0);
  Attrs attrs = context.attrs();
  attrs.erase("stash_type");
  const ValueId y = context.add("layer_normalization", context.inputs(), attrs);
  if (!wants_result(context, 1) && !wants_result(context, 2)) return context.alias(y);
  const int rank = context.type(0).shape.rank();
  std::vector<int64_t> axes;
  for (int i = normalize_axis(context.get_or<int64_t>("axis", -1), rank); i < rank; ++i) axes.push_back(i);
  const DataType type = wire::dtype_of(context.get_or<int64_t>("stash_type", 1));
  if (!is_float(type)) fail(Code::invalid_model, "attribute 'stash_type' is no float type");
  const ValueId wide = as(type, context, x), over = context.ints(axes);
  const ValueId mean = context.add("reduce_mean", {wide, over}), centred = context.add("sub", {wide, mean});
  const ValueId variance = context.add("reduce_mean", {context.add("mul", {centred, centred}), over});
  const ValueId epsilon = context.scalar_like(wide, context.get_or<double>("epsilon", 1e-5));
  const ValueId deviation = context.add("sqrt", {context.add("add", {variance, epsilon})});
  context.results = {y, mean, context.add("reciprocal", {deviation})};
  context.results.resize(std::min<size_t>(3, context.proto().outputs.size()));
}

// Trained: by the mean and variance of this batch, which the running ones move towards.
void emit_training(NodeContext& context, Attrs attrs) {
  const ValueId x = context.input(0);
  require_range(context, 0, 2, kMaxRank);
  std::vector<int64_t> axes = {0};
  for (int i = 2; i < context.type(0).shape.rank(); ++i) axes.push_back(i);
  const Attrs dropped = {{"keepdims", int64_t{0}}};
  const ValueId over = context.ints(axes), mean = context.add("reduce_mean", {x, over}, dropped);
  const ValueId centred = context.add("sub", {x, context.add("reduce_mean", {x, over})});
  const ValueId variance = context.add("reduce_mean", {context.add("mul", {centred, centred}), over}, dropped);
  const double momentum = context.get_or<double>("momentum", 0.9);
  const auto moved = [&](ValueId running, ValueId now) {
    const ValueId part = scaled(context, as(dtype_of(context, running), context, now), 1 - momentum);
    return context.add("add", {scaled(context, running, momentum), part});
  };
  const ValueId y = context.add("batch_normalization", {x, context.input(1), context.input(2), mean, variance}, attrs);
  context.results = {y, moved(context.input(3), mean), moved(context.input(4), variance), mean, variance};
  context.results.resize(std::min<size_t>(5, context.proto().outputs.size()));
}

// Opset < 9, spatial=0: each element of a sample has a scale, bias, mean and variance of its own.
void emit_by_element(NodeContext& context) {
  const ValueId x = context.input(0), epsilon = context.scalar_like(x, context.get_or<double>("epsilon", 1e-5));
  const ValueId deviation = context.add("sqrt", {context.add("add", {context.input(4), epsilon})});
  const ValueId normal = context.add("div", {context.add("sub", {x, context.input(3)}), deviation});
  context.emit("add", {context.add("mul", {normal, context.input(1)}), context.input(2)});
}

// Opset < 14: further results are asked for in training alone.
void import_batch_normalization(NodeContext& context) {
  const Attrs attrs = {{"epsilon", context.get_or<double>("epsilon", 1e-5)}};
  const auto& outputs = context.proto().outputs;
  const bool more = std::any_of(outputs.begin() + 1, outputs.end(), [](const auto& name) { return !name.empty(); });
  const bool training = context.opset() < 14 ? more && context.get_or<int64_t>("is_test", 0) == 0
                                             : context.get_or<int64_t>("training_mode", 0) != 0;
  if (training) return emit_training(context, attrs);
  if (more) fail(Code::invalid_model, "{} results without training; Y is accepted", outputs.size());
  if (context.get_or<int64_t>("spatial", 1) == 0) return emit_by_element(context);
  context.emit("batch_normalization", context.inputs(), attrs);
}

// x / (bias + alpha / size * (sum of the squares of `size` neighbouring channels)) ^ beta
void import_lrn(NodeContext& context) {
  require_rank_3(context);
  const ValueId x = context.input(0);
  const int64_t size = context.get_or<int64_t>("size", 0);
  if (size < 1) fail(Code::invalid_model, "attribute 'size' is {}; 1 and more is accepted", size);
  const auto number = [&](const char* name, double fallback) { return context.get_or<double>(name, fallback); };
  const ValueId divisor =
      channel_divisor(context, x, {size, number("alpha", 1e-4), number("beta", 0.75), number("bias", 1)});
  context.emit("div", {x, divisor});
}

// A row of zeros stays one.
void import_lp_normalization(NodeContext& context) {
  const int64_t p = context.get_or<int64_t>("p", 2);
  if (p != 1 && p != 2) fail(Code::invalid_model, "attribute 'p' is {}; 1 and 2 are accepted", p);
  const ValueId x = context.input(0), zero = context.scalar_like(x, 0), one = context.scalar_like(x, 1);
  const ValueId norm =
      context.add(p == 1 ? "reduce_l1" : "reduce_l2", {x, context.ints({context.get_or<int64_t>("axis", -1)})});
  context.emit("div", {x, context.add("where", {context.add("equal", {norm, zero}), one, norm})});
}

// (x - mean) / (deviation + 1e-9)
void import_mean_variance_normalization(NodeContext& context) {
  const ValueId x = context.input(0);
  const ValueId axes = context.ints(context.get_or<std::vector<int64_t>>("axes", {0, 2, 3}));
  const ValueId centred = context.add("sub", {x, context.add("reduce_mean", {x, axes})});
  const ValueId variance = context.add("reduce_mean", {context.add("mul", {centred, centred}), axes});
  context.emit("div", {centred, context.add("add", {context.add("sqrt", {variance}), context.scalar_like(x, 1e-9)})});
}

}  // namespace

void register_normalization(ImporterTable& table) {
  table.add("LayerNormalization", import_layer_normalization, 3);
  table.add("BatchNormalization", import_batch_normalization);
  table.add("InstanceNormalization", import_instance_normalization);
  table.add("GroupNormalization", import_group_normalization);
  table.add("LRN", import_lrn);
  table.add("LpNormalization", import_lp_normalization);
  table.add("MeanVarianceNormalization", import_mean_variance_normalization);
}

}  // namespace planish::onnx
