// Attention as products, a softmax and masks:
//   S = scale Q K'   P = softmax(softcap tanh(S / softcap) + bias)   Y = P V
// with heads as an axis: Q [B, Hq, L, D], K [B, Hkv, T, D], V [B, Hkv, T, Dv]; each head of K serves Hq / Hkv of Q.

#include <cmath>
#include <limits>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

constexpr double kMasked = -std::numeric_limits<double>::infinity();

class AttentionImporter {
 public:
  explicit AttentionImporter(NodeContext& context) : context_(context) {}

  void import() {
    for (size_t i : {0, 1, 2}) require_range(context_, i, 3, 4);
    take_operands();
    const ValueId scores = scores_of_keys(), capped = soft_capped(scores), bias = whole_bias();
    const ValueId biased = bias.valid() ? context_.add("add", {capped, bias}) : capped;
    const ValueId weights = weights_of(biased, bias);
    context_.results = {weighted_values(weights), k_, v_,
                        choose({scores, capped, biased, weights}, "qk_matmul_output_mode")};
    context_.results.resize(std::min<size_t>(4, context_.proto().outputs.size()));
  }

  // Bodies change the scores before and the weights after the softmax, in fp32 or wider.
  void import_flexible() {
    for (size_t i : {0, 1, 2}) require_range(context_, i, 4, 4);
    take_operands();
    const bool named = context_.attribute("softmax_precision") != nullptr;
    const DataType precision = named                     ? named_type(context_, "softmax_precision")
                               : type() == DataType::f64 ? DataType::f64
                                                         : DataType::f32;
    const ValueId scores = modified(as(precision, context_, scores_of_keys()), "score_mod");
    const ValueId weights = context_.add("softmax", {scores}, {{"axis", int64_t{-1}}});
    context_.alias(weighted_values(modified(weights, "prob_mod")));
  }

 private:
  void take_operands() {
    q_ = by_heads(0, "q_num_heads");
    k_ = with_past(by_heads(1, "kv_num_heads"), 4, 5);
    v_ = with_past(by_heads(2, "kv_num_heads"), 5, 4);
    heads_ = fixed_extent(context_, q_, 1, "the number of heads");
    const int64_t shared = fixed_extent(context_, k_, 1, "the number of heads");
    if (shared < 1 || heads_ % shared != 0)
      fail(Code::invalid_model, "{} heads of keys for {} of queries; a divisor is accepted", shared, heads_);
    groups_ = heads_ / shared;
    total_ = shape_of(context_, k_)[2];
  }

  ValueId modified(ValueId value, const char* attribute) {
    const wire::Attribute* body = context_.attribute(attribute);
    if (body == nullptr) return value;
    if (body->graphs.empty() || body->graphs[0]->inputs.size() != 1 || body->graphs[0]->outputs.size() != 1)
      fail(Code::invalid_model, "attribute '{}' is no body of one input and one output", attribute);
    const ValueId result = context_.inline_body(*body->graphs[0], {value})[0];
    if (context_.value(result).type != context_.value(value).type)
      fail(Code::invalid_model, "attribute '{}' gives {}; {} is accepted", attribute, context_.value(result).type.str(),
           context_.value(value).type.str());
    return result;
  }

  DataType type() const { return dtype_of(context_, q_); }
  bool flat() const { return context_.type(0).shape.rank() == 3; }

  // [B, L, H * D] -> [B, H, L, D]
  ValueId by_heads(size_t i, const char* attribute) {
    const ValueId x = context_.input(i);
    if (shape_of(context_, x).rank() == 4) return x;
    const int64_t heads = context_.get_or<int64_t>(attribute, 0);
    const Dim width = shape_of(context_, x)[2];
    if (heads < 1 || (width.is_constant() && width.value() % heads != 0))
      fail(Code::invalid_model, "attribute '{}' is {}; a divisor of {} is accepted", attribute, heads, width.str());
    return transposed(context_, reshaped_heads(x, heads, floor_div(width, heads)), {0, 2, 1, 3});
  }

  ValueId reshaped_heads(ValueId x, int64_t heads, Dim size) {
    const Shape& shape = shape_of(context_, x);
    return reshaped(context_, x, {shape[0], shape[1], heads, size});
  }

