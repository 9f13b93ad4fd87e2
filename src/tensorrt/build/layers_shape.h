#pragma once
// Layers that move, choose, make or count elements.

#include <numeric>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

// A list of operands that callers give by address.
template <class Layer>
void add_operands(Layer& layer, nvinfer1::ITensor* const* inputs, int32_t count) {
  if (inputs == nullptr || count < 1) refuse("no inputs");
  for (int32_t i = 0; i < count; ++i) {
    if (inputs[i] == nullptr) refuse("input " + std::to_string(i) + " is null");
    layer.add_operand(*inputs[i]);
  }
}

class ConcatenationLayer final : public LayerOf<nvinfer1::IConcatenationLayer> {
 public:
  ConcatenationLayer(NetworkImpl& network, nvinfer1::ITensor* const* inputs, int32_t count)
      : Base(network, nvinfer1::LayerType::kCONCATENATION) {
    add_operands(*this, inputs, count);
  }
  void lower(Emit& emit) override {
    std::vector<Value> values;
    for (size_t i = 0; i < operands.size(); ++i) values.push_back(emit.in(i));
    emit.out(0, emit.op("concat", values, {{"axis", int64_t{getAxis() + emit.offset()}}}));
  }
  void setAxis(int32_t value) override { set(axis, value); }
  int32_t getAxis() const override { return axis >= 0 ? axis : std::max(operands[0]->getDimensions().nbDims - 3, 0); }

 private:
  int32_t axis = -1;
};

class ShuffleLayer final : public LayerOf<nvinfer1::IShuffleLayer> {
 public:
  ShuffleLayer(NetworkImpl& network, nvinfer1::ITensor& x) : Base(network, nvinfer1::LayerType::kSHUFFLE) {
    std::iota(std::begin(first.order), std::end(first.order), 0);
    second = first;
    reshape = no_dims();
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Permutation, FirstTranspose, first, {})
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Permutation, SecondTranspose, second, {})
  PLANISH_TENSORRT_PROPERTY(bool, ZeroIsPlaceholder, zero_copies, true)
  void setReshapeDimensions(nvinfer1::Dims const& value) override { set(reshape, value); }
  nvinfer1::Dims getReshapeDimensions() const override { return reshape; }

 private:
  nvinfer1::Dims reshape;  // rank -1: none
};

class SliceLayer final : public LayerOf<nvinfer1::ISliceLayer> {
 public:
  SliceLayer(NetworkImpl& network, nvinfer1::ITensor& x, const nvinfer1::Dims& from, const nvinfer1::Dims& count,
             const nvinfer1::Dims& step)
      : Base(network, nvinfer1::LayerType::kSLICE),
        start(extents_of(from)),
        size(extents_of(count)),
        stride(extents_of(step)) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  void setStart(nvinfer1::Dims const& value) override { set_extents(start, value); }
  nvinfer1::Dims getStart() const override { return dims_of(start); }
  void setSize(nvinfer1::Dims const& value) override { set_extents(size, value); }
  nvinfer1::Dims getSize() const override { return dims_of(size); }
  void setStride(nvinfer1::Dims const& value) override { set_extents(stride, value); }
  nvinfer1::Dims getStride() const override { return dims_of(stride); }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::SampleMode, Mode, mode, nvinfer1::SampleMode::kSTRICT_BOUNDS)
  void setAxes(nvinfer1::Dims const& value) override { set_extents(axes, value); }
  nvinfer1::Dims getAxes() const override { return axes.empty() ? no_dims() : dims_of(axes); }

 private:
  Value outside_too(Emit& emit, Value x, const Extents& axis_list);
  void check_inside(size_t i, int64_t extent) const;
  Extents start, size, stride, axes;
};

class ShapeLayer final : public LayerOf<nvinfer1::IShapeLayer> {
 public:
  ShapeLayer(NetworkImpl& network, nvinfer1::ITensor& x) : Base(network, nvinfer1::LayerType::kSHAPE) {
    add_operand(x);
  }
  void lower(Emit& emit) override {
    const Value shape = emit.op("shape", {emit.in(0)});
    emit.out(0, PLANISH_TENSORRT_LAYOUT >= 10 ? shape : emit.cast(shape, DataType::i32));
  }
};

// Squeeze and unsqueeze: input 1 holds the axes.
template <class Interface, nvinfer1::LayerType kType>
class AxesLayer final : public LayerOf<Interface> {
 public:
  AxesLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& axes) : LayerOf<Interface>(network, kType) {
    this->add_operand(x);
    this->add_operand(axes);
  }
  void lower(Emit& emit) override {
    constexpr bool kMore = kType == nvinfer1::LayerType::kUNSQUEEZE;
    emit.out(0, emit.op(kMore ? "unsqueeze" : "squeeze", {emit.in(0), emit.integers(emit.in(1))}));
  }
};

