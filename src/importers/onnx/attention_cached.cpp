// GroupQueryAttention and RotaryEmbedding of domain com.microsoft in terms of ONNX's own operators: new keys and values
// are written behind those of each sample in its cache, and a query sees what lies up to its own position.

#include <cmath>

#include "importers/onnx/pieces.h"
#include "ops/evaluate.h"

namespace planish::onnx {
namespace {

// What another operator of ONNX, at opset 24, gives for these operands.
std::vector<ValueId> results_of(NodeContext& context, const char* op, std::vector<ValueId> inputs, const Attrs& attrs,
                                size_t outputs = 1) {
  wire::Node node;
  node.op_type = op;
  node.name = context.name();
  for (size_t i = 0; i < outputs; ++i)
    node.outputs.push_back(context.proto().outputs[0] + "." + op + std::to_string(i));
  for (const auto& [name, value] : attrs.entries()) {
    node.attributes.emplace_back();
    node.attributes.back().name = name;
    node.attributes.back().value = value;
  }
  NodeContext inner(context.graph(), node, 24, std::move(inputs));
  importer_table().find(op)->import(inner);
  return inner.results;
}

// The extent that an operand of one element names.
Dim known_extent(NodeContext& context, size_t i) {
  static_cast<void>(context.type(i));
  const Value& value = context.value(context.input(i));
  if (value.contents && value.contents->size() == 1) return (*value.contents)[0];
  const auto known = known_operand(value);
  if (!known || known->element_count() != 1)
    fail(Code::unsupported, "operand {} is computed from data; one known element is accepted", i);
  return known->to_ints()[0];
}

class CachedAttention {
 public:
  explicit CachedAttention(NodeContext& context)
      : context_(context),
        heads_(context.get_or<int64_t>("num_heads", 0)),
        shared_(context.get_or<int64_t>("kv_num_heads", 0)) {
    require_range(context, 0, 3, 3);
    if (heads_ < 1 || shared_ < 1 || heads_ % shared_ != 0)
      fail(Code::invalid_model, "{} heads of keys for {} of queries; a divisor is accepted", shared_, heads_);
    if (context.get_or<int64_t>("smooth_softmax", 0) > 0 || context.has_input(11))
      fail(Code::unsupported, "smooth_softmax or head_sink");
    if (context.has_input(3) != context.has_input(4)) fail(Code::invalid_model, "one of both caches is missing");
  }

  void import() {
    take_parts();
    length_ = shape_of(context_, q_)[1];
    total_ = max(past_length(), known_extent(context_, 6));
    before_ = keys_before();
    positions_ = context_.add("add", {unsqueezed(context_, before_, {1}), positions(context_, length_)});
    if (context_.get_or<int64_t>("do_rotary", 0) != 0) {
      q_ = turned(q_, heads_);
      k_ = turned(k_, shared_);
    }
    const ValueId keys = cached(k_, 3), values = cached(v_, 4);
    Attrs attrs = {{"q_num_heads", heads_}, {"kv_num_heads", shared_}};
    attrs.set("softcap", context_.get_or<double>("softcap", 0));
    if (const double scale = context_.get_or<double>("scale", 0); scale != 0) attrs.set("scale", scale);
    const ValueId y = results_of(context_, "Attention", {q_, keys, values, bias()}, attrs)[0];
    context_.results = {y, keys, values};
    context_.results.resize(std::min<size_t>(3, context_.proto().outputs.size()));
  }

 private:
  // Queries, keys and values [B, L, heads * D], or all three in one operand.
  void take_parts() {
    q_ = context_.input(0);
    if (context_.has_input(1)) {
      for (size_t i : {1, 2}) require_range(context_, i, 3, 3);
      k_ = context_.input(1);
      v_ = context_.input(2);
      return;
    }
    const ValueId all = q_;
    const int64_t width = fixed_extent(context_, all, 2, "the width of packed operands");
    const int64_t size = width / (heads_ + 2 * shared_), queries = size * heads_, keys = size * shared_;
    q_ = sliced(context_, all, 2, 0, queries);
    k_ = sliced(context_, all, 2, queries, queries + keys);
    v_ = sliced(context_, all, 2, queries + keys, queries + 2 * keys);
  }

  Dim past_length() { return context_.has_input(3) ? context_.type(3).shape[2] : Dim(0); }

