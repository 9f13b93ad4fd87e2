// Layers that move, choose, make or count elements.
#ifndef PLANISH_TENSORRT_LAYERS_SHAPE_H
#define PLANISH_TENSORRT_LAYERS_SHAPE_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

// What lies outside of a tensor.
enum class SampleMode : int32_t {
  kSTRICT_BOUNDS = 0,
  kDEFAULT = kSTRICT_BOUNDS,
  kWRAP = 1,
  kCLAMP = 2,
  kFILL = 3,
  kREFLECT = 4
};
template <>
constexpr int32_t EnumMax<SampleMode>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 2 : 5;
}
using SliceMode = SampleMode;

enum class InterpolationMode : int32_t { kNEAREST = 0, kLINEAR = 1, kCUBIC = 2 };
template <>
constexpr int32_t EnumMax<InterpolationMode>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 2 : 3;
}
using ResizeMode = InterpolationMode;

enum class ResizeCoordinateTransformation : int32_t { kALIGN_CORNERS = 0, kASYMMETRIC = 1, kHALF_PIXEL = 2 };
template <>
constexpr int32_t EnumMax<ResizeCoordinateTransformation>() {
  return 3;
}

enum class ResizeSelector : int32_t { kFORMULA = 0, kUPPER = 1 };
template <>
constexpr int32_t EnumMax<ResizeSelector>() {
  return 2;
}

enum class ResizeRoundMode : int32_t { kHALF_UP = 0, kHALF_DOWN = 1, kFLOOR = 2, kCEIL = 3 };
template <>
constexpr int32_t EnumMax<ResizeRoundMode>() {
  return 4;
}

enum class GatherMode : int32_t { kDEFAULT = 0, kELEMENT = 1, kND = 2 };
template <>
constexpr int32_t EnumMax<GatherMode>() {
  return 3;
}

enum class ScatterMode : int32_t { kELEMENT = 0, kND = 1 };
template <>
constexpr int32_t EnumMax<ScatterMode>() {
  return 2;
}

enum class FillOperation : int32_t { kLINSPACE = 0, kRANDOM_UNIFORM = 1, kRANDOM_NORMAL = 2 };
template <>
constexpr int32_t EnumMax<FillOperation>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 2 : 3;
}

enum class BoundingBoxFormat : int32_t { kCORNER_PAIRS = 0, kCENTER_SIZES = 1 };
template <>
constexpr int32_t EnumMax<BoundingBoxFormat>() {
  return 2;
}

class IConcatenationLayer : public ILayer {
 public:
  virtual void setAxis(int32_t axis) = 0;
  virtual int32_t getAxis() const = 0;
};

// First transpose, reshape, second transpose. In reshape dimensions 0 copies an extent, -1 is what is left.
class IShuffleLayer : public ILayer {
 public:
  virtual void setFirstTranspose(Permutation permutation) = 0;
  virtual Permutation getFirstTranspose() const = 0;
  virtual void setReshapeDimensions(Dims const& dimensions) = 0;
  virtual Dims getReshapeDimensions() const = 0;
  virtual void setSecondTranspose(Permutation permutation) = 0;
  virtual Permutation getSecondTranspose() const = 0;
  virtual void setZeroIsPlaceholder(bool zeroIsPlaceholder) = 0;
  virtual bool getZeroIsPlaceholder() const = 0;
};

// Inputs 1 to 5: start, size, stride, fill value, axes.
class ISliceLayer : public ILayer {
 public:
  virtual void setStart(Dims const& start) = 0;
  virtual Dims getStart() const = 0;
  virtual void setSize(Dims const& size) = 0;
  virtual Dims getSize() const = 0;
  virtual void setStride(Dims const& stride) = 0;
  virtual Dims getStride() const = 0;
  virtual void setMode(SampleMode mode) = 0;
  virtual SampleMode getMode() const = 0;
  virtual void setAxes(Dims const& axes) = 0;
  virtual Dims getAxes() const = 0;
};

class IShapeLayer : public ILayer {};
class ISqueezeLayer : public ILayer {};
class IUnsqueezeLayer : public ILayer {};

