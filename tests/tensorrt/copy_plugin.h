// A plugin of the engine's stream: its result is its operand, copied on the stream that it is given.
#pragma once

#include <cuda_runtime_api.h>

#include "NvInfer.h"

// How it copies, and with how much workspace, is `Copy`: `static constexpr size_t kWorkspace`, and
// `static int32_t run(const void* from, void* to, size_t bytes, void* workspace, cudaStream_t)`, 0: done.
template <class Copy>
class CopyPlugin : public nvinfer1::IPluginV2DynamicExt {
 public:
  using Desc = nvinfer1::PluginTensorDesc;
  using DynamicDesc = nvinfer1::DynamicPluginTensorDesc;

  nvinfer1::IPluginV2DynamicExt* clone() const noexcept override { return new CopyPlugin(*this); }
  nvinfer1::DimsExprs getOutputDimensions(int32_t, const nvinfer1::DimsExprs* inputs, int32_t,
                                          nvinfer1::IExprBuilder&) noexcept override {
    return inputs[0];
  }
  bool supportsFormatCombination(int32_t at, const Desc* tensors, int32_t, int32_t) noexcept override {
    return tensors[at].type == nvinfer1::DataType::kFLOAT && tensors[at].format == nvinfer1::TensorFormat::kLINEAR;
  }
  void configurePlugin(const DynamicDesc*, int32_t, const DynamicDesc*, int32_t) noexcept override {}
  size_t getWorkspaceSize(const Desc*, int32_t, const Desc*, int32_t) const noexcept override {
    return Copy::kWorkspace;
  }
  int32_t enqueue(const Desc* operands, const Desc*, const void* const* inputs, void* const* outputs, void* workspace,
                  cudaStream_t stream) noexcept override {
    size_t bytes = sizeof(float);
    for (int32_t i = 0; i < operands[0].dims.nbDims; ++i) bytes *= static_cast<size_t>(operands[0].dims.d[i]);
    return Copy::run(inputs[0], outputs[0], bytes, workspace, stream);
  }
  nvinfer1::DataType getOutputDataType(int32_t, const nvinfer1::DataType* types, int32_t) const noexcept override {
    return types[0];
  }
  const char* getPluginType() const noexcept override { return "Copy"; }
  const char* getPluginVersion() const noexcept override { return "1"; }
  int32_t getNbOutputs() const noexcept override { return 1; }
  int32_t initialize() noexcept override { return 0; }
  void terminate() noexcept override {}
  size_t getSerializationSize() const noexcept override { return 0; }
  void serialize(void*) const noexcept override {}
  void destroy() noexcept override { delete this; }
  void setPluginNamespace(const char*) noexcept override {}
  const char* getPluginNamespace() const noexcept override { return ""; }
};

template <class Copy>
class CopyCreator : public nvinfer1::IPluginCreator {
 public:
  const char* getPluginName() const noexcept override { return "Copy"; }
  const char* getPluginVersion() const noexcept override { return "1"; }
  const nvinfer1::PluginFieldCollection* getFieldNames() noexcept override { return &fields_; }
  nvinfer1::IPluginV2* createPlugin(const char*, const nvinfer1::PluginFieldCollection*) noexcept override {
    return new CopyPlugin<Copy>;
  }
  nvinfer1::IPluginV2* deserializePlugin(const char*, const void*, size_t) noexcept override {
    return new CopyPlugin<Copy>;
  }
  void setPluginNamespace(const char*) noexcept override {}
  const char* getPluginNamespace() const noexcept override { return ""; }

 private:
  nvinfer1::PluginFieldCollection fields_{0, nullptr};
};
