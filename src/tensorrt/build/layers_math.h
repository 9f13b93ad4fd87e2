#pragma once
// Layers that sum.

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

class MatrixMultiplyLayer final : public LayerOf<nvinfer1::IMatrixMultiplyLayer> {
 public:
  MatrixMultiplyLayer(NetworkImpl& network, nvinfer1::ITensor& a, nvinfer1::MatrixOperation op_a, nvinfer1::ITensor& b,
                      nvinfer1::MatrixOperation op_b)
      : Base(network, nvinfer1::LayerType::kMATRIX_MULTIPLY), operations{op_a, op_b} {
    add_operand(a);
    add_operand(b);
  }
  void lower(Emit& emit) override;
  void setOperation(int32_t index, nvinfer1::MatrixOperation op) override {
    if (index == 0 || index == 1) set(operations[index], op);
  }
  nvinfer1::MatrixOperation getOperation(int32_t index) const override { return operations[index == 1 ? 1 : 0]; }
  void setTranspose(int32_t index, bool on) override {
    setOperation(index, on ? nvinfer1::MatrixOperation::kTRANSPOSE : nvinfer1::MatrixOperation::kNONE);
  }
  bool getTranspose(int32_t index) const override {
    return getOperation(index) == nvinfer1::MatrixOperation::kTRANSPOSE;
  }

 private:
  nvinfer1::MatrixOperation operations[2];
};

class EinsumLayer final : public LayerOf<nvinfer1::IEinsumLayer> {
 public:
  EinsumLayer(NetworkImpl& network, nvinfer1::ITensor* const* inputs, int32_t count, char const* text)
      : Base(network, nvinfer1::LayerType::kEINSUM), equation(text == nullptr ? "" : text) {
    if (inputs == nullptr || count < 1) refuse("an equation of " + std::to_string(count) + " tensors");
    for (int32_t i = 0; i < count; ++i) {
      if (inputs[i] == nullptr) refuse("input " + std::to_string(i) + " is null");
      add_operand(*inputs[i]);
    }
  }
  void lower(Emit& emit) override;
  bool setEquation(char const* text) override {
    if (text == nullptr) return false;
    set(equation, text);
    return true;
  }
  char const* getEquation() const override { return equation.c_str(); }

 private:
  std::string equation;
};

class SoftMaxLayer final : public LayerOf<nvinfer1::ISoftMaxLayer> {
 public:
  SoftMaxLayer(NetworkImpl& network, nvinfer1::ITensor& x) : Base(network, nvinfer1::LayerType::kSOFTMAX) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  void setAxes(uint32_t value) override { set(axes, value); }
  uint32_t getAxes() const override;

 private:
  uint32_t axes = 0;  // 0: the usual one
};

class RaggedSoftMaxLayer final : public LayerOf<nvinfer1::IRaggedSoftMaxLayer> {
 public:
  RaggedSoftMaxLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& bounds)
      : Base(network, nvinfer1::LayerType::kRAGGED_SOFTMAX) {
    add_operand(x);
    add_operand(bounds);
  }
  void lower(Emit& emit) override;
};

class ReduceLayer final : public LayerOf<nvinfer1::IReduceLayer> {
 public:
  ReduceLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ReduceOperation op, uint32_t mask, bool keep)
      : Base(network, nvinfer1::LayerType::kREDUCE), operation(op), axes(mask), keep_dims(keep) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::ReduceOperation, Operation, operation, nvinfer1::ReduceOperation::kSUM)
  PLANISH_TENSORRT_PROPERTY(uint32_t, ReduceAxes, axes, 0)
  PLANISH_TENSORRT_PROPERTY(bool, KeepDimensions, keep_dims, false)
};

class TopKLayer final : public LayerOf<nvinfer1::ITopKLayer> {
 public:
  TopKLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::TopKOperation op, int32_t count, uint32_t mask,
            nvinfer1::DataType indices)
      : Base(network, nvinfer1::LayerType::kTOPK, 2), operation(op), k(count), axes(mask), indices_type(indices) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::TopKOperation, Operation, operation, nvinfer1::TopKOperation::kMAX)
  PLANISH_TENSORRT_PROPERTY(int32_t, K, k, 1)
  PLANISH_TENSORRT_PROPERTY(uint32_t, ReduceAxes, axes, 0)
  bool setIndicesType(nvinfer1::DataType type) override { return set(indices_type, type); }
  nvinfer1::DataType getIndicesType() const override { return indices_type; }

 private:
  nvinfer1::DataType indices_type;
};

class NormalizationLayer final : public LayerOf<nvinfer1::INormalizationLayer> {
 public:
  NormalizationLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& scale, nvinfer1::ITensor& bias,
                     uint32_t mask, bool second)
      : Base(network, nvinfer1::LayerType::kNORMALIZATION), axes(mask), v2(second) {
    add_operand(x);
    add_operand(scale);
    add_operand(bias);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(float, Epsilon, epsilon, 1e-5F)
  PLANISH_TENSORRT_PROPERTY(uint32_t, Axes, axes, 0)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::door::Extent, NbGroups, groups, 1)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, ComputePrecision, compute, nvinfer1::DataType::kFLOAT)
  bool isV2() const override { return v2; }

 private:
  bool v2;
};

class CumulativeLayer final : public LayerOf<nvinfer1::ICumulativeLayer> {
 public:
  CumulativeLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& axis, bool without_own, bool backwards)
      : Base(network, nvinfer1::LayerType::kCUMULATIVE), exclusive(without_own), reverse(backwards) {
    add_operand(x);
    add_operand(axis);
  }
  void lower(Emit& emit) override {
    emit.out(0, emit.op("cum_sum", {emit.in(0), emit.integers(emit.in(1))},
                        {{"exclusive", exclusive}, {"reverse", reverse}}));
  }
  bool setOperation(nvinfer1::CumulativeOperation op) override { return op == nvinfer1::CumulativeOperation::kSUM; }
  nvinfer1::CumulativeOperation getOperation() const override { return nvinfer1::CumulativeOperation::kSUM; }
  PLANISH_TENSORRT_PROPERTY(bool, Exclusive, exclusive, false)
  PLANISH_TENSORRT_PROPERTY(bool, Reverse, reverse, false)
};

}  // namespace planish::tensorrt