  ValueId with_past(ValueId x, size_t past, size_t other) {
    if (!context_.has_input(past)) return x;
    if (!context_.has_input(other)) fail(Code::invalid_model, "one of past_key and past_value is missing");
    return context_.add("concat", {context_.input(past), x}, {{"axis", int64_t{2}}});
  }

  // [B, Hq, L, ..] -> [B, Hkv, Hq / Hkv, L, ..]
  ValueId grouped(ValueId x) {
    if (groups_ == 1) return x;
    const Shape& shape = shape_of(context_, x);
    return reshaped(context_, x, {shape[0], heads_ / groups_, groups_, shape[2], shape[3]});
  }

  // `x` [B, Hq, L, ..] times what a group of heads shares.
  ValueId product(ValueId x, ValueId shared) {
    const ValueId right = groups_ == 1 ? shared : unsqueezed(context_, shared, {2});
    const ValueId result = context_.add("matmul", {grouped(x), right});
    const Shape& from = shape_of(context_, x);
    return reshaped(context_, result, {from[0], heads_, from[2], shape_of(context_, shared)[3]});
  }

  // 16 bits hold the product of factors that are scaled before it.
  ValueId scores_of_keys() {
    const Dim size = shape_of(context_, q_)[3];
    double scale = context_.get_or<double>("scale", 0);
    if (context_.attribute("scale") == nullptr) {
      if (!size.is_constant()) fail(Code::unsupported, "heads of {} without attribute 'scale'", size.str());
      scale = 1 / std::sqrt(static_cast<double>(size.value()));
    }
    const ValueId keys = transposed(context_, k_, {0, 1, 3, 2});
    const bool narrow = type() == DataType::f16 || type() == DataType::bf16;
    if (!narrow || scale < 0) return product(scaled(context_, q_, scale), keys);
    return product(scaled(context_, q_, std::sqrt(scale)), scaled(context_, keys, std::sqrt(scale)));
  }

  ValueId soft_capped(ValueId scores) {
    const double cap = context_.get_or<double>("softcap", 0);
    if (cap == 0) return scores;
    return scaled(context_, context_.add("tanh", {scaled(context_, scores, 1 / cap)}), cap);
  }

  // 0 where the mask holds, else minus infinity
  ValueId as_bias(ValueId mask) {
    const ValueId zero = context_.scalar_like(q_, 0);
    return context_.add("where", {mask, zero, context_.scalar_like(q_, kMasked)});
  }

  ValueId given_bias() {
    const ValueId mask = context_.input(3);
    const ValueId bias = dtype_of(context_, mask) == DataType::boolean ? as_bias(mask) : as(type(), context_, mask);
    const Shape& shape = shape_of(context_, bias);
    if (context_.opset() < 24 || shape.rank() == 0 || shape[shape.rank() - 1] == total_) return bias;
    const Dim missing = total_ - shape[shape.rank() - 1];
    return context_.add("pad",
                        {bias, dims(context_, {0, missing}), context_.scalar_like(bias, kMasked), context_.ints({-1})});
  }

  // Position i sees those up to i + (keys before the first query).
  ValueId causal_mask() {
    const ValueId rows = along(context_, positions(context_, shape_of(context_, q_)[2]), 0, 2);
    const ValueId columns = along(context_, positions(context_, total_), 1, 2);
    ValueId before;
    if (context_.has_input(6))
      before = unsqueezed(context_, context_.add("sub", {context_.input(6), length_of_queries()}), {1, 2, 3});
    else if (context_.has_input(4))
      before = dims(context_, {context_.type(4).shape[2]});
    const ValueId last = before.valid() ? context_.add("add", {rows, before}) : rows;
    return context_.add("less_equal", {columns, last});
  }

  ValueId length_of_queries() { return dims(context_, {shape_of(context_, q_)[2]}); }

  // Keys that are padding in each sample: [B, 1, 1, T]
  ValueId padding_mask() {
    const ValueId lengths = unsqueezed(context_, context_.input(6), {1, 2, 3});
    return context_.add("less", {positions(context_, total_), lengths});
  }

