// Extents of a plugin's results as expressions of its operands' extents.
#ifndef PLANISH_TENSORRT_PLUGIN_EXPR_H
#define PLANISH_TENSORRT_PLUGIN_EXPR_H

#include "nvinfer/dims.h"

namespace nvinfer1 {

enum class DimensionOperation : int32_t {
  kSUM = 0,
  kPROD = 1,
  kMAX = 2,
  kMIN = 3,
  kSUB = 4,
  kEQUAL = 5,
  kLESS = 6,
  kFLOOR_DIV = 7,
  kCEIL_DIV = 8,
};
template <>
constexpr int32_t EnumMax<DimensionOperation>() {
  return 9;
}

class IDimensionExpr : public INoCopy {
 public:
  virtual bool isConstant() const = 0;
  virtual door::Extent getConstantValue() const = 0;
  virtual bool isSizeTensor() const = 0;
};

// Owns the expressions that it makes.
class IExprBuilder : public INoCopy {
 public:
  virtual IDimensionExpr const* constant(door::Extent value) = 0;
  // nullptr when the operation is not defined: division by zero.
  virtual IDimensionExpr const* operation(DimensionOperation op, IDimensionExpr const& first,
                                          IDimensionExpr const& second) = 0;
  // An extent that output `outputIndex`, a scalar, tells: at most `upper`, tuned for `opt`.
  virtual IDimensionExpr const* declareSizeTensor(int32_t outputIndex, IDimensionExpr const& opt,
                                                  IDimensionExpr const& upper) = 0;
};

class DimsExprs {
 public:
  int32_t nbDims;
  IDimensionExpr const* d[Dims::MAX_DIMS];
};

}  // namespace nvinfer1

#endif
