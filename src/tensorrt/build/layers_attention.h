#pragma once
// Attention and what goes with it in language models.

#include <limits>
#include <string>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

class AttentionImpl;

// Operands: query, key, value, mask, scale of the normalised weights.
class AttentionLayer final : public LayerOf<nvinfer1::IAttentionOutputLayer> {
 public:
  AttentionLayer(NetworkImpl& network, AttentionImpl& owner, nvinfer1::ITensor& q, nvinfer1::ITensor& k,
                 nvinfer1::ITensor& v);
  nvinfer1::IAttention* getAttention() const override;
  void lower(Emit& emit) override;

  nvinfer1::AttentionNormalizationOp normalization = nvinfer1::AttentionNormalizationOp::kSOFTMAX;
  nvinfer1::CausalMaskKind causal = nvinfer1::CausalMaskKind::kNONE;
  nvinfer1::DataType quantized = nvinfer1::DataType::kINT8;

 private:
  Value mask(Emit& emit, Value q, Value k) const;
  AttentionImpl& attention;
};

class AttentionImpl final : public nvinfer1::IAttention {
 public:
  AttentionImpl() = default;
  bool setNormalizationOperation(nvinfer1::AttentionNormalizationOp op) override {
    return layer->set(layer->normalization, op);
  }
  nvinfer1::AttentionNormalizationOp getNormalizationOperation() const override { return layer->normalization; }
  bool setMask(nvinfer1::ITensor& mask) override { return setInput(3, mask); }
  nvinfer1::ITensor* getMask() override { return layer->operand(3); }
  bool setCausal(bool on) override {
    return setCausalKind(on ? nvinfer1::CausalMaskKind::kUPPER_LEFT : nvinfer1::CausalMaskKind::kNONE);
  }
  bool getCausal() const override { return layer->causal != nvinfer1::CausalMaskKind::kNONE; }
  bool setCausalKind(nvinfer1::CausalMaskKind kind) override { return layer->set(layer->causal, kind); }
  nvinfer1::CausalMaskKind getCausalKind() const override { return layer->causal; }
  bool setDecomposable(bool on) override { return decomposable = on, true; }
  bool getDecomposable() const override { return decomposable; }
  bool setInput(int32_t index, nvinfer1::ITensor& input) override { return layer->set_input(index, input); }
  int32_t getNbInputs() const override { return layer->getNbInputs(); }
  nvinfer1::ITensor* getInput(int32_t index) const override { return layer->getInput(index); }
  int32_t getNbOutputs() const override { return 1; }
  nvinfer1::ITensor* getOutput(int32_t index) const override { return layer->getOutput(index); }
  bool setName(char const* text) override { return layer->setName(text), text != nullptr; }
  char const* getName() const override { return layer->getName(); }
  bool setNormalizationQuantizeScale(nvinfer1::ITensor& tensor) override { return setInput(4, tensor); }
  nvinfer1::ITensor* getNormalizationQuantizeScale() const override { return layer->operand(4); }
  bool setNormalizationQuantizeToType(nvinfer1::DataType type) override { return layer->set(layer->quantized, type); }
  nvinfer1::DataType getNormalizationQuantizeToType() const override { return layer->quantized; }
  bool setMetadata(char const* text) override { return layer->setMetadata(text), text != nullptr; }
  char const* getMetadata() const override { return layer->getMetadata(); }
  bool setNbRanks(int32_t ranks) override { return ranks == 1; }
  int32_t getNbRanks() const override { return 1; }

  AttentionLayer* layer = nullptr;

 private:
  bool decomposable = false;
};

// Operands: x, cosines, sines, positions (may be absent).
class RotaryEmbeddingLayer final : public LayerOf<nvinfer1::IRotaryEmbeddingLayer> {
 public:
  RotaryEmbeddingLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::ITensor& cosines, nvinfer1::ITensor& sines,
                       bool pairs, int32_t turned)
      : Base(network, nvinfer1::LayerType::kROTARY_EMBEDDING), interleaved(pairs), size(turned) {
    for (nvinfer1::ITensor* tensor : {&x, &cosines, &sines}) add_operand(*tensor);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(bool, Interleaved, interleaved, false)
  bool setRotaryEmbeddingDim(int32_t value) override { return set(size, value), value >= 0; }
  int32_t getRotaryEmbeddingDim() const override { return size; }

 private:
  int32_t size;
};

