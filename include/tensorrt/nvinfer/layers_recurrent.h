// Recurrent layers up to major 9.
#ifndef PLANISH_TENSORRT_LAYERS_RECURRENT_H
#define PLANISH_TENSORRT_LAYERS_RECURRENT_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

enum class RNNOperation : int32_t { kRELU = 0, kTANH = 1, kLSTM = 2, kGRU = 3 };
template <>
constexpr int32_t EnumMax<RNNOperation>() {
  return 4;
}

enum class RNNDirection : int32_t { kUNIDIRECTION = 0, kBIDIRECTION = 1 };
template <>
constexpr int32_t EnumMax<RNNDirection>() {
  return 2;
}

// kSKIP: the first layer takes its input as it is, without weights.
enum class RNNInputMode : int32_t { kLINEAR = 0, kSKIP = 1 };
template <>
constexpr int32_t EnumMax<RNNInputMode>() {
  return 2;
}

enum class RNNGateType : int32_t {
  kINPUT = 0,
  kOUTPUT = 1,
  kFORGET = 2,
  kUPDATE = 3,
  kRESET = 4,
  kCELL = 5,
  kHIDDEN = 6,
};
template <>
constexpr int32_t EnumMax<RNNGateType>() {
  return 7;
}

// All weights in one list: for each layer and direction those of the input, then of the recurrence, gate by gate.
class IRNNLayer : public ILayer {
 public:
  virtual unsigned getLayerCount() const = 0;
  virtual size_t getHiddenSize() const = 0;
  virtual int getSeqLength() const = 0;
  virtual void setOperation(RNNOperation op) = 0;
  virtual RNNOperation getOperation() const = 0;
  virtual void setInputMode(RNNInputMode op) = 0;
  virtual RNNInputMode getInputMode() const = 0;
  virtual void setDirection(RNNDirection op) = 0;
  virtual RNNDirection getDirection() const = 0;
  virtual void setWeights(Weights weights) = 0;
  virtual Weights getWeights() const = 0;
  virtual void setBias(Weights bias) = 0;
  virtual Weights getBias() const = 0;
  virtual int getDataLength() const = 0;
  virtual void setHiddenState(ITensor& hidden) = 0;
  virtual ITensor* getHiddenState() const = 0;
  virtual void setCellState(ITensor& cell) = 0;
  virtual ITensor* getCellState() const = 0;
};

// Weights gate by gate.
class IRNNv2Layer : public ILayer {
 public:
  virtual int32_t getLayerCount() const = 0;
  virtual int32_t getHiddenSize() const = 0;
  virtual int32_t getMaxSeqLength() const = 0;
  virtual int32_t getDataLength() const = 0;
  virtual void setSequenceLengths(ITensor& seqLengths) = 0;
  virtual ITensor* getSequenceLengths() const = 0;
  virtual void setOperation(RNNOperation op) = 0;
  virtual RNNOperation getOperation() const = 0;
  virtual void setInputMode(RNNInputMode op) = 0;
  virtual RNNInputMode getInputMode() const = 0;
  virtual void setDirection(RNNDirection op) = 0;
  virtual RNNDirection getDirection() const = 0;
  virtual void setWeightsForGate(int32_t layerIndex, RNNGateType gate, bool isW, Weights weights) = 0;
  virtual Weights getWeightsForGate(int32_t layerIndex, RNNGateType gate, bool isW) const = 0;
  virtual void setBiasForGate(int32_t layerIndex, RNNGateType gate, bool isW, Weights bias) = 0;
  virtual Weights getBiasForGate(int32_t layerIndex, RNNGateType gate, bool isW) const = 0;
  virtual void setHiddenState(ITensor& hidden) = 0;
  virtual ITensor* getHiddenState() const = 0;
  virtual void setCellState(ITensor& cell) = 0;
  virtual ITensor* getCellState() const = 0;
};

}  // namespace nvinfer1

#endif