class ResizeLayer final : public LayerOf<nvinfer1::IResizeLayer> {
 public:
  ResizeLayer(NetworkImpl& network, nvinfer1::ITensor& x) : Base(network, nvinfer1::LayerType::kRESIZE) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  void setOutputDimensions(nvinfer1::Dims const& value) override { set_extents(output, value); }
  nvinfer1::Dims getOutputDimensions() const override {
    return output.empty() ? getOutput(0)->getDimensions() : dims_of(output);
  }
  void setScales(float const* values, int32_t count) override {
    if (values != nullptr && count > 0 && count <= nvinfer1::Dims::MAX_DIMS)
      set(scales, std::vector<float>(values, values + count));
  }
  int32_t getScales(int32_t count, float* values) const override {
    if (values != nullptr && count >= static_cast<int32_t>(scales.size()))
      std::copy(scales.begin(), scales.end(), values);
    return scales.empty() ? -1 : static_cast<int32_t>(scales.size());
  }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::InterpolationMode, ResizeMode, mode, nvinfer1::InterpolationMode::kNEAREST)
  void setAlignCorners(bool on) override {
    using nvinfer1::ResizeCoordinateTransformation;
    set(transform, on ? ResizeCoordinateTransformation::kALIGN_CORNERS : ResizeCoordinateTransformation::kASYMMETRIC);
  }
  bool getAlignCorners() const override {
    return transform == nvinfer1::ResizeCoordinateTransformation::kALIGN_CORNERS;
  }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ResizeCoordinateTransformation, CoordinateTransformation, transform,
                            nvinfer1::ResizeCoordinateTransformation::kASYMMETRIC)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ResizeSelector, SelectorForSinglePixel, selector,
                            nvinfer1::ResizeSelector::kFORMULA)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ResizeRoundMode, NearestRounding, rounding, nvinfer1::ResizeRoundMode::kFLOOR)
  PLANISH_TENSORRT_PROPERTY(float, CubicCoeff, cubic, -0.75F)
  PLANISH_TENSORRT_PROPERTY(bool, ExcludeOutside, exclude, false)

 private:
  Extents output;
  std::vector<float> scales;
};

class GatherLayer final : public LayerOf<nvinfer1::IGatherLayer> {
 public:
  GatherLayer(NetworkImpl& network, nvinfer1::ITensor& data, nvinfer1::ITensor& indices, int32_t at,
              nvinfer1::GatherMode how)
      : Base(network, nvinfer1::LayerType::kGATHER), axis(at), mode(how) {
    add_operand(data);
    add_operand(indices);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(int32_t, GatherAxis, axis, 0)
  PLANISH_TENSORRT_PROPERTY(int32_t, NbElementWiseDims, batch_dims, 0)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::GatherMode, Mode, mode, nvinfer1::GatherMode::kDEFAULT)
};

class ScatterLayer final : public LayerOf<nvinfer1::IScatterLayer> {
 public:
  ScatterLayer(NetworkImpl& network, nvinfer1::ITensor& data, nvinfer1::ITensor& indices, nvinfer1::ITensor& updates,
               nvinfer1::ScatterMode how)
      : Base(network, nvinfer1::LayerType::kSCATTER), mode(how) {
    for (auto* tensor : {&data, &indices, &updates}) add_operand(*tensor);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ScatterMode, Mode, mode, nvinfer1::ScatterMode::kELEMENT)
  PLANISH_TENSORRT_PROPERTY(int32_t, Axis, axis, 0)
};

class GridSampleLayer final : public LayerOf<nvinfer1::IGridSampleLayer> {
 public:
  GridSampleLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& grid)
      : Base(network, nvinfer1::LayerType::kGRID_SAMPLE) {
    add_operand(x);
    add_operand(grid);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::InterpolationMode, InterpolationMode, interpolation,
                            nvinfer1::InterpolationMode::kLINEAR)
  PLANISH_TENSORRT_PROPERTY(bool, AlignCorners, align, false)
  bool setSampleMode(nvinfer1::SampleMode value) override {
    using nvinfer1::SampleMode;
    if (value != SampleMode::kFILL && value != SampleMode::kCLAMP && value != SampleMode::kREFLECT) return false;
    set(sample, value);
    return true;
  }
  nvinfer1::SampleMode getSampleMode() const override { return sample; }

 private:
  nvinfer1::SampleMode sample = nvinfer1::SampleMode::kFILL;
};

class ConstantLayer final : public LayerOf<nvinfer1::IConstantLayer> {
 public:
  ConstantLayer(NetworkImpl& network, const nvinfer1::Dims& dims, nvinfer1::Weights values)
      : Base(network, nvinfer1::LayerType::kCONSTANT), weights(values), extents(extents_of(dims)) {}
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, Weights, weights, {})
  void setDimensions(nvinfer1::Dims const& value) override { set_extents(extents, value); }
  nvinfer1::Dims getDimensions() const override { return dims_of(extents); }

 private:
  Extents extents;
};

