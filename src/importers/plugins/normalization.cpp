// Normalisations, and BERT's embedding that ends in one.

#include <limits>

#include "importers/plugins/table/plugin_table.h"

namespace planish::plugins {
namespace {

using importers::per_channel;

// x / sqrt(sum of squares + eps) * weights; the sum over channels, or over all of a sample
void expand_normalize(PluginContext& context) {
  const ValueId x = context.input(0);
  const int rank = context.shape(0, 2, kMaxRank).rank();
  const bool shared = context.flag("channelShared");
  const int64_t count = shared ? 1 : importers::fixed_extent(context, x, 1, "the number of channels");
  std::vector<int64_t> axes, extents = {count};
  for (int64_t axis = 1; axis < (context.flag("acrossSpatial") ? rank : 2); ++axis) axes.push_back(axis);
  for (int axis = 2; axis < rank; ++axis) extents.push_back(1);
  const ValueId squares = context.add("reduce_sum_square", {x, context.ints(axes)});
  const ValueId norm = context.add("sqrt", {importers::shifted(context, squares, context.number("eps"))});
  context.give({context.add("mul", {context.add("div", {x, norm}), context.weights("weights", extents)})});
}

// Scale and bias of each channel, then a leaky ramp where `relu` asks for one.
void expand_instance_normalization(PluginContext& context) {
  const ValueId x = context.input(0);
  const int rank = context.shape(0, 3, kMaxRank).rank();
  const int64_t channels = importers::fixed_extent(context, x, 1, "the number of channels");
  const ValueId normal =
      importers::in_shape_of(context, importers::normal_rows(context, x, 0, context.number("epsilon")), x);
  const auto row = [&](const char* name) { return per_channel(context, context.weights(name, {channels}), rank); };
  const ValueId y = context.add("add", {context.add("mul", {normal, row("scales")}), row("bias")});
  if (!context.flag("relu")) return context.give({y});
  context.give({context.add("leaky_relu", {y}, {{"alpha", context.number("alpha")}})});
}

// X, scale [C], bias [C]
void expand_group_normalization(PluginContext& context) {
  const ValueId x = context.input(0);
  const Shape& shape = context.shape(0, 3, kMaxRank);
  const int rank = shape.rank();
  const int64_t groups = context.integer("num_groups");
  if (groups < 1 || (shape[1].is_constant() && shape[1].value() % groups != 0))
    fail(Code::invalid_model, "field 'num_groups' is {}; a divisor of {} is accepted", groups, shape[1].str());
  const ValueId normal =
      importers::in_shape_of(context, importers::normal_rows(context, x, groups, context.number("eps")), x);
  const auto row = [&](size_t i) {
    const ValueId flat =
        importers::reshaped(context, context.input(i), {context.value(context.input(i)).type.shape.element_count()});
    return per_channel(context, flat, rank);
  };
  context.give({context.add("add", {context.add("mul", {normal, row(1)}), row(2)})});
}

// X, scale, bias, of the last axis
void expand_layer_norm(PluginContext& context) {
  context.give({context.add("layer_normalization", {context.input(0), context.input(1), context.input(2)},
                            {{"axis", int64_t{-1}}, {"epsilon", context.number("epsilon")}})});
}

// BERT's plugins add to the variance what the next float after 1 differs from 1.
constexpr double kBertEpsilon = std::numeric_limits<float>::epsilon();

// gamma * normal(x) + beta over the axis of `width` elements, behind which there are only axes of 1
ValueId bert_norm(PluginContext& context, ValueId x, int axis, int64_t width, const char* gamma, const char* beta) {
  std::vector<int64_t> extents(static_cast<size_t>(context.value(x).type.shape.rank() - axis), 1);
  extents[0] = width;
  const ValueId scale = context.weights(gamma, extents), bias = context.weights(beta, extents);
  return context.add("layer_normalization", {x, scale, bias}, {{"axis", int64_t{axis}}, {"epsilon", kBertEpsilon}});
}

// Operands [S, B, E, 1, 1] or [S, B, E]: their sum with the bias, normalised.
void expand_skip_layer_norm(PluginContext& context) {
  const Shape& shape = context.shape(0, 3, 5);
  const int64_t width = context.weight_count("gamma");
  for (int axis = 3; axis < shape.rank(); ++axis)
    if (shape[axis] != Dim(1))
      fail(Code::invalid_model, "operand 0 is {}; [S, B, {}, 1, 1] is accepted", shape.str(), width);
  ValueId sum = context.add("add", {context.input(0), context.input(1)});
  if (context.weight_count("bias") > 0) {
    std::vector<int64_t> extents(static_cast<size_t>(shape.rank() - 2), 1);
    extents[0] = width;
    sum = context.add("add", {sum, context.weights("bias", extents)});
  }
  context.give({bert_norm(context, sum, 2, width, "gamma", "beta")});
}

// words, kinds, mask [S, B] -> normal(word + kind + place) [S, B, E, 1, 1], how many elements of each mask count [B]
void expand_embedding(PluginContext& context) {
  const Shape& ids = context.shape(0, 2);
  for (size_t i : {1, 2}) context.shape(i, 2);
  if (context.flag("full_mask"))
    fail(Code::unsupported, "field 'full_mask' is 1, a mask in the layout of one attention kernel; 0 is accepted");
  const int64_t width = context.weight_count("bert_embeddings_layernorm_gamma");
  const auto table = [&](const char* name) {
    if (width < 1 || context.weight_count(name) % width != 0)
      fail(Code::invalid_model, "field '{}' has {} elements; rows of {} are accepted", name, context.weight_count(name),
           width);
    return context.weights(name, {context.weight_count(name) / width, width});
  };
  const ValueId words = context.add("gather", {table("bert_embeddings_word_embeddings"), context.input(0)});
  const ValueId kinds = context.add("gather", {table("bert_embeddings_token_type_embeddings"), context.input(1)});
  const ValueId places = table("bert_embeddings_position_embeddings");
  const ValueId first =
      context.add("slice", {places, context.ints({0}), importers::dims(context, {ids[0]}), context.ints({0})});
  const ValueId rows = context.add("unsqueeze", {first, context.ints({1})});
  const ValueId sum = context.add("add", {context.add("add", {words, kinds}), rows});
  const ValueId normal =
      bert_norm(context, sum, 2, width, "bert_embeddings_layernorm_gamma", "bert_embeddings_layernorm_beta");
  const ValueId counted = context.add("reduce_sum", {context.input(2), context.ints({0})}, {{"keepdims", int64_t{0}}});
  context.give(
      {context.add("unsqueeze", {normal, context.ints({3, 4})}), importers::as(DataType::i32, context, counted)});
}

}  // namespace

void register_normalization(PluginTable& table) {
  const Field weights = required("weights", no_weights());
  table.add({"Normalize_TRT",
             {"1"},
             {weights,
              {"acrossSpatial", int64_t{1}},
              {"channelShared", int64_t{1}},
              {"nbWeights", int64_t{1}},
              {"eps", 1e-10}},
             1,
             1,
             results<1>,
             expand_normalize});
  table.add({"InstanceNormalization_TRT",
             {"1", "2", {"3", 3}},
             {{"epsilon", 1e-5},
              required("scales", no_weights()),
              required("bias", no_weights()),
              {"relu", int64_t{0}},
              {"alpha", 0.0}},
             1,
             1,
             results<1>,
             expand_instance_normalization});
  table.add({"GroupNormalizationPlugin",
             {"1"},
             {{"eps", 1e-5}, required("num_groups", int64_t{1})},
             3,
             3,
             results<1>,
             expand_group_normalization});
  table.add({"LayerNorm", {"1"}, {{"epsilon", 1e-5}}, 3, 3, results<1>, expand_layer_norm});
  table.add({"CustomSkipLayerNormPluginDynamic",
             {"1", {"5", 3}},
             {{"type_id", int64_t{0}},
              {"ld", int64_t{0}},
              required("beta", no_weights()),
              required("gamma", no_weights()),
              {"bias", no_weights()}},
             2,
             2,
             results<1>,
             expand_skip_layer_norm});
  table.add({"CustomEmbLayerNormPluginDynamic",
             {"1", {"6", 3}},
             {required("bert_embeddings_layernorm_beta", no_weights()),
              required("bert_embeddings_layernorm_gamma", no_weights()),
              required("bert_embeddings_word_embeddings", no_weights()),
              required("bert_embeddings_token_type_embeddings", no_weights()),
              required("bert_embeddings_position_embeddings", no_weights()),
              {"output_fp16", int64_t{0}},
              {"full_mask", int64_t{0}},
              {"mha_type_id", int64_t{0}}},
             3,
             3,
             results<2>,
             expand_embedding});
}

}  // namespace planish::plugins
