// Layers that sum: products of matrices, reductions, normalisations, order.
#ifndef PLANISH_TENSORRT_LAYERS_MATH_H
#define PLANISH_TENSORRT_LAYERS_MATH_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

enum class MatrixOperation : int32_t { kNONE = 0, kTRANSPOSE = 1, kVECTOR = 2 };
template <>
constexpr int32_t EnumMax<MatrixOperation>() {
  return 3;
}

enum class ReduceOperation : int32_t { kSUM = 0, kPROD = 1, kMAX = 2, kMIN = 3, kAVG = 4, kNONE = 5 };
template <>
constexpr int32_t EnumMax<ReduceOperation>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 6 : 5;
}

enum class TopKOperation : int32_t { kMAX = 0, kMIN = 1 };
template <>
constexpr int32_t EnumMax<TopKOperation>() {
  return 2;
}

enum class CumulativeOperation : int32_t { kSUM = 0 };
template <>
constexpr int32_t EnumMax<CumulativeOperation>() {
  return 1;
}

enum class CollectiveOperation : int32_t {
  kALL_REDUCE = 0,
  kALL_GATHER = 1,
  kBROADCAST = 2,
  kREDUCE = 3,
  kREDUCE_SCATTER = 4,
};
template <>
constexpr int32_t EnumMax<CollectiveOperation>() {
  return 5;
}

class IMatrixMultiplyLayer : public ILayer {
 public:
  virtual void setOperation(int32_t index, MatrixOperation op) = 0;
  virtual MatrixOperation getOperation(int32_t index) const = 0;
  virtual void setTranspose(int32_t index, bool val) = 0;
  virtual bool getTranspose(int32_t index) const = 0;
};

class IEinsumLayer : public ILayer {
 public:
  virtual bool setEquation(char const* equation) = 0;
  virtual char const* getEquation() const = 0;
};

class ISoftMaxLayer : public ILayer {
 public:
  virtual void setAxes(uint32_t axes) = 0;
  virtual uint32_t getAxes() const = 0;
};

class IRaggedSoftMaxLayer : public ILayer {};

class IReduceLayer : public ILayer {
 public:
  virtual void setOperation(ReduceOperation op) = 0;
  virtual ReduceOperation getOperation() const = 0;
  virtual void setReduceAxes(uint32_t reduceAxes) = 0;
  virtual uint32_t getReduceAxes() const = 0;
  virtual void setKeepDimensions(bool keepDimensions) = 0;
  virtual bool getKeepDimensions() const = 0;
};

class ITopKLayer : public ILayer {
 public:
  virtual void setOperation(TopKOperation op) = 0;
  virtual TopKOperation getOperation() const = 0;
  virtual void setK(int32_t k) = 0;
  virtual int32_t getK() const = 0;
  virtual void setReduceAxes(uint32_t reduceAxes) = 0;
  virtual uint32_t getReduceAxes() const = 0;
  virtual bool setIndicesType(DataType type) = 0;
  virtual DataType getIndicesType() const = 0;
};

// Inputs: data, scale, shift.
class INormalizationLayer : public ILayer {
 public:
  virtual void setEpsilon(float eps) = 0;
  virtual float getEpsilon() const = 0;
  virtual void setAxes(uint32_t axesMask) = 0;
  virtual uint32_t getAxes() const = 0;
  virtual void setNbGroups(door::Extent nbGroups) = 0;
  virtual door::Extent getNbGroups() const = 0;
  virtual void setComputePrecision(DataType type) = 0;
  virtual DataType getComputePrecision() const = 0;
  virtual bool isV2() const = 0;
};

class ICumulativeLayer : public ILayer {
 public:
  virtual bool setOperation(CumulativeOperation op) = 0;
  virtual CumulativeOperation getOperation() const = 0;
  virtual void setExclusive(bool exclusive) = 0;
  virtual bool getExclusive() const = 0;
  virtual void setReverse(bool reverse) = 0;
  virtual bool getReverse() const = 0;
};

class IDistCollectiveLayer : public ILayer {};

}  // namespace nvinfer1

#endif
