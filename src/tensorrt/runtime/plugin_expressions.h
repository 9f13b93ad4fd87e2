#pragma once
// IExprBuilder over our expressions.

#include <memory>
#include <vector>

#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {

class Expression final : public nvinfer1::IDimensionExpr {
 public:
  explicit Expression(Dim dim) : dim(std::move(dim)) {}
  bool isConstant() const override { return dim.is_number(); }
  nvinfer1::door::Extent getConstantValue() const override {
    return dim.is_number() ? static_cast<nvinfer1::door::Extent>(dim.value()) : 0;
  }
  bool isSizeTensor() const override { return false; }
  Dim dim;
};

class Expressions final : public nvinfer1::IExprBuilder {
 public:
  nvinfer1::IDimensionExpr const* constant(nvinfer1::door::Extent value) override { return keep(Dim(int64_t{value})); }
  nvinfer1::IDimensionExpr const* operation(nvinfer1::DimensionOperation op, nvinfer1::IDimensionExpr const& first,
                                            nvinfer1::IDimensionExpr const& second) override;
  nvinfer1::IDimensionExpr const* declareSizeTensor(int32_t, nvinfer1::IDimensionExpr const&,
                                                    nvinfer1::IDimensionExpr const&) override {
    return nullptr;
  }
  nvinfer1::DimsExprs of(const TensorType& type);
  std::vector<Dim> dims_of(const nvinfer1::DimsExprs& exprs) const;

 private:
  nvinfer1::IDimensionExpr const* keep(Dim dim);
  std::vector<std::unique_ptr<Expression>> kept_;
};

}  // namespace planish::tensorrt
