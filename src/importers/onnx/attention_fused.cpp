// Attention as domain com.microsoft writes it: Attention (with the projections), MultiHeadAttention.

#include <cmath>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

int64_t head_count(NodeContext& context) {
  const int64_t heads = context.get_or<int64_t>("num_heads", 0);
  if (heads < 1) fail(Code::invalid_model, "attribute 'num_heads' is {}; 1 and more is accepted", heads);
  return heads;
}

// [B, L, H * D] -> [B, H, L, D]
ValueId split_heads(NodeContext& context, ValueId x, int64_t heads) {
  const Shape& shape = shape_of(context, x);
  return transposed(context, reshaped(context, x, {shape[0], shape[1], heads, floor_div(shape[2], heads)}),
                    {0, 2, 1, 3});
}

ValueId joined(NodeContext& context, ValueId past, ValueId x) {
  return past.valid() ? context.add("concat", {past, x}, {{"axis", int64_t{2}}}) : x;
}

// 0 where the mask holds, else `value`
ValueId bias_of_mask(NodeContext& context, ValueId mask, ValueId like, double value) {
  return context.add("where", {mask, context.scalar_like(like, 0), context.scalar_like(like, value)});
}

// Keys of each sample that are no padding: how many there are [B], or which [B, T] or [B, L, T] -> [B, 1, L or 1, T]
ValueId padding_mask(NodeContext& context, ValueId given, Dim keys) {
  const Shape& shape = shape_of(context, given);
  if (shape.rank() == 1) {
    const ValueId lengths = unsqueezed(context, as(DataType::i64, context, given), {1, 2, 3});
    return context.add("less", {positions(context, keys), lengths});
  }
  if (shape.rank() > 3) fail(Code::unsupported, "a mask of {}; rank 1 to 3 is accepted", shape.str());
  const ValueId held = as(DataType::boolean, context, given);
  return unsqueezed(context, held, shape.rank() == 2 ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1});
}

// Query i sees keys up to i + (keys before the first query).
ValueId causal_mask(NodeContext& context, Dim queries, Dim keys) {
  const ValueId rows = along(context, positions(context, queries), 0, 2);
  const ValueId last = context.add("add", {rows, dims(context, {keys - queries})});
  return context.add("less_equal", {along(context, positions(context, keys), 1, 2), last});
}

// softmax(scale Q K' + biases) V, heads joined: [B, L, H * Dv]
ValueId attended(NodeContext& context, ValueId q, ValueId k, ValueId v, ValueId mask, ValueId bias) {
  const Shape queries = shape_of(context, q);
  const double given = context.get_or<double>("scale", 0);
  const auto size = static_cast<double>(fixed_extent(context, q, 3, "the size of a head"));
  const ValueId product = context.add("matmul", {q, transposed(context, k, {0, 1, 3, 2})});
  ValueId scores = scaled(context, product, given != 0 ? given : 1 / std::sqrt(size));
  const Dim keys = shape_of(context, k)[2];
  if (bias.valid()) scores = context.add("add", {scores, bias});
  if (mask.valid()) {
    const double filter = context.get_or<double>("mask_filter_value", -10000);
    scores = context.add("add", {scores, bias_of_mask(context, padding_mask(context, mask, keys), scores, filter)});
  }
  if (context.get_or<int64_t>("unidirectional", 0) != 0) {
    const ValueId seen = causal_mask(context, queries[2], keys);
    scores = context.add("add", {scores, bias_of_mask(context, seen, scores, -INFINITY)});
  }
  const ValueId weights = context.add("softmax", {scores}, {{"axis", int64_t{-1}}});
  const ValueId y = transposed(context, context.add("matmul", {weights, v}), {0, 2, 1, 3});
  const Shape& shape = shape_of(context, y);
  return reshaped(context, y, {shape[0], shape[1], shape[2] * shape[3]});
}

