#include "tensorrt/build/layers_attention.h"

#include <cmath>

namespace planish::tensorrt {
namespace {

// One scale for all of x, there and back.
Value quantised(Emit& emit, Value x, Value scale, nvinfer1::DataType type) {
  if (emit.rank(scale) > 0) scale = emit.op("reshape", {scale, emit.net.ints({})});
  const Value zero = emit.cast(emit.op("mul", {scale, emit.number(scale, 0)}), type_of(type));
  return emit.op("dequantize_linear", {emit.op("quantize_linear", {x, scale, zero}), scale, zero});
}

Value below(Emit& emit, Value count) {
  return emit.op("range", {emit.net.scalar(int64_t{0}), count, emit.net.scalar(int64_t{1})});
}

}  // namespace

AttentionLayer::AttentionLayer(NetworkImpl& network, AttentionImpl& owner, nvinfer1::ITensor& q, nvinfer1::ITensor& k,
                               nvinfer1::ITensor& v)
    : Base(network, nvinfer1::LayerType::kATTENTION_OUTPUT), attention(owner) {
  for (nvinfer1::ITensor* tensor : {&q, &k, &v}) add_operand(*tensor);
}

nvinfer1::IAttention* AttentionLayer::getAttention() const { return &attention; }

// The caller's mask, and the diagonal j <= i + (keys - queries) that is anchored at the lower right.
Value AttentionLayer::mask(Emit& emit, Value q, Value k) const {
  const Value given = emit.has(3) ? emit.in(3) : Value{};
  if (causal != nvinfer1::CausalMaskKind::kLOWER_RIGHT) return given;
  const Value rows = emit.extent(q, 2), columns = emit.extent(k, 2);
  const Value i = emit.op("unsqueeze", {below(emit, rows), emit.net.ints({1})});
  const Value shifted = emit.op("add", {i, emit.op("sub", {columns, rows})});
  const Value seen = emit.op("not", {emit.op("greater", {below(emit, columns), shifted})});
  if (!given.present()) return seen;
  if (emit.net.dtype(given) == DataType::boolean) return emit.op("and", {given, seen});
  return emit.op("where", {seen, given, emit.number(given, -INFINITY)});
}

// softmax(Q K' + mask) V, without a factor of its own; each head of K and V serves as many of Q.
void AttentionLayer::lower(Emit& emit) {
  const Value q = emit.in(0), k = emit.in(1), v = emit.in(2);
  for (Value value : {q, k, v})
    if (emit.rank(value) != 4) refuse("an operand of rank " + std::to_string(emit.rank(value)) + "; 4 is accepted");
  const bool softmax = normalization == nvinfer1::AttentionNormalizationOp::kSOFTMAX;
  Attributes attributes{{"scale", 1.0}};
  attributes.add({"is_causal", causal == nvinfer1::CausalMaskKind::kUPPER_LEFT ? 1 : 0});
  const std::vector<Value> operands = detail::without_absent_tail({q, k, v, mask(emit, q, k)});
  if (softmax && !emit.has(4)) return emit.out(0, emit.expand("Attention", operands, attributes)[0]);
  attributes.add({"qk_matmul_output_mode", softmax ? 3 : 2});
  Value weights = emit.expand("Attention", operands, attributes, 4)[3];
  if (emit.has(4)) weights = quantised(emit, weights, emit.in(4), quantized);
  const int64_t heads = emit.extents(q)[1], shared = emit.extents(v)[1];
  Value values = v;
  if (heads != shared) {
    std::vector<int64_t> head(static_cast<size_t>(heads));
    for (size_t i = 0; i < head.size(); ++i) head[i] = static_cast<int64_t>(i) / (heads / shared);
    values = emit.op("gather", {v, emit.net.ints(head)}, {{"axis", 1}});
  }
  emit.out(0, emit.op("matmul", {weights, values}));
}

void RotaryEmbeddingLayer::lower(Emit& emit) {
  std::vector<Value> operands = {emit.in(0), emit.in(1), emit.in(2)};
  if (emit.has(3)) operands.push_back(emit.integers(emit.in(3)));
  emit.out(0, emit.expand("RotaryEmbedding", operands,
                          {{"interleaved", interleaved}, {"rotary_embedding_dim", int64_t{size}}})[0]);
}

void CacheUpdateLayer::lower(Emit& emit) {
  emit.out(0, emit.expand("TensorScatter", {emit.in(0), emit.in(1), emit.integers(emit.in(2))}, {{"axis", 2}})[0]);
}

// silu(gate) * up, with SwiGLU's limit, slope and shift.
Value MoELayer::gated(Emit& emit, Value gate, Value up) const {
  if (std::isfinite(limit)) {
    const Value most = emit.number(gate, limit);
    gate = emit.op("min", {gate, most});
    up = emit.op("clip", {up, emit.number(up, -limit), most});
  }
  if (beta != 0) up = emit.op("add", {up, emit.number(up, beta)});
  if (activation == nvinfer1::MoEActType::kNONE) return emit.op("mul", {gate, up});
  const Value slope = alpha == 1 ? gate : emit.op("mul", {gate, emit.number(gate, alpha)});
  return emit.op("mul", {emit.op("mul", {gate, emit.op("sigmoid", {slope})}), up});
}

// All experts see all tokens; a token's result is the sum of theirs by its scores, 0 for those it did not select.
void MoELayer::lower(Emit& emit) {
  if (dynamic) throw Error(Code::unsupported, "scales computed by block; a static scale or none is accepted");
  for (size_t i = 3; i < 6; ++i)
    if (!emit.has(i)) refuse("the weights of the experts are missing (setGatedWeights)");
  const Value x = emit.in(0);
  const int64_t width = emit.extents(x).back(), experts = emit.extents(emit.in(3))[0];
  if (width < 0 || experts < 0) throw Error(Code::unsupported, "a dynamic number of experts or of elements");
  const auto linear = [&](Value v, size_t weights) {
    const Value y = emit.op("matmul", {v, emit.in(weights)});
    if (!emit.has(weights + 3)) return y;
    return emit.op("add", {y, emit.op("unsqueeze", {emit.in(weights + 3), emit.net.ints({1})})});
  };
  const Value tokens = emit.op("reshape", {x, emit.net.ints({1, -1, width})});
  Value inner = gated(emit, linear(tokens, 3), linear(tokens, 4));
  if (emit.has(9)) inner = quantised(emit, inner, emit.in(9), quantized);
  const Value results = linear(inner, 5);  // [E, T, D]
  std::vector<int64_t> numbers(static_cast<size_t>(experts));
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
  const int64_t chosen = emit.extents(emit.in(1)).back();
  const auto rows = [&](Value v) { return emit.op("reshape", {v, emit.net.ints({-1, chosen, 1})}); };
  const Value same = emit.op("equal", {rows(emit.integers(emit.in(1))), emit.net.ints(numbers)});
  const Value scores = rows(emit.in(2));
  const Value by_expert =
      emit.op("reduce_sum", {emit.op("where", {same, scores, emit.number(scores, 0)}), emit.net.ints({1})},
              {{"keepdims", false}});  // [T, E]
  const Value factor =
      emit.op("unsqueeze",
              {emit.op("transpose", {by_expert}, {{"perm", Attribute::Value(Extents{1, 0})}}), emit.net.ints({2})});
  const Value sum =
      emit.op("reduce_sum", {emit.op("mul", {results, factor}), emit.net.ints({0})}, {{"keepdims", false}});
  emit.out(0, emit.op("reshape", {sum, emit.op("shape", {x})}));
}

// --- add*

nvinfer1::IAttention* NetworkImpl::addAttentionV2(nvinfer1::ITensor& q, nvinfer1::ITensor& k, nvinfer1::ITensor& v,
                                                  nvinfer1::AttentionNormalizationOp op,
                                                  nvinfer1::CausalMaskKind causal) {
  if (!takes("addAttention", op, causal)) return nullptr;
  auto attention = std::make_unique<AttentionImpl>();
  auto* layer = make<AttentionLayer>("addAttention", *attention, q, k, v);
  if (layer == nullptr) return nullptr;
  layer->normalization = op;
  layer->causal = causal;
  attention->layer = layer;
  AttentionImpl* made = attention.get();
  others_.push_back(std::move(attention));
  return made;
}
nvinfer1::IAttention* NetworkImpl::addAttention(nvinfer1::ITensor& q, nvinfer1::ITensor& k, nvinfer1::ITensor& v,
                                                nvinfer1::AttentionNormalizationOp op, bool causal) {
  return addAttentionV2(q, k, v, op, causal ? nvinfer1::CausalMaskKind::kUPPER_LEFT : nvinfer1::CausalMaskKind::kNONE);
}
nvinfer1::IRotaryEmbeddingLayer* NetworkImpl::addRotaryEmbedding(nvinfer1::ITensor& x, nvinfer1::ITensor& cosines,
                                                                 nvinfer1::ITensor& sines, bool interleaved,
                                                                 int32_t turned) {
  return make<RotaryEmbeddingLayer>("addRotaryEmbedding", x, cosines, sines, interleaved, turned);
}
nvinfer1::IKVCacheUpdateLayer* NetworkImpl::addKVCacheUpdate(nvinfer1::ITensor& cache, nvinfer1::ITensor& update,
                                                             nvinfer1::ITensor& positions, nvinfer1::KVCacheMode mode) {
  if (!takes("addKVCacheUpdate", mode)) return nullptr;
  return make<CacheUpdateLayer>("addKVCacheUpdate", cache, update, positions);
}
nvinfer1::IMoELayer* NetworkImpl::addMoE(nvinfer1::ITensor& hidden, nvinfer1::ITensor& experts,
                                         nvinfer1::ITensor& scores) {
  return make<MoELayer>("addMoE", hidden, experts, scores);
}

}  // namespace planish::tensorrt
