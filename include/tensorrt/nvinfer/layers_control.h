// Loops and branches: layers between their boundary layers belong to them.
#ifndef PLANISH_TENSORRT_LAYERS_CONTROL_H
#define PLANISH_TENSORRT_LAYERS_CONTROL_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

enum class LoopOutput : int32_t { kLAST_VALUE = 0, kCONCATENATE = 1, kREVERSE = 2 };
template <>
constexpr int32_t EnumMax<LoopOutput>() {
  return 3;
}

enum class TripLimit : int32_t { kCOUNT = 0, kWHILE = 1 };
template <>
constexpr int32_t EnumMax<TripLimit>() {
  return 2;
}

class ILoop;
class IIfConditional;

class ILoopBoundaryLayer : public ILayer {
 public:
  virtual ILoop* getLoop() const = 0;
};

// Input 0: the first value; input 1: the next.
class IRecurrenceLayer : public ILoopBoundaryLayer {};

// Input 1 of a concatenation: its length.
class ILoopOutputLayer : public ILoopBoundaryLayer {
 public:
  virtual LoopOutput getLoopOutput() const = 0;
  virtual void setAxis(int32_t axis) = 0;
  virtual int32_t getAxis() const = 0;
};

class ITripLimitLayer : public ILoopBoundaryLayer {
 public:
  virtual TripLimit getTripLimit() const = 0;
};

class IIteratorLayer : public ILoopBoundaryLayer {
 public:
  virtual void setAxis(int32_t axis) = 0;
  virtual int32_t getAxis() const = 0;
  virtual void setReverse(bool reverse) = 0;
  virtual bool getReverse() const = 0;
};

class ILoop : public INoCopy {
 public:
  virtual IRecurrenceLayer* addRecurrence(ITensor& initialValue) = 0;
  virtual ITripLimitLayer* addTripLimit(ITensor& tensor, TripLimit limit) = 0;
  virtual IIteratorLayer* addIterator(ITensor& tensor, int32_t axis = 0, bool reverse = false) = 0;
  virtual ILoopOutputLayer* addLoopOutput(ITensor& tensor, LoopOutput outputKind, int32_t axis = 0) = 0;
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
};

class IIfConditionalBoundaryLayer : public ILayer {
 public:
  virtual IIfConditional* getConditional() const = 0;
};
class IConditionLayer : public IIfConditionalBoundaryLayer {};
class IIfConditionalInputLayer : public IIfConditionalBoundaryLayer {};
class IIfConditionalOutputLayer : public IIfConditionalBoundaryLayer {};

class IIfConditional : public INoCopy {
 public:
  virtual IConditionLayer* setCondition(ITensor& condition) = 0;
  virtual IIfConditionalInputLayer* addInput(ITensor& input) = 0;
  virtual IIfConditionalOutputLayer* addOutput(ITensor& trueSubgraphOutput, ITensor& falseSubgraphOutput) = 0;
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
};

}  // namespace nvinfer1

#endif
