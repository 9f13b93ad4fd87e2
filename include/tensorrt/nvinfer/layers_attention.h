// Attention, and what goes with it in language models.
#ifndef PLANISH_TENSORRT_LAYERS_ATTENTION_H
#define PLANISH_TENSORRT_LAYERS_ATTENTION_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

enum class AttentionNormalizationOp : int32_t { kNONE = 0, kSOFTMAX = 1 };
template <>
constexpr int32_t EnumMax<AttentionNormalizationOp>() {
  return 2;
}
enum class KVCacheMode : int32_t { kLINEAR = 0 };
template <>
constexpr int32_t EnumMax<KVCacheMode>() {
  return 1;
}
enum class MoEActType : int32_t { kNONE = 0, kSILU = 1 };
template <>
constexpr int32_t EnumMax<MoEActType>() {
  return 2;
}
enum class CausalMaskKind : int32_t { kNONE = 0, kUPPER_LEFT = 1, kLOWER_RIGHT = 2 };
enum class AttentionIOForm : int32_t { kPADDED_BHND = 0, kPACKED_NHD = 1 };

class IAttention;

class IAttentionBoundaryLayer : public ILayer {
 public:
  virtual IAttention* getAttention() const = 0;
};
class IAttentionInputLayer : public IAttentionBoundaryLayer {};
class IAttentionOutputLayer : public IAttentionBoundaryLayer {};

// Queries, keys and values as [batch, heads, length, width].
class IAttention : public INoCopy {
 public:
  virtual bool setNormalizationOperation(AttentionNormalizationOp op) = 0;
  virtual AttentionNormalizationOp getNormalizationOperation() const = 0;
  virtual bool setMask(ITensor& mask) = 0;
  virtual ITensor* getMask() = 0;
  virtual bool setCausal(bool isCausal) = 0;
  virtual bool getCausal() const = 0;
  virtual bool setCausalKind(CausalMaskKind kind) = 0;
  virtual CausalMaskKind getCausalKind() const = 0;
  virtual bool setDecomposable(bool decomposable) = 0;
  virtual bool getDecomposable() const = 0;
  virtual bool setInput(int32_t index, ITensor& input) = 0;
  virtual int32_t getNbInputs() const = 0;
  virtual ITensor* getInput(int32_t index) const = 0;
  virtual int32_t getNbOutputs() const = 0;
  virtual ITensor* getOutput(int32_t index) const = 0;
  virtual bool setName(char const* name) = 0;
  virtual char const* getName() const = 0;
  virtual bool setNormalizationQuantizeScale(ITensor& tensor) = 0;
  virtual ITensor* getNormalizationQuantizeScale() const = 0;
  virtual bool setNormalizationQuantizeToType(DataType type) = 0;
  virtual DataType getNormalizationQuantizeToType() const = 0;
  virtual bool setMetadata(char const* metadata) = 0;
  virtual char const* getMetadata() const = 0;
  virtual bool setNbRanks(int32_t nbRanks) = 0;
  virtual int32_t getNbRanks() const = 0;
};

// Inputs: data, cosines, sines, positions.
class IRotaryEmbeddingLayer : public ILayer {
 public:
  virtual void setInterleaved(bool interleaved) = 0;
  virtual bool getInterleaved() const = 0;
  virtual bool setRotaryEmbeddingDim(int32_t rotaryEmbeddingDim) = 0;
  virtual int32_t getRotaryEmbeddingDim() const = 0;
};

class IKVCacheUpdateLayer : public ILayer {
 public:
  virtual bool setCacheMode(KVCacheMode cacheMode) = 0;
  virtual KVCacheMode getCacheMode() const = 0;
};

class IMoELayer : public ILayer {
 public:
  virtual void setGatedWeights(ITensor& fcGateWeights, ITensor& fcUpWeights, ITensor& fcDownWeights,
                               MoEActType activationType) = 0;
  virtual void setGatedBiases(ITensor& fcGateBiases, ITensor& fcUpBiases, ITensor& fcDownBiases) = 0;
  virtual void setActivationType(MoEActType activationType) = 0;
  virtual MoEActType getActivationType() const = 0;
  virtual void setQuantizationStatic(ITensor& fcDownActivationScale, DataType dataType) = 0;
  virtual void setQuantizationDynamicDblQ(ITensor& fcDownActivationDblQScale, DataType dataType, Dims const& blockShape,
                                          DataType dynQOutputScaleType) = 0;
  virtual void setQuantizationToType(DataType type) = 0;
  virtual DataType getQuantizationToType() const = 0;
  virtual void setQuantizationBlockShape(Dims const& blockShape) = 0;
  virtual Dims getQuantizationBlockShape() const = 0;
  virtual void setDynQOutputScaleType(DataType type) = 0;
  virtual DataType getDynQOutputScaleType() const = 0;
  virtual void setSwigluParams(float limit, float alpha, float beta) = 0;
  virtual void setSwigluParamLimit(float limit) = 0;
  virtual float getSwigluParamLimit() const = 0;
  virtual void setSwigluParamAlpha(float alpha) = 0;
  virtual float getSwigluParamAlpha() const = 0;
  virtual void setSwigluParamBeta(float beta) = 0;
  virtual float getSwigluParamBeta() const = 0;
};

}  // namespace nvinfer1

#endif
