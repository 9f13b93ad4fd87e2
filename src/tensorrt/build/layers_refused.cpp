// Layers that nothing here computes yet: they are refused when they are added, by name.

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

template <class Layer>
Layer* refused(const NetworkImpl& network, const char* call, const char* why) {
  network.reporter().error(nvinfer1::ErrorCode::kUNSUPPORTED_STATE, std::string(call) + ": " + why);
  return nullptr;
}

}  // namespace

nvinfer1::IDynamicQuantizeLayer* NetworkImpl::addDynamicQuantize(nvinfer1::ITensor&, int32_t, int32_t,
                                                                 nvinfer1::DataType, nvinfer1::DataType) {
  return refused<nvinfer1::IDynamicQuantizeLayer>(*this, "addDynamicQuantize", "block scales are not computed here");
}
nvinfer1::IDynamicQuantizeLayer* NetworkImpl::addDynamicQuantizeV2(nvinfer1::ITensor&, nvinfer1::Dims const&,
                                                                   nvinfer1::DataType, nvinfer1::DataType) {
  return refused<nvinfer1::IDynamicQuantizeLayer>(*this, "addDynamicQuantizeV2", "block scales are not computed here");
}
nvinfer1::IDistCollectiveLayer* NetworkImpl::addDistCollective(nvinfer1::ITensor&, nvinfer1::CollectiveOperation,
                                                               nvinfer1::ReduceOperation, int64_t, int64_t*, int64_t) {
  return refused<nvinfer1::IDistCollectiveLayer>(*this, "addDistCollective", "an engine runs on one device");
}
nvinfer1::ILoop* NetworkImpl::addLoop() { return refused<nvinfer1::ILoop>(*this, "addLoop", "loops by calls are not built; ONNX models may have them"); }
nvinfer1::IIfConditional* NetworkImpl::addIfConditional() {
  return refused<nvinfer1::IIfConditional>(*this, "addIfConditional", "branches by calls are not built; ONNX models may have them");
}
nvinfer1::IRNNLayer* NetworkImpl::addRNN(nvinfer1::ITensor&, int, size_t, int, nvinfer1::RNNOperation,
                                         nvinfer1::RNNInputMode, nvinfer1::RNNDirection, nvinfer1::Weights,
                                         nvinfer1::Weights) {
  return refused<nvinfer1::IRNNLayer>(*this, "addRNN", "weights in one list are not taken");
}
nvinfer1::IRNNv2Layer* NetworkImpl::addRNNv2(nvinfer1::ITensor&, int32_t, int32_t, int32_t, nvinfer1::RNNOperation) {
  return refused<nvinfer1::IRNNv2Layer>(*this, "addRNNv2", "recurrent layers by calls are not built; ONNX models may have them");
}
nvinfer1::IAttention* NetworkImpl::addAttention(nvinfer1::ITensor&, nvinfer1::ITensor&, nvinfer1::ITensor&,
                                                nvinfer1::AttentionNormalizationOp, bool) {
  return refused<nvinfer1::IAttention>(*this, "addAttention", "write it as products and a softmax; they are fused");
}
nvinfer1::IAttention* NetworkImpl::addAttentionV2(nvinfer1::ITensor&, nvinfer1::ITensor&, nvinfer1::ITensor&,
                                                  nvinfer1::AttentionNormalizationOp, nvinfer1::CausalMaskKind) {
  return refused<nvinfer1::IAttention>(*this, "addAttentionV2", "write it as products and a softmax; they are fused");
}
nvinfer1::IRotaryEmbeddingLayer* NetworkImpl::addRotaryEmbedding(nvinfer1::ITensor&, nvinfer1::ITensor&,
                                                                 nvinfer1::ITensor&, bool, int32_t) {
  return refused<nvinfer1::IRotaryEmbeddingLayer>(*this, "addRotaryEmbedding", "write it as products and sums");
}
nvinfer1::IKVCacheUpdateLayer* NetworkImpl::addKVCacheUpdate(nvinfer1::ITensor&, nvinfer1::ITensor&, nvinfer1::ITensor&,
                                                             nvinfer1::KVCacheMode) {
  return refused<nvinfer1::IKVCacheUpdateLayer>(*this, "addKVCacheUpdate", "outputs that share an input's memory are not offered");
}
nvinfer1::IMoELayer* NetworkImpl::addMoE(nvinfer1::ITensor&, nvinfer1::ITensor&, nvinfer1::ITensor&) {
  return refused<nvinfer1::IMoELayer>(*this, "addMoE", "write it as gathers and products");
}
nvinfer1::IPluginLayer* NetworkImpl::addPlugin(nvinfer1::ITensor* const*, int32_t, nvinfer1::IPlugin&) {
  return refused<nvinfer1::IPluginLayer>(*this, "addPlugin", "plugins are not run yet");
}
nvinfer1::IPluginLayer* NetworkImpl::addPluginExt(nvinfer1::ITensor* const*, int32_t, nvinfer1::IPluginExt&) {
  return refused<nvinfer1::IPluginLayer>(*this, "addPluginExt", "plugins are not run yet");
}
nvinfer1::IPluginV2Layer* NetworkImpl::addPluginV2(nvinfer1::ITensor* const*, int32_t, nvinfer1::IPluginV2&) {
  return refused<nvinfer1::IPluginV2Layer>(*this, "addPluginV2", "plugins are not run yet");
}
nvinfer1::IPluginV3Layer* NetworkImpl::addPluginV3(nvinfer1::ITensor* const*, int32_t, nvinfer1::ITensor* const*,
                                                   int32_t, nvinfer1::IPluginV3&) {
  return refused<nvinfer1::IPluginV3Layer>(*this, "addPluginV3", "plugins are not run yet");
}

}  // namespace planish::tensorrt
