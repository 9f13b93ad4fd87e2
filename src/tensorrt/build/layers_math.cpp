#include "tensorrt/build/layers_math.h"

#include <algorithm>
#include <numeric>

namespace planish::tensorrt {
namespace {

int64_t only_axis(const Emit& emit, uint32_t mask, Value x) {
  const Extents axes = emit.axes(mask);
  if (axes.size() != 1 || axes[0] >= emit.rank(x))
    refuse("the mask of axes " + std::to_string(mask) + "; one axis of the tensor is accepted");
  return axes[0];
}

Value last_two_swapped(Emit& emit, Value x) {
  Extents order(static_cast<size_t>(emit.rank(x)));
  if (order.size() < 2) refuse("a transposed operand of rank " + std::to_string(order.size()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return emit.op("transpose", {x}, {{"perm", Attribute::Value(order)}});
}

}  // namespace

// A vector is a matrix of one row (left) or column (right), which leaves the result again.
void MatrixMultiplyLayer::lower(Emit& emit) {
  using nvinfer1::MatrixOperation;
  Value v[2] = {emit.in(0), emit.in(1)};
  Extents dropped;
  for (int i = 0; i < 2; ++i) {
    if (operations[i] == MatrixOperation::kTRANSPOSE) v[i] = last_two_swapped(emit, v[i]);
    if (operations[i] != MatrixOperation::kVECTOR) continue;
    const int64_t at = emit.rank(v[i]) - (i == 0 ? 1 : 0);
    v[i] = emit.op("unsqueeze", {v[i], emit.net.ints({at})});
    dropped.push_back(i == 0 ? -2 : -1);
  }
  Value y = emit.op("matmul", {v[0], v[1]});
  if (!dropped.empty()) y = emit.op("squeeze", {y, emit.net.ints(dropped)});
  emit.out(0, y);
}

void EinsumLayer::lower(Emit& emit) {
  if (emit.implicit) throw Error(Code::unsupported, "equations in a network of implicit batch");
  std::vector<Value> values;
  for (size_t i = 0; i < operands.size(); ++i) values.push_back(emit.in(i));
  emit.out(0, emit.expand("Einsum", values, {{"equation", equation}})[0]);
}

// Three axes behind the batch make the outermost the usual one; so do fewer.
uint32_t SoftMaxLayer::getAxes() const {
  if (axes != 0) return axes;
  const int shown = operands[0]->getDimensions().nbDims;
  const int counted = network.implicit() ? shown : shown - 1;
  return 1U << (std::max(counted - 3, 0) + (network.implicit() || shown < 2 ? 0 : 1));
}

void SoftMaxLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  emit.out(0, emit.op("softmax", {x}, {{"axis", only_axis(emit, getAxes(), x)}}));
}

// Elements of a row beyond its bound are 0.
void RaggedSoftMaxLayer::lower(Emit& emit) {
  const Value x = emit.in(0), bounds = emit.integers(emit.in(1));
  const int64_t width = emit.extents(x).back();
  if (width < 0) throw Error(Code::unsupported, "rows of a dynamic length; fixed ones are accepted");
  std::vector<int64_t> places(static_cast<size_t>(width));
  std::iota(places.begin(), places.end(), 0);
  const Value inside = emit.op("less", {emit.net.ints(places), bounds});
  const Value masked = emit.op("where", {inside, x, emit.number(x, -3.0e38)});
  emit.out(0, emit.op("where", {inside, emit.op("softmax", {masked}, {{"axis", -1}}), emit.number(x, 0)}));
}

void ReduceLayer::lower(Emit& emit) {
  static constexpr const char* kOps[] = {"reduce_sum", "reduce_prod", "reduce_max", "reduce_min", "reduce_mean"};
  const auto index = static_cast<size_t>(operation);
  if (index >= std::size(kOps)) refuse("operation " + std::to_string(index) + " reduces nothing");
  if (axes == 0) refuse("the mask of axes to reduce is 0; a bit for each of them is accepted");
  emit.out(0, emit.op(kOps[index], {emit.in(0), emit.net.ints(emit.axes(axes))}, {{"keepdims", keep_dims}}));
}

void TopKLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  Value count = emit.has(1) ? emit.integers(emit.in(1)) : emit.net.ints({k});
  if (emit.rank(count) == 0) count = emit.op("reshape", {count, emit.net.ints({1})});
  const auto results = emit.ops(
      "topk", {x, count},
      {{"axis", only_axis(emit, axes, x)}, {"largest", operation == nvinfer1::TopKOperation::kMAX}, {"sorted", true}},
      2);
  emit.out(0, results[0]);
  emit.out(1, emit.index_type(results[1], indices_type));
}

// (x - mean) / sqrt(variance + epsilon) * scale + bias, the moments over `axes`; of groups: over a group's channels
// too.
void NormalizationLayer::lower(Emit& emit) {
  const Value x = emit.in(0), scale = emit.in(1), bias = emit.in(2);
  // A group's channels and places become one axis.
  const bool grouped = groups != 1;
  const Value rows = grouped ? emit.op("reshape", {x, emit.net.ints({0, int64_t{groups}, -1})}) : x;
  const Value over = emit.net.ints(grouped ? Extents{2} : emit.axes(axes));
  const auto mean = [&](Value v) { return emit.op("reduce_mean", {v, over}, {{"keepdims", true}}); };
  const Value centred = emit.op("sub", {rows, mean(rows)});
  const Value variance = mean(emit.op("mul", {centred, centred}));
  const Value deviation = emit.op("sqrt", {emit.op("add", {variance, emit.number(x, double{epsilon})})});
  Value normal = emit.op("div", {centred, deviation});
  if (grouped) normal = emit.op("reshape", {normal, emit.op("shape", {x})});
  emit.out(0, emit.op("add", {emit.op("mul", {normal, scale}), bias}));
}

// --- add*

nvinfer1::IMatrixMultiplyLayer* NetworkImpl::addMatrixMultiply(nvinfer1::ITensor& a, nvinfer1::MatrixOperation op_a,
                                                               nvinfer1::ITensor& b, nvinfer1::MatrixOperation op_b) {
  return make<MatrixMultiplyLayer>("addMatrixMultiply", a, op_a, b, op_b);
}
nvinfer1::IMatrixMultiplyLayer* NetworkImpl::addMatrixMultiply(nvinfer1::ITensor& a, bool swap_a, nvinfer1::ITensor& b,
                                                               bool swap_b) {
  using nvinfer1::MatrixOperation;
  return addMatrixMultiply(a, swap_a ? MatrixOperation::kTRANSPOSE : MatrixOperation::kNONE, b,
                           swap_b ? MatrixOperation::kTRANSPOSE : MatrixOperation::kNONE);
}
nvinfer1::IEinsumLayer* NetworkImpl::addEinsum(nvinfer1::ITensor* const* inputs, int32_t count, char const* equation) {
  return make<EinsumLayer>("addEinsum", inputs, count, equation);
}
nvinfer1::ISoftMaxLayer* NetworkImpl::addSoftMax(nvinfer1::ITensor& x) { return make<SoftMaxLayer>("addSoftMax", x); }
nvinfer1::IRaggedSoftMaxLayer* NetworkImpl::addRaggedSoftMax(nvinfer1::ITensor& x, nvinfer1::ITensor& bounds) {
  return make<RaggedSoftMaxLayer>("addRaggedSoftMax", x, bounds);
}
nvinfer1::IReduceLayer* NetworkImpl::addReduce(nvinfer1::ITensor& x, nvinfer1::ReduceOperation op, uint32_t axes,
                                               bool keep) {
  return make<ReduceLayer>("addReduce", x, op, axes, keep);
}
nvinfer1::ITopKLayer* NetworkImpl::addTopK(nvinfer1::ITensor& x, nvinfer1::TopKOperation op, int32_t k, uint32_t axes) {
  return addTopK(x, op, k, axes, nvinfer1::DataType::kINT32);
}
nvinfer1::ITopKLayer* NetworkImpl::addTopK(nvinfer1::ITensor& x, nvinfer1::TopKOperation op, int32_t k, uint32_t axes,
                                           nvinfer1::DataType indices) {
  return make<TopKLayer>("addTopK", x, op, k, axes, indices);
}
nvinfer1::INormalizationLayer* NetworkImpl::addNormalization(nvinfer1::ITensor& x, nvinfer1::ITensor& scale,
                                                             nvinfer1::ITensor& bias, uint32_t axes) {
  return make<NormalizationLayer>("addNormalization", x, scale, bias, axes, false);
}
nvinfer1::INormalizationLayer* NetworkImpl::addNormalizationV2(nvinfer1::ITensor& x, nvinfer1::ITensor& scale,
                                                               nvinfer1::ITensor& bias, uint32_t axes) {
  return make<NormalizationLayer>("addNormalizationV2", x, scale, bias, axes, true);
}
nvinfer1::ICumulativeLayer* NetworkImpl::addCumulative(nvinfer1::ITensor& x, nvinfer1::ITensor& axis,
                                                       nvinfer1::CumulativeOperation op, bool exclusive, bool reverse) {
  if (!takes("addCumulative", op)) return nullptr;
  return make<CumulativeLayer>("addCumulative", x, axis, exclusive, reverse);
}

}  // namespace planish::tensorrt
