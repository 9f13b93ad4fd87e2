// IDynamicQuantizeLayer: scales by block, computed from the data.

#include <cmath>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

// Operands: x, the scale of scales (may be absent). Results: the quantised data, the scale of each block.
class DynamicQuantizeLayer final : public LayerOf<nvinfer1::IDynamicQuantizeLayer> {
 public:
  DynamicQuantizeLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::DataType to, nvinfer1::DataType scale)
      : Base(network, nvinfer1::LayerType::kDYNAMIC_QUANTIZE, 2), to_type(to), scale_type(scale) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, ToType, to_type, nvinfer1::DataType::kFP8)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, ScaleType, scale_type, nvinfer1::DataType::kE8M0)
  PLANISH_TENSORRT_PROPERTY(int32_t, Axis, axis, -1)
  PLANISH_TENSORRT_PROPERTY(int32_t, BlockSize, block_size, 0)
  void setBlockShape(nvinfer1::Dims const& shape) override { set(block_shape, shape); }
  nvinfer1::Dims getBlockShape() const override { return block_shape; }

 private:
  Extents blocks(const Extents& extents) const;
  nvinfer1::Dims block_shape = no_dims();
};

// Extents of a block.
Extents DynamicQuantizeLayer::blocks(const Extents& extents) const {
  Extents block(extents.size(), 1);
  if (block_shape.nbDims >= 0) {
    block = extents_of(block_shape);
    if (block.size() != extents.size())
      refuse("a block of rank " + std::to_string(block.size()) + " for " + text_of(extents));
    for (size_t i = 0; i < block.size(); ++i)
      if (block[i] == -1) block[i] = extents[i];
  } else {
    const int64_t at = axis < 0 ? axis + static_cast<int64_t>(extents.size()) : axis;
    if (at < 0 || at >= static_cast<int64_t>(extents.size())) refuse("axis " + std::to_string(axis));
    block[static_cast<size_t>(at)] = block_size;
  }
  for (size_t i = 0; i < block.size(); ++i)
    if (extents[i] < 1 || block[i] < 1 || extents[i] % block[i] != 0)
      refuse("blocks of " + text_of(block) + " in " + text_of(extents) + "; fixed multiples of a block are accepted");
  return block;
}

// scale = largest magnitude / largest number of the type (a power of 2, rounded up, for kE8M0), y = x / scale
void DynamicQuantizeLayer::lower(Emit& emit) {
  const Value x = emit.cast(emit.in(0), DataType::f32);
  const DataType to = type_of(to_type), scales = type_of(scale_type);
  const float most = to == DataType::f4e2m1 ? 6.0F : to == DataType::f8e4m3fn ? 448.0F : 127.0F;
  if (to != DataType::f4e2m1 && to != DataType::f8e4m3fn && to != DataType::i8)
    refuse("the output type; kFP4, kFP8 and kINT8 are accepted");
  const Extents extents = emit.extents(x), block = blocks(extents);
  Extents apart, counts, inner;
  for (size_t i = 0; i < extents.size(); ++i) {
    counts.push_back(extents[i] / block[i]);
    apart.insert(apart.end(), {extents[i] / block[i], block[i]});
    inner.push_back(static_cast<int64_t>(2 * i + 1));
  }
  const Value parts = emit.op("reshape", {x, emit.net.ints(apart)});
  const Value largest = emit.op("reduce_max", {emit.op("abs", {parts}), emit.net.ints(inner)}, {{"keepdims", true}});
  const Value whole =
      emit.has(1) ? emit.op("reshape", {emit.cast(emit.in(1), DataType::f32), emit.net.ints({})}) : Value{};
  Value scale = emit.op("div", {largest, emit.net.scalar(most)});
  if (whole.present()) scale = emit.op("div", {scale, whole});
  if (scales == DataType::f8e8m0) {
    const Value power = emit.op("div", {emit.op("log", {scale}), emit.net.scalar(std::log(2.0F))});
    const Value rounded = emit.op("ceil", {emit.op("sub", {power, emit.net.scalar(1e-5F)})});
    scale = emit.op("pow", {emit.net.scalar(2.0F), emit.op("max", {rounded, emit.net.scalar(-127.0F)})});
  }
  const Value stored = emit.cast(scale, scales);
  Value divisor = emit.cast(stored, DataType::f32);
  if (whole.present()) divisor = emit.op("mul", {divisor, whole});
  const Value zero = emit.net.scalar(0.0F);
  divisor = emit.op("where", {emit.op("equal", {divisor, zero}), emit.net.scalar(1.0F), divisor});
  Value y = emit.op("div", {parts, divisor});
  if (to == DataType::i8)
    y = emit.op("clip", {emit.op("round", {y}), emit.net.scalar(-128.0F), emit.net.scalar(127.0F)});
  emit.out(0, emit.cast(emit.op("reshape", {y, emit.net.ints(extents)}), to));
  emit.out(1, emit.op("reshape", {stored, emit.net.ints(counts)}));
}

}  // namespace

nvinfer1::IDynamicQuantizeLayer* NetworkImpl::addDynamicQuantize(nvinfer1::ITensor& x, int32_t axis, int32_t size,
                                                                 nvinfer1::DataType to, nvinfer1::DataType scale) {
  auto* layer = make<DynamicQuantizeLayer>("addDynamicQuantize", x, to, scale);
  if (layer != nullptr) layer->axis = axis, layer->block_size = size;
  return layer;
}
nvinfer1::IDynamicQuantizeLayer* NetworkImpl::addDynamicQuantizeV2(nvinfer1::ITensor& x, nvinfer1::Dims const& block,
                                                                   nvinfer1::DataType to, nvinfer1::DataType scale) {
  auto* layer = make<DynamicQuantizeLayer>("addDynamicQuantizeV2", x, to, scale);
  if (layer != nullptr) layer->setBlockShape(block);
  return layer;
}

}  // namespace planish::tensorrt