// X [B, L, I], weights [I, 3 H], bias [3 H], mask?, past? [2, B, heads, P, D], attention bias?
void import_fused_attention(NodeContext& context) {
  require_range(context, 0, 3, 3);
  const int64_t heads = head_count(context), width = fixed_extent(context, context.input(1), 1, "the weights' width");
  if (context.get_or<int64_t>("do_rotary", 0) != 0) fail(Code::unsupported, "do_rotary=1");
  auto sizes = context.get_or<std::vector<int64_t>>("qkv_hidden_sizes", {});
  if (sizes.empty()) sizes = {width / 3, width / 3, width / 3};
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != width)
    fail(Code::invalid_model, "attribute 'qkv_hidden_sizes' does not add up to {}", width);
  ValueId all = context.add("matmul", {context.input(0), context.input(1)});
  if (context.has_input(2)) all = context.add("add", {all, context.input(2)});
  std::vector<ValueId> parts;
  for (int64_t begin = 0; int64_t size : sizes) {
    parts.push_back(split_heads(context, sliced(context, all, 2, begin, begin + size), heads));
    begin += size;
  }
  const auto past = [&](int64_t i) {
    return context.has_input(4) ? context.add("gather", {context.input(4), scalar(context, i)}) : ValueId{};
  };
  const ValueId k = joined(context, past(0), parts[1]), v = joined(context, past(1), parts[2]);
  context.results = {attended(context, parts[0], k, v, context.input(3), context.input(5))};
  if (wants_result(context, 1))
    context.results.push_back(
        context.add("concat", {unsqueezed(context, k, {0}), unsqueezed(context, v, {0})}, {{"axis", int64_t{0}}}));
}

// Query, key, value [B, L, H * D] each; key and value [B, H, T, D] as well; or all in the query [B, L, H, 3, D], or
// value in the key [B, T, H, 2, D].
class MultiHead {
 public:
  explicit MultiHead(NodeContext& context) : context_(context), heads_(head_count(context)) {}

  void import() {
    if (!context_.has_input(1)) {
      for (int64_t i = 0; i < 3; ++i) parts_.push_back(unpacked_part(0, i));
    } else {
      parts_ = {by_heads(0)};
      const bool packed = context_.type(1).shape.rank() == 5;
      for (size_t i : {1, 2}) parts_.push_back(packed ? unpacked_part(1, static_cast<int64_t>(i) - 1) : by_heads(i));
    }
    add_bias();
    const ValueId k = joined(context_, context_.input(6), parts_[1]);
    const ValueId v = joined(context_, context_.input(7), parts_[2]);
    context_.results = {attended(context_, parts_[0], k, v, context_.input(4), context_.input(5)), k, v};
    context_.results.resize(std::min<size_t>(3, context_.proto().outputs.size()));
  }

 private:
  ValueId by_heads(size_t i) {
    require_range(context_, i, 3, 4);
    const ValueId x = context_.input(i);
    return shape_of(context_, x).rank() == 4 ? x : split_heads(context_, x, heads_);
  }

  ValueId unpacked_part(size_t i, int64_t part) {
    require_range(context_, i, 5, 5);
    const ValueId x = context_.add("gather", {context_.input(i), scalar(context_, part)}, {{"axis", int64_t{3}}});
    return transposed(context_, x, {0, 2, 1, 3});
  }

  // One row for all three: each part's heads get theirs.
  void add_bias() {
    if (!context_.has_input(3)) return;
    int64_t begin = 0;
    for (ValueId& part : parts_) {
      const int64_t size = heads_ * fixed_extent(context_, part, 3, "the size of a head");
      const ValueId row = sliced(context_, context_.input(3), 0, begin, begin + size);
      part = context_.add("add", {part, reshaped(context_, row, {heads_, 1, size / heads_})});
      begin += size;
    }
  }

  NodeContext& context_;
  int64_t heads_;
  std::vector<ValueId> parts_;  // [B, H, L, D] each
};

void import_multi_head_attention(NodeContext& context) {
  if (context.has_input(8) || context.has_input(9))
    fail(Code::unsupported, "past_sequence_length or cache_indirection");
  MultiHead(context).import();
}

}  // namespace

void register_attention_fused(ImporterTable& table) {
  table.add("com.microsoft::Attention", import_fused_attention, 6);
  table.add("com.microsoft::MultiHeadAttention", import_multi_head_attention, 10);
}

}  // namespace planish::onnx
