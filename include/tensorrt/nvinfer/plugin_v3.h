// Plugins of the third generation: a core, a building and a running part, each an interface of its own.
#ifndef PLANISH_TENSORRT_PLUGIN_V3_H
#define PLANISH_TENSORRT_PLUGIN_V3_H

#include "nvinfer/plugin_base.h"
#include "nvinfer/plugin_expr.h"

namespace nvinfer1 {

class IPluginCapability : public IVersionedInterface {};

class IPluginV3 : public IVersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN_V3", 1, 0}; }
  virtual IPluginCapability* getCapabilityInterface(PluginCapabilityType type) = 0;
  virtual IPluginV3* clone() = 0;
};

class IPluginV3OneCore : public IPluginCapability {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN_V3ONE_CORE", 1, 0}; }
  virtual AsciiChar const* getPluginName() const = 0;
  virtual AsciiChar const* getPluginVersion() const = 0;
  virtual AsciiChar const* getPluginNamespace() const = 0;
};

class IPluginV3OneBuild : public IPluginCapability {
 public:
  static constexpr int32_t kDEFAULT_FORMAT_COMBINATION_LIMIT = 100;
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN_V3ONE_BUILD", 1, 0}; }
  virtual int32_t configurePlugin(DynamicPluginTensorDesc const* in, int32_t nbInputs,
                                  DynamicPluginTensorDesc const* out, int32_t nbOutputs) = 0;
  virtual int32_t getOutputDataTypes(DataType* outputTypes, int32_t nbOutputs, DataType const* inputTypes,
                                     int32_t nbInputs) const = 0;
  virtual int32_t getOutputShapes(DimsExprs const* inputs, int32_t nbInputs, DimsExprs const* shapeInputs,
                                  int32_t nbShapeInputs, DimsExprs* outputs, int32_t nbOutputs,
                                  IExprBuilder& exprBuilder) = 0;
  virtual bool supportsFormatCombination(int32_t pos, DynamicPluginTensorDesc const* inOut, int32_t nbInputs,
                                         int32_t nbOutputs) = 0;
  virtual int32_t getNbOutputs() const = 0;
  virtual size_t getWorkspaceSize(DynamicPluginTensorDesc const*, int32_t, DynamicPluginTensorDesc const*,
                                  int32_t) const {
    return 0;
  }
  virtual int32_t getValidTactics(int32_t*, int32_t) { return 0; }
  virtual int32_t getNbTactics() { return 0; }
  virtual char const* getTimingCacheID() { return nullptr; }
  virtual int32_t getFormatCombinationLimit() { return kDEFAULT_FORMAT_COMBINATION_LIMIT; }
  virtual char const* getMetadataString() { return nullptr; }
};

class IPluginV3OneBuildV2 : public IPluginV3OneBuild {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN_V3ONE_BUILD", 2, 0}; }
  // The operand whose memory output `outputIndex` shares; -1: none.
  virtual int32_t getAliasedInput(int32_t) { return -1; }
};

class IPluginResourceContext : public INoCopy {
 public:
  virtual IGpuAllocator* getGpuAllocator() const = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
};

class IPluginV3OneRuntime : public IPluginCapability {
 public:
  InterfaceInfo getInterfaceInfo() const override { return InterfaceInfo{"PLUGIN_V3ONE_RUNTIME", 1, 0}; }
  virtual int32_t setTactic(int32_t) { return 0; }
  virtual int32_t onShapeChange(PluginTensorDesc const* in, int32_t nbInputs, PluginTensorDesc const* out,
                                int32_t nbOutputs) = 0;
  virtual int32_t enqueue(PluginTensorDesc const* inputDesc, PluginTensorDesc const* outputDesc,
                          void const* const* inputs, void* const* outputs, void* workspace, cudaStream_t stream) = 0;
  virtual IPluginV3* attachToContext(IPluginResourceContext* context) = 0;
  virtual PluginFieldCollection const* getFieldsToSerialize() = 0;
};

}  // namespace nvinfer1

#endif