// The result is the cache with the update written into it; it has memory of its own unless its binding is the cache's.
class CacheUpdateLayer final : public LayerOf<nvinfer1::IKVCacheUpdateLayer> {
 public:
  CacheUpdateLayer(NetworkImpl& network, nvinfer1::ITensor& cache, nvinfer1::ITensor& update,
                   nvinfer1::ITensor& positions)
      : Base(network, nvinfer1::LayerType::kKVCACHE_UPDATE) {
    for (nvinfer1::ITensor* tensor : {&cache, &update, &positions}) add_operand(*tensor);
  }
  void lower(Emit& emit) override;
  bool setCacheMode(nvinfer1::KVCacheMode mode) override { return mode == nvinfer1::KVCacheMode::kLINEAR; }
  nvinfer1::KVCacheMode getCacheMode() const override { return nvinfer1::KVCacheMode::kLINEAR; }
};

// Operands: hidden states [B, S, D], experts and their scores [B, S, K], weights [E, D, I], [E, D, I], [E, I, D],
// biases [E, I], [E, I], [E, D], scale of what enters the last product.
class MoELayer final : public LayerOf<nvinfer1::IMoELayer> {
 public:
  MoELayer(NetworkImpl& network, nvinfer1::ITensor& hidden, nvinfer1::ITensor& experts, nvinfer1::ITensor& scores)
      : Base(network, nvinfer1::LayerType::kMOE) {
    for (nvinfer1::ITensor* tensor : {&hidden, &experts, &scores}) add_operand(*tensor);
  }
  void lower(Emit& emit) override;
  void setGatedWeights(nvinfer1::ITensor& gate, nvinfer1::ITensor& up, nvinfer1::ITensor& down,
                       nvinfer1::MoEActType type) override {
    set_three(3, gate, up, down);
    set(activation, type);
  }
  void setGatedBiases(nvinfer1::ITensor& gate, nvinfer1::ITensor& up, nvinfer1::ITensor& down) override {
    set_three(6, gate, up, down);
  }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::MoEActType, ActivationType, activation, nvinfer1::MoEActType::kNONE)
  void setQuantizationStatic(nvinfer1::ITensor& scale, nvinfer1::DataType type) override {
    set_operand(9, &scale);
    set(quantized, type);
    dynamic = false;
  }
  void setQuantizationDynamicDblQ(nvinfer1::ITensor& scale, nvinfer1::DataType type, nvinfer1::Dims const& shape,
                                  nvinfer1::DataType scale_type) override {
    set_operand(9, &scale);
    set(quantized, type);
    block = shape, block_scale = scale_type;
    dynamic = true;
  }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, QuantizationToType, quantized, nvinfer1::DataType::kFLOAT)
  void setQuantizationBlockShape(nvinfer1::Dims const& shape) override { set(block, shape); }
  nvinfer1::Dims getQuantizationBlockShape() const override { return block; }
  PLANISH_TENSORRT_PROPERTY(nvinfer1::DataType, DynQOutputScaleType, block_scale, nvinfer1::DataType::kFLOAT)
  void setSwigluParams(float cap, float slope, float shift) override {
    set(limit, cap);
    alpha = slope, beta = shift;
  }
  PLANISH_TENSORRT_PROPERTY(float, SwigluParamLimit, limit, std::numeric_limits<float>::infinity())
  PLANISH_TENSORRT_PROPERTY(float, SwigluParamAlpha, alpha, 1)
  PLANISH_TENSORRT_PROPERTY(float, SwigluParamBeta, beta, 0)

 private:
  void set_three(size_t first, nvinfer1::ITensor& a, nvinfer1::ITensor& b, nvinfer1::ITensor& c) {
    set_operand(first, &a);
    set_operand(first + 1, &b);
    set_operand(first + 2, &c);
  }
  Value gated(Emit& emit, Value gate, Value up) const;
  nvinfer1::Dims block = no_dims();
  bool dynamic = false;
};

}  // namespace planish::tensorrt