  ValueId whole_bias() {
    std::vector<ValueId> parts;
    if (context_.has_input(3)) parts.push_back(given_bias());
    if (context_.get_or<int64_t>("is_causal", 0) != 0) parts.push_back(as_bias(causal_mask()));
    if (context_.has_input(6)) parts.push_back(as_bias(padding_mask()));
    ValueId sum;
    for (ValueId part : parts) sum = sum.valid() ? context_.add("add", {sum, part}) : part;
    return sum;
  }

  // A query that may see no key at all has weights of 0.
  ValueId weights_of(ValueId scores, ValueId bias) {
    const ValueId weights = context_.add("softmax", {scores}, {{"axis", int64_t{-1}}});
    if (!context_.has_input(3) && !context_.has_input(6)) return weights;
    const ValueId highest = context_.add("reduce_max", {bias, context_.ints({-1})});
    const ValueId sees_none = context_.add("equal", {highest, context_.scalar_like(bias, kMasked)});
    return context_.add("where", {sees_none, context_.scalar_like(weights, 0), weights});
  }

  ValueId weighted_values(ValueId weights) {
    const ValueId y = as(type(), context_, product(as(dtype_of(context_, v_), context_, weights), v_));
    if (!flat()) return y;
    const Shape& shape = shape_of(context_, y);
    return reshaped(context_, transposed(context_, y, {0, 2, 1, 3}), {shape[0], shape[2], shape[1] * shape[3]});
  }

  ValueId choose(std::initializer_list<ValueId> stages, const char* attribute) {
    const int64_t at = context_.get_or<int64_t>(attribute, 0);
    if (at < 0 || at >= std::ssize(stages))
      fail(Code::invalid_model, "attribute '{}' is {}; 0 to {} are accepted", attribute, at, stages.size() - 1);
    return *(stages.begin() + at);
  }

  NodeContext& context_;
  ValueId q_, k_, v_;
  int64_t heads_ = 0, groups_ = 1;
  Dim total_;  // keys, past ones included
};

void import_attention(NodeContext& context) { AttentionImporter(context).import(); }
void import_flex_attention(NodeContext& context) { AttentionImporter(context).import_flexible(); }

// Pairs (a, b) of each head are turned by the angle of their position: (a cos - b sin, a sin + b cos). Pairs are
// neighbours (interleaved) or lie half of the turned part apart.
void import_rotary_embedding(NodeContext& context) {
  require_range(context, 0, 3, 4);
  const ValueId given = context.input(0);
  const Shape whole = context.type(0).shape;
  const bool flat = whole.rank() == 3;
  const int64_t heads = context.get_or<int64_t>("num_heads", 0);
  if (flat && heads < 1)
    fail(Code::invalid_model, "attribute 'num_heads' is {}; operands of rank 3 need 1 and more", heads);
  const ValueId x = flat ? reshaped(context, given, {whole[0], whole[1], heads, floor_div(whole[2], heads)}) : given;
  const int64_t size = fixed_extent(context, x, 3, "the size of a head");
  const int64_t wanted = context.get_or<int64_t>("rotary_embedding_dim", 0), turned = wanted == 0 ? size : wanted;
  if (turned < 2 || turned > size || turned % 2 != 0)
    fail(Code::invalid_model, "{} of {} elements turned; an even number is accepted", turned, size);
  const auto angle = [&](size_t i) {
    const ValueId table = context.input(i);
    const ValueId rows = context.has_input(3) ? context.add("gather", {table, context.input(3)}) : table;
    return unsqueezed(context, rows, {flat ? 2 : 1});
  };
  const bool interleaved = context.get_or<int64_t>("interleaved", 0) != 0;
  const ValueId part = turned == size ? x : sliced(context, x, 3, 0, turned);
  const Shape parts = shape_of(context, part);
  const auto half = [&](int64_t i) {
    if (!interleaved) return sliced(context, part, 3, i * turned / 2, (i + 1) * turned / 2);
    const ValueId pairs = reshaped(context, part, {parts[0], parts[1], parts[2], turned / 2, 2});
    return context.add("gather", {pairs, scalar(context, i)}, {{"axis", int64_t{4}}});
  };
  const ValueId a = half(0), b = half(1), cosine = angle(1), sine = angle(2);
  const auto times = [&](ValueId left, ValueId right) { return context.add("mul", {left, right}); };
  std::vector<ValueId> halves = {context.add("sub", {times(a, cosine), times(b, sine)}),
                                 context.add("add", {times(a, sine), times(b, cosine)})};
  if (interleaved)
    for (ValueId& value : halves) value = unsqueezed(context, value, {4});
  ValueId result = context.add("concat", halves, {{"axis", int64_t{interleaved ? 4 : 3}}});
  if (interleaved) result = reshaped(context, result, parts.dims());
  if (turned != size)
    result = context.add("concat", {result, sliced(context, x, 3, turned, size)}, {{"axis", int64_t{3}}});
  context.alias(reshaped(context, result, whole.dims()));
}

