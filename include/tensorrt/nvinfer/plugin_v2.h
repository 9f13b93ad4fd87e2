// Plugins of the second generation: named, versioned, made by a creator of the registry. Implemented by callers.
#ifndef PLANISH_TENSORRT_PLUGIN_V2_H
#define PLANISH_TENSORRT_PLUGIN_V2_H

#include "nvinfer/plugin_base.h"
#include "nvinfer/plugin_expr.h"

namespace nvinfer1 {

namespace door {
// Element type of a plugin's list of results.
#if PLANISH_TENSORRT_LAYOUT == 7
using PluginOutputs = void**;
#else
using PluginOutputs = void* const*;
#endif
// What getTensorRTVersion says: the generation in the top byte.
constexpr int32_t plugin_version(PluginVersion generation) {
  return static_cast<int32_t>(static_cast<uint32_t>(generation) << 24U |
                              (static_cast<uint32_t>(NV_TENSORRT_VERSION) & 0xFFFFFFU));
}
}  // namespace door

// Operands without their batch axis.
class IPluginV2 {
 public:
  virtual ~IPluginV2() = default;
  virtual int32_t getTensorRTVersion() const { return NV_TENSORRT_VERSION; }
  virtual AsciiChar const* getPluginType() const = 0;
  virtual AsciiChar const* getPluginVersion() const = 0;
  virtual int32_t getNbOutputs() const = 0;
  virtual Dims getOutputDimensions(int32_t index, Dims const* inputs, int32_t nbInputDims) = 0;
  virtual bool supportsFormat(DataType type, PluginFormat format) const = 0;
  virtual void configureWithFormat(Dims const* inputDims, int32_t nbInputs, Dims const* outputDims, int32_t nbOutputs,
                                   DataType type, PluginFormat format, int32_t maxBatchSize) = 0;
  virtual int32_t initialize() = 0;
  virtual void terminate() = 0;
  virtual size_t getWorkspaceSize(int32_t maxBatchSize) const = 0;
  virtual int32_t enqueue(int32_t batchSize, void const* const* inputs, door::PluginOutputs outputs, void* workspace,
                          cudaStream_t stream) = 0;
  virtual size_t getSerializationSize() const = 0;
  virtual void serialize(void* buffer) const = 0;
  virtual void destroy() = 0;
  virtual IPluginV2* clone() const = 0;
  virtual void setPluginNamespace(AsciiChar const* pluginNamespace) = 0;
  virtual AsciiChar const* getPluginNamespace() const = 0;
};

// Each operand and result has an element type of its own.
class IPluginV2Ext : public IPluginV2 {
 public:
  int32_t getTensorRTVersion() const override { return door::plugin_version(PluginVersion::kV2_EXT); }
  virtual DataType getOutputDataType(int32_t index, DataType const* inputTypes, int32_t nbInputs) const = 0;
  virtual bool isOutputBroadcastAcrossBatch(int32_t outputIndex, bool const* inputIsBroadcasted,
                                            int32_t nbInputs) const = 0;
  virtual bool canBroadcastInputAcrossBatch(int32_t inputIndex) const = 0;
  virtual void configurePlugin(Dims const* inputDims, int32_t nbInputs, Dims const* outputDims, int32_t nbOutputs,
                               DataType const* inputTypes, DataType const* outputTypes, bool const* inputIsBroadcast,
                               bool const* outputIsBroadcast, PluginFormat floatFormat, int32_t maxBatchSize) = 0;
  virtual void attachToContext(cudnnContext*, cublasContext*, IGpuAllocator*) {}
  virtual void detachFromContext() {}
  IPluginV2Ext* clone() const override = 0;

 protected:
  void configureWithFormat(Dims const*, int32_t, Dims const*, int32_t, DataType, PluginFormat, int32_t) override {}
};

// Each operand and result has a format of its own as well.
class IPluginV2IOExt : public IPluginV2Ext {
 public:
  virtual void configurePlugin(PluginTensorDesc const* in, int32_t nbInput, PluginTensorDesc const* out,
                               int32_t nbOutput) = 0;
  virtual bool supportsFormatCombination(int32_t pos, PluginTensorDesc const* inOut, int32_t nbInputs,
                                         int32_t nbOutputs) const = 0;
  int32_t getTensorRTVersion() const override { return door::plugin_version(PluginVersion::kV2_IOEXT); }

 protected:
  void configurePlugin(Dims const*, int32_t, Dims const*, int32_t, DataType const*, DataType const*, bool const*,
                       bool const*, PluginFormat, int32_t) override {}
  void configureWithFormat(Dims const*, int32_t, Dims const*, int32_t, DataType, PluginFormat, int32_t) override {}
  bool supportsFormat(DataType, PluginFormat) const override { return false; }
};

// Operands with all their axes, of extents that may change from call to call.
class IPluginV2DynamicExt : public IPluginV2Ext {
 public:
  static constexpr int32_t kFORMAT_COMBINATION_LIMIT = 100;
  IPluginV2DynamicExt* clone() const override = 0;
  virtual DimsExprs getOutputDimensions(int32_t outputIndex, DimsExprs const* inputs, int32_t nbInputs,
                                        IExprBuilder& exprBuilder) = 0;
  virtual bool supportsFormatCombination(int32_t pos, PluginTensorDesc const* inOut, int32_t nbInputs,
                                         int32_t nbOutputs) = 0;
  virtual void configurePlugin(DynamicPluginTensorDesc const* in, int32_t nbInputs, DynamicPluginTensorDesc const* out,
                               int32_t nbOutputs) = 0;
  virtual size_t getWorkspaceSize(PluginTensorDesc const* inputs, int32_t nbInputs, PluginTensorDesc const* outputs,
                                  int32_t nbOutputs) const = 0;
  virtual int32_t enqueue(PluginTensorDesc const* inputDesc, PluginTensorDesc const* outputDesc,
                          void const* const* inputs, void* const* outputs, void* workspace, cudaStream_t stream) = 0;
  int32_t getTensorRTVersion() const override { return door::plugin_version(PluginVersion::kV2_DYNAMICEXT); }

 protected:
  // Forms with a batch of its own mean nothing here.
  Dims getOutputDimensions(int32_t, Dims const*, int32_t) override { return Dims(); }
  bool isOutputBroadcastAcrossBatch(int32_t, bool const*, int32_t) const override { return false; }
  bool canBroadcastInputAcrossBatch(int32_t) const override { return true; }
  bool supportsFormat(DataType, PluginFormat) const override { return false; }
  void configurePlugin(Dims const*, int32_t, Dims const*, int32_t, DataType const*, DataType const*, bool const*,
                       bool const*, PluginFormat, int32_t) override {}
  size_t getWorkspaceSize(int32_t) const override { return 0; }
  int32_t enqueue(int32_t, void const* const*, door::PluginOutputs, void*, cudaStream_t) override { return 1; }
};

}  // namespace nvinfer1

#endif
