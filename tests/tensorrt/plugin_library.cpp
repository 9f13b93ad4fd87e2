// A library of plugins as people write it: HSwish (IPluginV2DynamicExt and its creator, registered by a static object)
// and, beside it, OffsetScale, which getCreators lists.

#include <cstring>
#include <string>
#include <vector>

#include "implementers.h"

namespace {

using namespace nvinfer1;

int64_t volume(const Dims& dims) {
  int64_t count = 1;
  for (int i = 0; i < dims.nbDims; ++i) count *= dims.d[i];
  return count;
}

// What both plugins have in common: one operand, one result of its extents, fp32 in linear format.
template <class Derived>
class Elementwise : public IPluginV2DynamicExt {
 public:
  int getNbOutputs() const NX override { return 1; }
  DimsExprs getOutputDimensions(int, const DimsExprs* inputs, int, IExprBuilder&) NX override { return inputs[0]; }
  int initialize() NX override { return 0; }
  void terminate() NX override {}
  size_t getWorkspaceSize(const PluginTensorDesc*, int, const PluginTensorDesc*, int) const NX override { return 0; }
  bool supportsFormatCombination(int pos, const PluginTensorDesc* inOut, int, int) NX override {
    return inOut[pos].format == TensorFormat::kLINEAR && inOut[pos].type == DataType::kFLOAT;
  }
  void configurePlugin(const DynamicPluginTensorDesc*, int, const DynamicPluginTensorDesc*, int) NX override {
    configured = true;
  }
  DataType getOutputDataType(int, const DataType* types, int) const NX override { return types[0]; }
  const char* getPluginVersion() const NX override { return "1"; }
  void destroy() NX override { delete static_cast<Derived*>(this); }
  IPluginV2DynamicExt* clone() const NX override { return new Derived(static_cast<const Derived&>(*this)); }
  void setPluginNamespace(const char* text) NX override { space = text; }
  const char* getPluginNamespace() const NX override { return space.c_str(); }

 protected:
  bool configured = false;
  std::string space;
};

// x * min(max(x + 3, 0), 6) / 6
class HSwish : public Elementwise<HSwish> {
 public:
  const char* getPluginType() const NX override { return "HSwish"; }
  size_t getSerializationSize() const NX override { return sizeof configured; }
  void serialize(void* buffer) const NX override { std::memcpy(buffer, &configured, sizeof configured); }
  void read(const void* data) { std::memcpy(&configured, data, sizeof configured); }
  int enqueue(const PluginTensorDesc* in, const PluginTensorDesc*, const void* const* inputs, void* const* outputs,
              void*, cudaStream_t) NX override {
    if (!configured) return 1;
    const float* x = static_cast<const float*>(inputs[0]);
    float* y = static_cast<float*>(outputs[0]);
    for (int64_t i = 0; i < volume(in[0].dims); ++i) {
      const float ramp = x[i] + 3 < 0 ? 0 : x[i] + 3 > 6 ? 6 : x[i] + 3;
      y[i] = x[i] * ramp / 6;
    }
    return 0;
  }
};

// scale * x + sum of the offsets, and nothing for a mode that is not "sum"
class OffsetScale : public Elementwise<OffsetScale> {
 public:
  const char* getPluginType() const NX override { return "OffsetScale"; }
  size_t getSerializationSize() const NX override { return 2 * sizeof(float); }
  void serialize(void* buffer) const NX override {
    const float values[] = {scale, offset};
    std::memcpy(buffer, values, sizeof values);
  }
  void read(const void* data) {
    float values[2];
    std::memcpy(values, data, sizeof values);
    scale = values[0], offset = values[1];
  }
  int enqueue(const PluginTensorDesc* in, const PluginTensorDesc*, const void* const* inputs, void* const* outputs,
              void*, cudaStream_t) NX override {
    for (int64_t i = 0; i < volume(in[0].dims); ++i)
      static_cast<float*>(outputs[0])[i] = scale * static_cast<const float*>(inputs[0])[i] + offset;
    return 0;
  }
  float scale = 1, offset = 0;
};

template <class Made>
class ElementwiseCreator : public IPluginCreator {
 public:
  const char* getPluginVersion() const NX override { return "1"; }
  IPluginV2* deserializePlugin(const char*, const void* data, size_t) NX override {
    auto* plugin = new Made;
    plugin->read(data);
    return plugin;
  }
  void setPluginNamespace(const char* text) NX override { space = text; }
  const char* getPluginNamespace() const NX override { return space.c_str(); }

 protected:
  std::string space;
};

class HSwishCreator : public ElementwiseCreator<HSwish> {
 public:
  const char* getPluginName() const NX override { return "HSwish"; }
  const PluginFieldCollection* getFieldNames() NX override { return &none; }
  IPluginV2* createPlugin(const char*, const PluginFieldCollection*) NX override { return new HSwish; }

 private:
  PluginFieldCollection none{0, nullptr};
};

class OffsetScaleCreator : public ElementwiseCreator<OffsetScale> {
 public:
  OffsetScaleCreator() {
    fields.emplace_back("scale", nullptr, PluginFieldType::kFLOAT32, 1);
    fields.emplace_back("offsets", nullptr, PluginFieldType::kINT32, 1);
    fields.emplace_back("weights", nullptr, PluginFieldType::kFLOAT32, 1);
    fields.emplace_back("mode", nullptr, PluginFieldType::kCHAR, 1);
    all.nbFields = static_cast<int32_t>(fields.size());
    all.fields = fields.data();
  }
  const char* getPluginName() const NX override { return "OffsetScale"; }
  const PluginFieldCollection* getFieldNames() NX override { return &all; }
  IPluginV2* createPlugin(const char*, const PluginFieldCollection* given) NX override {
    auto* plugin = new OffsetScale;
    bool sums = false;
    for (int i = 0; i < given->nbFields; ++i) {
      const PluginField& field = given->fields[i];
      const std::string name = field.name;
      if (name == "scale") plugin->scale = *static_cast<const float*>(field.data);
      if (name == "mode")
        sums = std::string(static_cast<const char*>(field.data), static_cast<size_t>(field.length)) == "sum";
      for (int k = 0; name == "offsets" && k < field.length; ++k)
        plugin->offset += static_cast<float>(static_cast<const int32_t*>(field.data)[k]);
      for (int k = 0; name == "weights" && k < field.length; ++k)
        plugin->offset += static_cast<const float*>(field.data)[k];
    }
    if (sums) return plugin;
    delete plugin;
    return nullptr;
  }

 private:
  std::vector<PluginField> fields;
  PluginFieldCollection all{0, nullptr};
};

REGISTER_TENSORRT_PLUGIN(HSwishCreator);

OffsetScaleCreator offset_scale;
IPluginCreatorInterface* creators[] = {&offset_scale};

}  // namespace

extern "C" __attribute__((visibility("default"))) IPluginCreatorInterface* const* getCreators(int32_t& count) {
  count = 1;
  return creators;
}