class FillLayer final : public LayerOf<nvinfer1::IFillLayer> {
 public:
  FillLayer(NetworkImpl& network, const nvinfer1::Dims& dims, nvinfer1::FillOperation op, nvinfer1::DataType to)
      : Base(network, nvinfer1::LayerType::kFILL), operation(op), to_type(to), extents(extents_of(dims)) {}
  void lower(Emit& emit) override;
  void setDimensions(nvinfer1::Dims const& value) override { set_extents(extents, value); }
  nvinfer1::Dims getDimensions() const override { return dims_of(extents); }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::FillOperation, Operation, operation, nvinfer1::FillOperation::kLINSPACE)
  PLANISH_TENSORRT_PROPERTY(double, Alpha, alpha, 0)
  PLANISH_TENSORRT_PROPERTY(double, Beta, beta, 1)
  void setAlphaInt64(int64_t value) override { set(alpha, static_cast<double>(value)), whole = true; }
  int64_t getAlphaInt64() const override { return static_cast<int64_t>(alpha); }
  void setBetaInt64(int64_t value) override { set(beta, static_cast<double>(value)), whole = true; }
  int64_t getBetaInt64() const override { return static_cast<int64_t>(beta); }
  bool isAlphaBetaInt64() const override { return whole; }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, ToType, to_type, nvinfer1::DataType::kFLOAT)

 private:
  Value line(Emit& emit, const Extents& shape);
  Extents extents;
  bool whole = false;
};

class OneHotLayer final : public LayerOf<nvinfer1::IOneHotLayer> {
 public:
  OneHotLayer(NetworkImpl& network, nvinfer1::ITensor& indices, nvinfer1::ITensor& values, nvinfer1::ITensor& depth,
              int32_t at)
      : Base(network, nvinfer1::LayerType::kONE_HOT), axis(at) {
    for (auto* tensor : {&indices, &values, &depth}) add_operand(*tensor);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(int32_t, Axis, axis, -1)
};

class NonZeroLayer final : public LayerOf<nvinfer1::INonZeroLayer> {
 public:
  NonZeroLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::DataType indices)
      : Base(network, nvinfer1::LayerType::kNON_ZERO), indices_type(indices) {
    add_operand(x);
  }
  void lower(Emit& emit) override { emit.out(0, emit.index_type(emit.op("nonzero", {emit.in(0)}), indices_type)); }
  bool setIndicesType(nvinfer1::DataType value) override { return set(indices_type, value); }
  nvinfer1::DataType getIndicesType() const override { return indices_type; }

 private:
  nvinfer1::DataType indices_type;
};

class NmsLayer final : public LayerOf<nvinfer1::INMSLayer> {
 public:
  NmsLayer(NetworkImpl& network, nvinfer1::ITensor& boxes, nvinfer1::ITensor& scores, nvinfer1::ITensor& most,
           nvinfer1::DataType indices)
      : Base(network, nvinfer1::LayerType::kNMS, 2), indices_type(indices) {
    for (auto* tensor : {&boxes, &scores, &most}) add_operand(*tensor);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::BoundingBoxFormat, BoundingBoxFormat, format,
                            nvinfer1::BoundingBoxFormat::kCORNER_PAIRS)
  PLANISH_TENSORRT_PROPERTY(int32_t, TopKBoxLimit, limit, 5000)
  bool setIndicesType(nvinfer1::DataType value) override { return set(indices_type, value); }
  nvinfer1::DataType getIndicesType() const override { return indices_type; }

 private:
  nvinfer1::DataType indices_type;
};

class ReverseSequenceLayer final : public LayerOf<nvinfer1::IReverseSequenceLayer> {
 public:
  ReverseSequenceLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& lengths)
      : Base(network, nvinfer1::LayerType::kREVERSE_SEQUENCE) {
    add_operand(x);
    add_operand(lengths);
  }
  void lower(Emit& emit) override {
    emit.out(0, emit.op("reverse_sequence", {emit.in(0), emit.integers(emit.in(1))},
                        {{"batch_axis", int64_t{batch}}, {"time_axis", int64_t{time}}}));
  }
  PLANISH_TENSORRT_PROPERTY(int32_t, BatchAxis, batch, 1)
  PLANISH_TENSORRT_PROPERTY(int32_t, SequenceAxis, time, 0)
};

// Nothing follows from it; conditions are not looked at.
class AssertionLayer final : public LayerOf<nvinfer1::IAssertionLayer> {
 public:
  AssertionLayer(NetworkImpl& network, nvinfer1::ITensor& condition, const char* text)
      : Base(network, nvinfer1::LayerType::kASSERTION, 0), message(text == nullptr ? "" : text) {
    add_operand(condition);
  }
  void lower(Emit&) override {}
  void setMessage(char const* text) override { message = text == nullptr ? "" : text; }
  char const* getMessage() const override { return message.c_str(); }

 private:
  std::string message;
};

}  // namespace planish::tensorrt
