#pragma once
// Layers of single elements.

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

class ActivationLayer final : public LayerOf<nvinfer1::IActivationLayer> {
 public:
  ActivationLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ActivationType kind)
      : Base(network, nvinfer1::LayerType::kACTIVATION), activation(kind) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ActivationType, ActivationType, activation, nvinfer1::ActivationType::kRELU)
  PLANISH_TENSORRT_PROPERTY(float, Alpha, alpha, 0)
  PLANISH_TENSORRT_PROPERTY(float, Beta, beta, 0)
};

class ScaleLayer final : public LayerOf<nvinfer1::IScaleLayer> {
 public:
  // channel_axis -1: the usual one.
  ScaleLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ScaleMode how, nvinfer1::Weights add,
             nvinfer1::Weights times, nvinfer1::Weights exponent, int32_t channel_axis)
      : Base(network, nvinfer1::LayerType::kSCALE),
        mode(how),
        shift(add),
        scale(times),
        power(exponent),
        axis(channel_axis) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ScaleMode, Mode, mode, nvinfer1::ScaleMode::kUNIFORM)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, Shift, shift,
                            (nvinfer1::Weights{nvinfer1::DataType::kFLOAT, nullptr, 0}))
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, Scale, scale,
                            (nvinfer1::Weights{nvinfer1::DataType::kFLOAT, nullptr, 0}))
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, Power, power,
                            (nvinfer1::Weights{nvinfer1::DataType::kFLOAT, nullptr, 0}))
  void setChannelAxis(int32_t value) override { set(axis, value); }
  int32_t getChannelAxis() const override { return axis < 0 ? (network.implicit() ? 0 : 1) : axis; }

 private:
  Extents weight_extents(const Emit& emit, const Extents& x, int64_t count) const;
  int32_t axis;
};

class ElementWiseLayer final : public LayerOf<nvinfer1::IElementWiseLayer> {
 public:
  ElementWiseLayer(NetworkImpl& network, nvinfer1::ITensor& a, nvinfer1::ITensor& b, nvinfer1::ElementWiseOperation op)
      : Base(network, nvinfer1::LayerType::kELEMENTWISE), operation(op) {
    add_operand(a);
    add_operand(b);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ElementWiseOperation, Operation, operation, nvinfer1::ElementWiseOperation::kSUM)
};

class UnaryLayer final : public LayerOf<nvinfer1::IUnaryLayer> {
 public:
  UnaryLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::UnaryOperation op)
      : Base(network, nvinfer1::LayerType::kUNARY), operation(op) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::UnaryOperation, Operation, operation, nvinfer1::UnaryOperation::kEXP)
};

// Layers without properties: one operator of ours with the same operands.
template <class Interface, nvinfer1::LayerType kType>
class PlainLayer final : public LayerOf<Interface> {
 public:
  template <class... Tensors>
  PlainLayer(NetworkImpl& network, const char* op, Tensors&... tensors) : LayerOf<Interface>(network, kType), op_(op) {
    (this->add_operand(tensors), ...);
  }
  void lower(Emit& emit) override {
    std::vector<Value> operands;
    for (size_t i = 0; i < this->operands.size(); ++i) operands.push_back(emit.in(i));
    emit.out(0, emit.op(op_, operands));
  }

 private:
  const char* op_;
};

class CastLayer final : public LayerOf<nvinfer1::ICastLayer> {
 public:
  CastLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::DataType to)
      : Base(network, nvinfer1::LayerType::kCAST), to_type(to) {
    type_of(to);
    add_operand(x);
  }
  void lower(Emit& emit) override {
    emit.out(0, emit.op("cast", {emit.in(0)}, {{"to", Attribute::Value(type_of(to_type))}}));
  }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, ToType, to_type, nvinfer1::DataType::kFLOAT)
};

// Operands: x, scale, zero point (absent: 0).
template <class Interface, bool kBack>
class QuantizeLayerOf final : public LayerOf<Interface> {
 public:
  QuantizeLayerOf(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& scale, nvinfer1::DataType to)
      : LayerOf<Interface>(network, kBack ? nvinfer1::LayerType::kDEQUANTIZE : nvinfer1::LayerType::kQUANTIZE),
        to_type(to) {
    this->add_operand(x);
    this->add_operand(scale);
  }
  void lower(Emit& emit) override {
    const Value x = emit.in(0), scale = emit.in(1);
    emit.require_positive(scale, "scale");
    const DataType quantised = kBack ? emit.net.dtype(x) : type_of(to_type);
    Value zero = this->operand(2) == nullptr ? Value{} : emit.cast(emit.in(2), quantised);
    if (!zero.present() && !kBack) zero = emit.cast(emit.op("mul", {scale, emit.number(scale, 0)}), quantised);
    const int64_t at = axis < 0 ? 0 : axis + emit.offset();
    emit.out(0, emit.op(kBack ? "dequantize_linear" : "quantize_linear", {x, scale, zero}, {{"axis", at}}));
  }
  int32_t getAxis() const override { return axis; }
  void setAxis(int32_t value) override { this->set(axis, value); }
  bool setBlockShape(nvinfer1::Dims const&) override { return false; }
  nvinfer1::Dims getBlockShape() const override { return no_dims(); }
  void setToType(nvinfer1::DataType value) override { this->set(to_type, value); }
  nvinfer1::DataType getToType() const override { return to_type; }

 private:
  int32_t axis = -1;
  nvinfer1::DataType to_type;
};
using QuantizeLayer = QuantizeLayerOf<nvinfer1::IQuantizeLayer, false>;
using DequantizeLayer = QuantizeLayerOf<nvinfer1::IDequantizeLayer, true>;

}  // namespace planish::tensorrt
