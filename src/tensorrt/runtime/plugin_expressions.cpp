#include "tensorrt/runtime/plugin_expressions.h"

#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

nvinfer1::IDimensionExpr const* Expressions::keep(Dim dim) {
  kept_.push_back(std::make_unique<Expression>(std::move(dim)));
  return kept_.back().get();
}

nvinfer1::IDimensionExpr const* Expressions::operation(nvinfer1::DimensionOperation op,
                                                       nvinfer1::IDimensionExpr const& first,
                                                       nvinfer1::IDimensionExpr const& second) {
  using nvinfer1::DimensionOperation;
  const Dim a = static_cast<const Expression&>(first).dim, b = static_cast<const Expression&>(second).dim;
  const bool numbers = a.is_number() && b.is_number();
  const int64_t x = numbers ? a.value() : 0, y = numbers ? b.value() : 0;
  switch (op) {
    case DimensionOperation::kSUM:
      return keep(numbers ? Dim(x + y) : a + b);
    case DimensionOperation::kPROD:
      return keep(numbers ? Dim(x * y) : a * b);
    case DimensionOperation::kMAX:
      return keep(numbers ? Dim(std::max(x, y)) : max(a, b));
    case DimensionOperation::kMIN:
      return keep(numbers ? Dim(std::min(x, y)) : min(a, b));
    case DimensionOperation::kSUB:
      return keep(numbers && x >= y ? Dim(x - y) : a - b);
    case DimensionOperation::kEQUAL:  // 1 - min(1, max(a - b, b - a))
      return keep(numbers ? Dim(int64_t{x == y}) : Dim(1) - min(Dim(1), max(a - b, b - a)));
    case DimensionOperation::kLESS:  // max(0, min(1, b - a))
      return keep(numbers ? Dim(int64_t{x < y}) : max(Dim(0), min(Dim(1), b - a)));
    case DimensionOperation::kFLOOR_DIV:
      if (numbers && y == 0) return nullptr;
      return keep(numbers && x >= 0 && y > 0 ? Dim(x / y) : floor_div(a, b));
    case DimensionOperation::kCEIL_DIV:
      if (numbers && y == 0) return nullptr;
      return keep(numbers && x >= 0 && y > 0 ? Dim((x + y - 1) / y) : ceil_div(a, b));
  }
  return nullptr;
}

nvinfer1::DimsExprs Expressions::of(const TensorType& type) {
  nvinfer1::DimsExprs exprs{};
  if (type.rank() > nvinfer1::Dims::MAX_DIMS) refuse("an operand of rank " + std::to_string(type.rank()));
  exprs.nbDims = type.rank();
  for (int i = 0; i < type.rank(); ++i) exprs.d[i] = keep(type.dims[static_cast<size_t>(i)]);
  return exprs;
}

std::vector<Dim> Expressions::dims_of(const nvinfer1::DimsExprs& exprs) const {
  if (exprs.nbDims < 0 || exprs.nbDims > nvinfer1::Dims::MAX_DIMS)
    refuse("a result of rank " + std::to_string(exprs.nbDims));
  std::vector<Dim> dims;
  for (int32_t i = 0; i < exprs.nbDims; ++i) {
    if (exprs.d[i] == nullptr) refuse("an extent of a result is null; sizes that data decides are not taken");
    dims.push_back(static_cast<const Expression*>(exprs.d[i])->dim);
  }
  return dims;
}

}  // namespace planish::tensorrt