class IResizeLayer : public ILayer {
 public:
  virtual void setOutputDimensions(Dims const& dimensions) = 0;
  virtual Dims getOutputDimensions() const = 0;
  virtual void setScales(float const* scales, int32_t nbScales) = 0;
  virtual int32_t getScales(int32_t size, float* scales) const = 0;
  virtual void setResizeMode(InterpolationMode interpolationMode) = 0;
  virtual InterpolationMode getResizeMode() const = 0;
  virtual void setAlignCorners(bool alignCorners) = 0;
  virtual bool getAlignCorners() const = 0;
  virtual void setCoordinateTransformation(ResizeCoordinateTransformation coordTransform) = 0;
  virtual ResizeCoordinateTransformation getCoordinateTransformation() const = 0;
  virtual void setSelectorForSinglePixel(ResizeSelector selector) = 0;
  virtual ResizeSelector getSelectorForSinglePixel() const = 0;
  virtual void setNearestRounding(ResizeRoundMode value) = 0;
  virtual ResizeRoundMode getNearestRounding() const = 0;
  virtual void setCubicCoeff(float A) = 0;
  virtual float getCubicCoeff() const = 0;
  virtual void setExcludeOutside(bool excludeFlag) = 0;
  virtual bool getExcludeOutside() const = 0;
};

class IGatherLayer : public ILayer {
 public:
  virtual void setGatherAxis(int32_t axis) = 0;
  virtual int32_t getGatherAxis() const = 0;
  virtual void setNbElementWiseDims(int32_t elementWiseDims) = 0;
  virtual int32_t getNbElementWiseDims() const = 0;
  virtual void setMode(GatherMode mode) = 0;
  virtual GatherMode getMode() const = 0;
};

class IScatterLayer : public ILayer {
 public:
  virtual void setMode(ScatterMode mode) = 0;
  virtual ScatterMode getMode() const = 0;
  virtual void setAxis(int32_t axis) = 0;
  virtual int32_t getAxis() const = 0;
};

class IGridSampleLayer : public ILayer {
 public:
  virtual void setInterpolationMode(InterpolationMode mode) = 0;
  virtual InterpolationMode getInterpolationMode() const = 0;
  virtual void setAlignCorners(bool alignCorners) = 0;
  virtual bool getAlignCorners() const = 0;
  virtual bool setSampleMode(SampleMode mode) = 0;
  virtual SampleMode getSampleMode() const = 0;
};

class IConstantLayer : public ILayer {
 public:
  virtual void setWeights(Weights weights) = 0;
  virtual Weights getWeights() const = 0;
  virtual void setDimensions(Dims const& dimensions) = 0;
  virtual Dims getDimensions() const = 0;
};

// Linspace: alpha + i * beta; uniform: alpha to beta; normal: mean alpha, deviation beta.
class IFillLayer : public ILayer {
 public:
  virtual void setDimensions(Dims const& dimensions) = 0;
  virtual Dims getDimensions() const = 0;
  virtual void setOperation(FillOperation op) = 0;
  virtual FillOperation getOperation() const = 0;
  virtual void setAlpha(double alpha) = 0;
  virtual double getAlpha() const = 0;
  virtual void setBeta(double beta) = 0;
  virtual double getBeta() const = 0;
  virtual void setAlphaInt64(int64_t alpha) = 0;
  virtual int64_t getAlphaInt64() const = 0;
  virtual void setBetaInt64(int64_t beta) = 0;
  virtual int64_t getBetaInt64() const = 0;
  virtual bool isAlphaBetaInt64() const = 0;
  virtual void setToType(DataType toType) = 0;
  virtual DataType getToType() const = 0;
};

class IOneHotLayer : public ILayer {
 public:
  virtual void setAxis(int32_t axis) = 0;
  virtual int32_t getAxis() const = 0;
};

class INonZeroLayer : public ILayer {
 public:
  virtual bool setIndicesType(DataType type) = 0;
  virtual DataType getIndicesType() const = 0;
};

// Inputs: boxes, scores, most boxes a class, threshold of overlap, threshold of scores.
class INMSLayer : public ILayer {
 public:
  virtual void setBoundingBoxFormat(BoundingBoxFormat fmt) = 0;
  virtual BoundingBoxFormat getBoundingBoxFormat() const = 0;
  virtual void setTopKBoxLimit(int32_t limit) = 0;
  virtual int32_t getTopKBoxLimit() const = 0;
  virtual bool setIndicesType(DataType type) = 0;
  virtual DataType getIndicesType() const = 0;
};

class IReverseSequenceLayer : public ILayer {
 public:
  virtual void setBatchAxis(int32_t batchAxis) = 0;
  virtual int32_t getBatchAxis() const = 0;
  virtual void setSequenceAxis(int32_t sequenceAxis) = 0;
  virtual int32_t getSequenceAxis() const = 0;
};

class IAssertionLayer : public ILayer {
 public:
  virtual void setMessage(char const* message) = 0;
  virtual char const* getMessage() const = 0;
};

}  // namespace nvinfer1

#endif
