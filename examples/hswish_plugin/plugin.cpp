// The plugin HSwish, version 1, as a library that programs and tools load: IPluginRegistry::loadLibrary, --plugins.

#include <cstring>
#include <new>
#include <string>

#include "NvInfer.h"
#include "compute.h"

namespace {

using namespace nvinfer1;

class HSwish : public IPluginV2DynamicExt {
 public:
  IPluginV2DynamicExt* clone() const noexcept override {
    auto* copy = new (std::nothrow) HSwish;
    if (copy != nullptr) copy->setPluginNamespace(space_.c_str());
    return copy;
  }
  DimsExprs getOutputDimensions(int32_t, DimsExprs const* inputs, int32_t, IExprBuilder&) noexcept override {
    return inputs[0];
  }
  bool supportsFormatCombination(int32_t position, PluginTensorDesc const* all, int32_t, int32_t) noexcept override {
    return all[position].type == DataType::kFLOAT && all[position].format == TensorFormat::kLINEAR;
  }
  void configurePlugin(DynamicPluginTensorDesc const*, int32_t, DynamicPluginTensorDesc const*,
                       int32_t) noexcept override {}
  size_t getWorkspaceSize(PluginTensorDesc const*, int32_t, PluginTensorDesc const*, int32_t) const noexcept override {
    return 0;
  }
  int32_t enqueue(PluginTensorDesc const* in, PluginTensorDesc const*, void const* const* inputs, void* const* outputs,
                  void*, cudaStream_t stream) noexcept override {
    size_t count = 1;
    for (int i = 0; i < in[0].dims.nbDims; ++i) count *= static_cast<size_t>(in[0].dims.d[i]);
    return hswish(static_cast<const float*>(inputs[0]), static_cast<float*>(outputs[0]), count, stream);
  }
  DataType getOutputDataType(int32_t, DataType const* types, int32_t) const noexcept override { return types[0]; }
  char const* getPluginType() const noexcept override { return "HSwish"; }
  char const* getPluginVersion() const noexcept override { return "1"; }
  int32_t getNbOutputs() const noexcept override { return 1; }
  int32_t initialize() noexcept override { return 0; }
  void terminate() noexcept override {}
  size_t getSerializationSize() const noexcept override { return 0; }
  void serialize(void*) const noexcept override {}
  void destroy() noexcept override { delete this; }
  void setPluginNamespace(char const* space) noexcept override { space_ = space == nullptr ? "" : space; }
  char const* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  std::string space_;
};

class HSwishCreator : public IPluginCreator {
 public:
  char const* getPluginName() const noexcept override { return "HSwish"; }
  char const* getPluginVersion() const noexcept override { return "1"; }
  PluginFieldCollection const* getFieldNames() noexcept override {
    static const PluginFieldCollection none{0, nullptr};
    return &none;
  }
  IPluginV2* createPlugin(char const*, PluginFieldCollection const*) noexcept override { return made(); }
  IPluginV2* deserializePlugin(char const*, void const*, size_t size) noexcept override {
    return size == 0 ? made() : nullptr;
  }
  void setPluginNamespace(char const* space) noexcept override { space_ = space == nullptr ? "" : space; }
  char const* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  IPluginV2* made() const {
    auto* plugin = new (std::nothrow) HSwish;
    if (plugin != nullptr) plugin->setPluginNamespace(space_.c_str());
    return plugin;
  }
  std::string space_;
};

REGISTER_TENSORRT_PLUGIN(HSwishCreator);

}  // namespace
