// Layers that work on each element by itself.
#ifndef PLANISH_TENSORRT_LAYERS_POINTWISE_H
#define PLANISH_TENSORRT_LAYERS_POINTWISE_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

enum class ActivationType : int32_t {
  kRELU = 0,
  kSIGMOID = 1,
  kTANH = 2,
  kLEAKY_RELU = 3,
  kELU = 4,
  kSELU = 5,
  kSOFTSIGN = 6,
  kSOFTPLUS = 7,
  kCLIP = 8,
  kHARD_SIGMOID = 9,
  kSCALED_TANH = 10,
  kTHRESHOLDED_RELU = 11,
  kGELU_ERF = 12,
  kGELU_TANH = 13,
};
template <>
constexpr int32_t EnumMax<ActivationType>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 14 : 12;
}

enum class ScaleMode : int32_t { kUNIFORM = 0, kCHANNEL = 1, kELEMENTWISE = 2 };
template <>
constexpr int32_t EnumMax<ScaleMode>() {
  return 3;
}

enum class ElementWiseOperation : int32_t {
  kSUM = 0,
  kPROD = 1,
  kMAX = 2,
  kMIN = 3,
  kSUB = 4,
  kDIV = 5,
  kPOW = 6,
  kFLOOR_DIV = 7,
  kAND = 8,
  kOR = 9,
  kXOR = 10,
  kEQUAL = 11,
  kGREATER = 12,
  kLESS = 13,
};
template <>
constexpr int32_t EnumMax<ElementWiseOperation>() {
  return 14;
}

enum class UnaryOperation : int32_t {
  kEXP = 0,
  kLOG = 1,
  kSQRT = 2,
  kRECIP = 3,
  kABS = 4,
  kNEG = 5,
  kSIN = 6,
  kCOS = 7,
  kTAN = 8,
  kSINH = 9,
  kCOSH = 10,
  kASIN = 11,
  kACOS = 12,
  kATAN = 13,
  kASINH = 14,
  kACOSH = 15,
  kATANH = 16,
  kCEIL = 17,
  kFLOOR = 18,
  kERF = 19,
  kNOT = 20,
  kSIGN = 21,
  kROUND = 22,
  kISINF = 23,
  kISNAN = 24,
};
template <>
constexpr int32_t EnumMax<UnaryOperation>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 21 : PLANISH_TENSORRT_LAYOUT == 8 ? 24 : 25;
}

class IActivationLayer : public ILayer {
 public:
  virtual void setActivationType(ActivationType type) = 0;
  virtual ActivationType getActivationType() const = 0;
  virtual void setAlpha(float alpha) = 0;
  virtual void setBeta(float beta) = 0;
  virtual float getAlpha() const = 0;
  virtual float getBeta() const = 0;
};

// (x * scale + shift) ^ power; each of the three may be absent.
class IScaleLayer : public ILayer {
 public:
  virtual void setMode(ScaleMode mode) = 0;
  virtual ScaleMode getMode() const = 0;
  virtual void setShift(Weights shift) = 0;
  virtual Weights getShift() const = 0;
  virtual void setScale(Weights scale) = 0;
  virtual Weights getScale() const = 0;
  virtual void setPower(Weights power) = 0;
  virtual Weights getPower() const = 0;
  virtual int32_t getChannelAxis() const = 0;
  virtual void setChannelAxis(int32_t channelAxis) = 0;
};

class IElementWiseLayer : public ILayer {
 public:
  virtual void setOperation(ElementWiseOperation op) = 0;
  virtual ElementWiseOperation getOperation() const = 0;
};

class IUnaryLayer : public ILayer {
 public:
  virtual void setOperation(UnaryOperation op) = 0;
  virtual UnaryOperation getOperation() const = 0;
};

class IParametricReLULayer : public ILayer {};
class ISelectLayer : public ILayer {};
class IIdentityLayer : public ILayer {};

class ICastLayer : public ILayer {
 public:
  virtual void setToType(DataType toType) = 0;
  virtual DataType getToType() const = 0;
};

// Input 1: scale; input 2: zero point.
class IQuantizeLayer : public ILayer {
 public:
  virtual int32_t getAxis() const = 0;
  virtual void setAxis(int32_t axis) = 0;
  virtual bool setBlockShape(Dims const& blockShape) = 0;
  virtual Dims getBlockShape() const = 0;
  virtual void setToType(DataType toType) = 0;
  virtual DataType getToType() const = 0;
};

class IDequantizeLayer : public ILayer {
 public:
  virtual int32_t getAxis() const = 0;
  virtual void setAxis(int32_t axis) = 0;
  virtual bool setBlockShape(Dims const& blockShape) = 0;
  virtual Dims getBlockShape() const = 0;
  virtual void setToType(DataType toType) = 0;
  virtual DataType getToType() const = 0;
};

// Outputs: quantised data, the scales of its blocks. Input 1: scale of the scales.
class IDynamicQuantizeLayer : public ILayer {
 public:
  virtual void setToType(DataType toType) = 0;
  virtual DataType getToType() const = 0;
  virtual void setScaleType(DataType scaleType) = 0;
  virtual DataType getScaleType() const = 0;
  virtual void setAxis(int32_t axis) = 0;
  virtual int32_t getAxis() const = 0;
  virtual void setBlockSize(int32_t size) = 0;
  virtual int32_t getBlockSize() const = 0;
  virtual void setBlockShape(Dims const& blockShape) = 0;
  virtual Dims getBlockShape() const = 0;
};

}  // namespace nvinfer1

#endif
