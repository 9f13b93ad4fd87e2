// Operators of domain com.microsoft that stand for several of ONNX, taken apart again.

#include <algorithm>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

ValueId biased(NodeContext& context, ValueId value, size_t i) {
  return context.has_input(i) ? context.add("add", {value, context.input(i)}) : value;
}

void import_bias_gelu(NodeContext& context) { context.emit("gelu", {biased(context, context.input(0), 1)}); }

void import_fast_gelu(NodeContext& context) {
  context.emit("gelu", {biased(context, context.input(0), 1)}, {{"approximate", std::string("tanh")}});
}

void import_quick_gelu(NodeContext& context) {
  context.alias(swish(context, context.input(0), context.get_or<double>("alpha", 1.702)));
}

// Operand i as the product takes it: with `rows_first` its first axis is a row's, behind which the batches come; then
// with `turned` the last two axes change places.
ValueId matrix(NodeContext& context, size_t i, const char* turned, const char* rows_first) {
  const int rank = context.type(i).shape.rank();
  std::vector<int64_t> perm, straight;
  for (int k = 0; k < rank; ++k) straight.push_back(k);
  perm = straight;
  if (rank > 2 && context.get_or<int64_t>(rows_first, 0) != 0)
    std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
  if (rank > 1 && context.get_or<int64_t>(turned, 0) != 0) std::swap(perm[perm.size() - 2], perm[perm.size() - 1]);
  return perm == straight ? context.input(i) : transposed(context, context.input(i), perm);
}

// alpha * A' B'
void import_fused_matmul(NodeContext& context) {
  const double alpha = context.get_or<double>("alpha", 1);
  const ValueId product =
      context.add("matmul", {matrix(context, 0, "transA", "transBatchA"), matrix(context, 1, "transB", "transBatchB")});
  if (alpha == 1) return context.alias(product);
  context.emit("mul", {product, context.scalar_like(product, alpha)});
}

// Results: the normalised sum, two that training needs, and the sum.
void emit_normal_sum(NodeContext& context, OpName op, ValueId sum, std::vector<ValueId> parameters) {
  const auto& outputs = context.proto().outputs;
  for (size_t i : {1, 2})
    if (i < outputs.size() && !outputs[i].empty()) fail(Code::unsupported, "result {}, which training needs", i);
  parameters.insert(parameters.begin(), sum);
  const ValueId normal = context.add(op, std::move(parameters),
                                     {{"axis", int64_t{-1}}, {"epsilon", context.get_or<double>("epsilon", 1e-12)}});
  context.results = {normal, normal, normal, sum};
  context.results.resize(std::min(context.results.size(), outputs.size()));
}

// input, skip, scale, bias of the normalisation, bias of the sum
void import_skip_layer_normalization(NodeContext& context) {
  const ValueId sum = biased(context, context.add("add", {context.input(0), context.input(1)}), 4);
  std::vector<ValueId> parameters = {context.input(2)};
  if (context.has_input(3)) parameters.push_back(context.input(3));
  emit_normal_sum(context, "layer_normalization", sum, std::move(parameters));
}

// input, skip, scale, bias of the sum
void import_skip_rms_normalization(NodeContext& context) {
  const ValueId sum = biased(context, context.add("add", {context.input(0), context.input(1)}), 3);
  emit_normal_sum(context, "rms_normalization", sum, {context.input(2)});
}

void import_rms_normalization(NodeContext& context) {
  context.emit("rms_normalization", {context.input(0), context.input(1)},
               {{"axis", context.get_or<int64_t>("axis", -1)}, {"epsilon", context.get_or<double>("epsilon", 1e-5)}});
}

// Rows of table `table` at the numbers of operand `numbers`, on top of `sum`
ValueId embedded(NodeContext& context, ValueId sum, size_t table, ValueId numbers) {
  require_range(context, table, 2, 2);
  const ValueId rows = context.add("gather", {context.input(table), numbers});
  return sum.valid() ? context.add("add", {sum, rows}) : rows;
}

// How many positions of each sequence the mask leaves; 0 without a mask
ValueId mask_lengths(NodeContext& context) {
  const int64_t type = context.get_or<int64_t>("mask_index_type", 0);
  if (type != 0) fail(Code::unsupported, "mask_index_type={}; 0 is accepted", type);
  const ValueId counted = context.input(context.has_input(7) ? 7 : 0);
  const ValueId sum = context.add("reduce_sum", {counted, context.ints({1})}, {{"keepdims", int64_t{0}}});
  return context.has_input(7) ? sum : context.add("mul", {sum, context.scalar_like(sum, 0)});
}

// ids, segment ids; tables of words, positions, segments; scale, bias, mask, position ids
void import_embed_layer_normalization(NodeContext& context) {
  require_range(context, 0, 2, 2);
  const ValueId places = context.has_input(8) ? context.input(8) : positions(context, context.type(0).shape[1]);
  ValueId sum = embedded(context, embedded(context, {}, 2, context.input(0)), 3, places);
  if (context.has_input(1)) sum = embedded(context, sum, 4, context.input(1));
  const ValueId normal = context.add("layer_normalization", {sum, context.input(5), context.input(6)},
                                     {{"axis", int64_t{-1}}, {"epsilon", context.get_or<double>("epsilon", 1e-12)}});
  context.results = {normal, wants_result(context, 1) ? mask_lengths(context) : normal, sum};
  context.results.resize(context.proto().outputs.size());
}

}  // namespace

void register_fused(ImporterTable& table) {
  table.add("com.microsoft::Gelu", import_bias_gelu);
  table.add("com.microsoft::BiasGelu", import_bias_gelu);
  table.add("com.microsoft::FastGelu", import_fast_gelu);
  table.add("com.microsoft::QuickGelu", import_quick_gelu);
  table.add("com.microsoft::FusedMatMul", import_fused_matmul);
  table.add("com.microsoft::EmbedLayerNormalization", import_embed_layer_normalization, 9);
  table.add("com.microsoft::SkipLayerNormalization", import_skip_layer_normalization);
  table.add("com.microsoft::SkipSimplifiedLayerNormalization", import_skip_rms_normalization);
  table.add("SimplifiedLayerNormalization", import_rms_normalization);
}

}  // namespace planish::onnx