// Rows of `update` go into the cache from the position of each sample on, in circles where asked.
void import_tensor_scatter(NodeContext& context) {
  const ValueId cache = context.input(0), update = context.input(1);
  const Shape shape = context.type(1).shape;
  const int rank = shape.rank();
  const int axis = normalize_axis(context.get_or<int64_t>("axis", -2), rank);
  const std::string mode = context.get_or<std::string>("mode", "linear");
  if (axis == 0 || context.type(0).shape.rank() != rank)
    fail(Code::invalid_model, "{} into {} along axis {}; one rank and an axis behind the first are accepted",
         context.type(1).str(), context.type(0).str(), axis);
  if (mode != "linear" && mode != "circular")
    fail(Code::invalid_model, "attribute 'mode' is '{}'; linear and circular are accepted", mode);
  ValueId at = along(context, positions(context, shape[axis]), axis, rank);
  if (context.has_input(2)) at = context.add("add", {at, along(context, context.input(2), 0, rank)});
  if (mode == "circular") at = context.add("mod", {at, dims(context, {context.type(0).shape[axis]})});
  const ValueId indices = context.add("expand", {at, dims(context, shape.dims())});
  context.emit("scatter_elements", {cache, indices, update}, {{"axis", int64_t{axis}}});
}

// Each channel with its own kernel over itself and the k - 1 positions before, which the state carries on.
void import_causal_conv(NodeContext& context) {
  for (size_t i : {0, 1}) require_range(context, i, 3, 3);
  const std::string activation = context.get_or<std::string>("activation", "none");
  if (activation != "none" && activation != "silu" && activation != "swish")
    fail(Code::invalid_model, "attribute 'activation' is '{}'; none, silu and swish are accepted", activation);
  const ValueId x = context.input(0);
  const int64_t channels = fixed_extent(context, context.input(1), 0, "the number of channels");
  const int64_t before = fixed_extent(context, context.input(1), 2, "the kernel's extent") - 1;
  const ValueId all = context.has_input(3) ? context.add("concat", {context.input(3), x}, {{"axis", int64_t{2}}})
                                           : context.add("pad", {x, context.ints({0, 0, before, 0, 0, 0})});
  std::vector<ValueId> operands = {all, context.input(1)};
  if (context.has_input(2)) operands.push_back(context.input(2));
  const ValueId y = context.add("conv", std::move(operands), {{"group", channels}});
  const Dim length = shape_of(context, all)[2];
  const ValueId state =
      context.add("slice", {all, dims(context, {length - Dim(before)}), dims(context, {length}), context.ints({2})});
  context.results = {activation == "none" ? y : swish(context, y, 1), state};
}

void import_linear_attention(NodeContext& context) {
  Attrs attrs = context.attrs();
  attrs.erase("chunk_size");  // how to compute, not what
  context.emit("linear_attention", context.inputs(), std::move(attrs));
}

}  // namespace

void register_attention(ImporterTable& table) {
  table.add("Attention", import_attention, 7);
  table.add("ai.onnx.preview::FlexAttention", import_flex_attention, 3);
  table.add("RotaryEmbedding", import_rotary_embedding, 4);
  table.add("TensorScatter", import_tensor_scatter, 3);
  table.add("LinearAttention", import_linear_attention);
  table.add("CausalConvWithState", import_causal_conv, 4);
}

}  // namespace planish::onnx