  // Where the new keys of each sample begin: the operand has the place of its last one. A first prompt begins at 0.
  ValueId keys_before() {
    const ValueId last = as(DataType::i64, context_, context_.input(5));
    const Dim whole = known_extent(context_, 6);
    const ValueId begin = context_.add("sub", {last, dims(context_, {length_ - Dim(1)})});
    const ValueId zeros = context_.add("sub", {last, last});
    if (whole == length_) return zeros;
    const ValueId first = context_.add("equal", {dims(context_, {whole}), dims(context_, {length_})});
    return context_.add("where", {first, zeros, begin});
  }

  ValueId turned(ValueId x, int64_t heads) {
    const ValueId cosine = context_.input(7), sine = context_.input(8);
    require_range(context_, 7, 2, 2);
    const Attrs attrs = {{"num_heads", heads},
                         {"interleaved", context_.get_or<int64_t>("rotary_interleaved", 0)},
                         {"rotary_embedding_dim", 2 * fixed_extent(context_, cosine, 1, "the width of the cosines")}};
    const ValueId where = context_.has_input(9) ? context_.input(9) : positions_;
    return results_of(context_, "RotaryEmbedding", {x, cosine, sine, where}, attrs)[0];
  }

  // The past with room behind it, and the new rows at their place.
  ValueId cached(ValueId rows, size_t past) {
    const Shape& shape = shape_of(context_, rows);
    const Dim size = floor_div(shape[2], shared_);
    const ValueId fresh =
        transposed(context_, reshaped(context_, rows, {shape[0], shape[1], shared_, size}), {0, 2, 1, 3});
    const auto extended = [&](ValueId x) {
      const Dim missing = total_ - shape_of(context_, x)[2];
      return missing == Dim(0) ? x : context_.add("pad", {x, dims(context_, {0, 0, 0, 0, 0, 0, missing, 0})});
    };
    if (!context_.has_input(past)) return extended(fresh);
    return results_of(context_, "TensorScatter", {extended(context_.input(past)), fresh, before_},
                      {{"axis", int64_t{2}}})[0];
  }

  // Keys up to the query's own position, and no further back than the window: true, or the bias that is given.
  ValueId bias() {
    const ValueId own = unsqueezed(context_, positions_, {1, 3}), keys = positions(context_, total_);
    ValueId seen = context_.add("less_equal", {keys, own});
    if (const int64_t window = context_.get_or<int64_t>("local_window_size", -1); window > 0) {
      const ValueId oldest = context_.add("sub", {own, scalar(context_, window)});
      seen = context_.add("and", {seen, context_.add("greater", {keys, oldest})});
    }
    if (!context_.has_input(10)) return seen;
    const ValueId given = context_.input(10);
    return context_.add("where", {seen, given, context_.scalar_like(given, -INFINITY)});
  }

  NodeContext& context_;
  int64_t heads_, shared_;
  ValueId q_, k_, v_, before_, positions_;
  Dim length_, total_;
};

void import_group_query_attention(NodeContext& context) { CachedAttention(context).import(); }

// X, position_ids ([B, L], or one: where the first token is), cosines, sines
void import_rotary_of_microsoft(NodeContext& context) {
  require_range(context, 0, 3, 4);
  require_range(context, 2, 2, 2);
  if (context.get_or<int64_t>("is_packed_batching", 0) != 0) fail(Code::unsupported, "is_packed_batching=1");
  const Shape& shape = context.type(0).shape;
  const bool flat = shape.rank() == 3;
  const int64_t width = 2 * fixed_extent(context, context.input(2), 1, "the width of the cosines");
  int64_t heads = context.get_or<int64_t>("num_heads", 0);
  if (flat && heads == 0) heads = fixed_extent(context, context.input(0), 2, "the hidden size") / width;
  ValueId where = as(DataType::i64, context, context.input(1));
  if (shape_of(context, where).rank() == 1) {
    const ValueId row = context.add("add", {where, positions(context, shape[flat ? 1 : 2])});
    where = context.add("expand", {row, dims(context, {shape[0], shape[flat ? 1 : 2]})});
  }
  const Attrs attrs = {{"num_heads", heads},
                       {"interleaved", context.get_or<int64_t>("interleaved", 0)},
                       {"rotary_embedding_dim", width}};
  const auto results =
      results_of(context, "RotaryEmbedding", {context.input(0), context.input(2), context.input(3), where}, attrs);
  context.alias(scaled(context, results[0], context.get_or<double>("scale", 1)));
}

}  // namespace

void register_attention_cached(ImporterTable& table) {
  table.add("com.microsoft::GroupQueryAttention", import_group_query_attention, 12);
  table.add("com.microsoft::RotaryEmbedding", import_rotary_of_microsoft, 4);
}

}  // namespace planish::onnx
