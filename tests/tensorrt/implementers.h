// Classes that programs of each era derive from the interface, with the signatures of their era: NX is noexcept since
// major 8, OUTPUTS the list of a plugin's results.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "NvInferPlugin.h"

#if NV_TENSORRT_MAJOR >= 8
#define NX noexcept
#define OUTPUTS void* const*
#else
#define NX
#define OUTPUTS void**
#endif

namespace implementers {

using namespace nvinfer1;

class Logger : public ILogger {
 public:
  void log(Severity severity, const char* msg) NX override {
    if (severity <= Severity::kWARNING) lines.push_back(msg);
  }
  std::vector<std::string> lines;
};

class Profiler : public IProfiler {
 public:
  void reportLayerTime(const char* layerName, float ms) NX override {
    layers.push_back(layerName);
    total += ms;
  }
  std::vector<std::string> layers;
  float total = 0;
};

class Calibrator : public IInt8EntropyCalibrator2 {
 public:
  int getBatchSize() const NX override { return 1; }
  bool getBatch(void*[], const char*[], int) NX override { return false; }
  const void* readCalibrationCache(size_t& length) NX override {
    length = 0;
    return nullptr;
  }
  void writeCalibrationCache(const void*, size_t) NX override {}
};

class Allocator : public IGpuAllocator {
 public:
  void* allocate(uint64_t size, uint64_t, uint32_t) NX override {
    ++count;
    return ::operator new(size);
  }
#if NV_TENSORRT_MAJOR >= 10
  bool deallocate(void* memory) NX override {
    ::operator delete(memory);
    return true;
  }
#else
  void free(void* memory) NX override { ::operator delete(memory); }
#endif
  int count = 0;
};

class Recorder : public IErrorRecorder {
 public:
  int32_t getNbErrors() const noexcept override { return static_cast<int32_t>(errors.size()); }
  ErrorCode getErrorCode(int32_t) const noexcept override { return ErrorCode::kUNSPECIFIED_ERROR; }
  ErrorDesc getErrorDesc(int32_t index) const noexcept override { return errors[static_cast<size_t>(index)].c_str(); }
  bool hasOverflowed() const noexcept override { return false; }
  void clear() noexcept override { errors.clear(); }
  bool reportError(ErrorCode, ErrorDesc desc) noexcept override {
    errors.push_back(desc);
    return false;
  }
  RefCount incRefCount() noexcept override { return ++references; }
  RefCount decRefCount() noexcept override { return --references; }
  std::vector<std::string> errors;
  int references = 0;
};

// y = factor * x, as IPluginV2IOExt (implicit batch) writes it.
class ScaleIOExt : public IPluginV2IOExt {
 public:
  explicit ScaleIOExt(float value) : factor(value) {}
  ScaleIOExt(const void* data, size_t) { std::memcpy(&factor, data, sizeof factor); }
  int getNbOutputs() const NX override { return 1; }
  Dims getOutputDimensions(int, const Dims* inputs, int) NX override { return inputs[0]; }
  int initialize() NX override { return 0; }
  void terminate() NX override {}
  size_t getWorkspaceSize(int) const NX override { return 0; }
  int enqueue(int batchSize, const void* const* inputs, OUTPUTS outputs, void*, cudaStream_t) NX override {
    for (int i = 0; i < batchSize * count; ++i)
      static_cast<float*>(outputs[0])[i] = factor * static_cast<const float*>(inputs[0])[i];
    return 0;
  }
  size_t getSerializationSize() const NX override { return sizeof factor; }
  void serialize(void* buffer) const NX override { std::memcpy(buffer, &factor, sizeof factor); }
  bool supportsFormatCombination(int pos, const PluginTensorDesc* inOut, int, int) const NX override {
    return inOut[pos].format == TensorFormat::kLINEAR && inOut[pos].type == DataType::kFLOAT;
  }
  void configurePlugin(const PluginTensorDesc* in, int, const PluginTensorDesc*, int) NX override {
    count = 1;
    for (int i = 0; i < in[0].dims.nbDims; ++i) count *= static_cast<int>(in[0].dims.d[i]);
  }
  DataType getOutputDataType(int, const DataType* types, int) const NX override { return types[0]; }
  bool isOutputBroadcastAcrossBatch(int, const bool*, int) const NX override { return false; }
  bool canBroadcastInputAcrossBatch(int) const NX override { return false; }
  const char* getPluginType() const NX override { return "ScaleIOExt"; }
  const char* getPluginVersion() const NX override { return "1"; }
  void destroy() NX override { delete this; }
  IPluginV2Ext* clone() const NX override {
    auto* copy = new ScaleIOExt(factor);
    copy->count = count;
    return copy;
  }
  void setPluginNamespace(const char* text) NX override { space = text; }
  const char* getPluginNamespace() const NX override { return space.c_str(); }

 private:
  float factor = 1;
  int count = 0;
  std::string space;
};

// The same as IPluginV2DynamicExt writes it.
class ScaleDynamic : public IPluginV2DynamicExt {
 public:
  explicit ScaleDynamic(float value) : factor(value) {}
  ScaleDynamic(const void* data, size_t) { std::memcpy(&factor, data, sizeof factor); }
  int getNbOutputs() const NX override { return 1; }
  DimsExprs getOutputDimensions(int, const DimsExprs* inputs, int, IExprBuilder&) NX override { return inputs[0]; }
  int initialize() NX override { return 0; }
  void terminate() NX override {}
  size_t getWorkspaceSize(const PluginTensorDesc*, int, const PluginTensorDesc*, int) const NX override { return 0; }
  int enqueue(const PluginTensorDesc* in, const PluginTensorDesc*, const void* const* inputs, void* const* outputs,
              void*, cudaStream_t) NX override {
    int64_t count = 1;
    for (int i = 0; i < in[0].dims.nbDims; ++i) count *= in[0].dims.d[i];
    for (int64_t i = 0; i < count; ++i)
      static_cast<float*>(outputs[0])[i] = factor * static_cast<const float*>(inputs[0])[i];
    return 0;
  }
  size_t getSerializationSize() const NX override { return sizeof factor; }
  void serialize(void* buffer) const NX override { std::memcpy(buffer, &factor, sizeof factor); }
  bool supportsFormatCombination(int pos, const PluginTensorDesc* inOut, int, int) NX override {
    return inOut[pos].format == TensorFormat::kLINEAR && inOut[pos].type == DataType::kFLOAT;
  }
  void configurePlugin(const DynamicPluginTensorDesc*, int, const DynamicPluginTensorDesc*, int) NX override {}
  DataType getOutputDataType(int, const DataType* types, int) const NX override { return types[0]; }
  const char* getPluginType() const NX override { return "ScaleDynamic"; }
  const char* getPluginVersion() const NX override { return "1"; }
  void destroy() NX override { delete this; }
  IPluginV2DynamicExt* clone() const NX override { return new ScaleDynamic(factor); }
  void setPluginNamespace(const char* text) NX override { space = text; }
  const char* getPluginNamespace() const NX override { return space.c_str(); }

 private:
  float factor = 1;
  std::string space;
};

template <class Plugin>
class Creator : public IPluginCreator {
 public:
  explicit Creator(const char* plugin) : name(plugin) {}
  const char* getPluginName() const NX override { return name; }
  const char* getPluginVersion() const NX override { return "1"; }
  const PluginFieldCollection* getFieldNames() NX override { return &fields; }
  IPluginV2* createPlugin(const char*, const PluginFieldCollection* given) NX override {
    float factor = 1;
    for (int i = 0; i < given->nbFields; ++i)
      if (std::strcmp(given->fields[i].name, "factor") == 0) factor = *static_cast<const float*>(given->fields[i].data);
    return new Plugin(factor);
  }
  IPluginV2* deserializePlugin(const char*, const void* data, size_t length) NX override {
    return new Plugin(data, length);
  }
  void setPluginNamespace(const char* text) NX override { space = text; }
  const char* getPluginNamespace() const NX override { return space.c_str(); }

 private:
  const char* name;
  std::string space;
  PluginFieldCollection fields{0, nullptr};
};

class ScaleDynamicCreator : public Creator<ScaleDynamic> {
 public:
  ScaleDynamicCreator() : Creator("ScaleDynamic") {}
};
class ScaleIOExtCreator : public Creator<ScaleIOExt> {
 public:
  ScaleIOExtCreator() : Creator("ScaleIOExt") {}
};

// The same as versions 3 to 7 write it.
class ScaleV1 : public IPlugin {
 public:
  explicit ScaleV1(float value) : factor(value) {}
  ScaleV1(const void* data, size_t) {
    std::memcpy(&factor, data, sizeof factor);
    std::memcpy(&count, static_cast<const char*>(data) + sizeof factor, sizeof count);
  }
  int getNbOutputs() const override { return 1; }
  Dims getOutputDimensions(int, const Dims* inputs, int) override { return inputs[0]; }
  void configure(const Dims* in, int, const Dims*, int, int) override {
    count = 1;
    for (int i = 0; i < in[0].nbDims; ++i) count *= static_cast<int>(in[0].d[i]);
  }
  int initialize() override { return 0; }
  void terminate() override {}
  size_t getWorkspaceSize(int) const override { return 0; }
  int enqueue(int batchSize, const void* const* inputs, void** outputs, void*, cudaStream_t) override {
    for (int i = 0; i < batchSize * count; ++i)
      static_cast<float*>(outputs[0])[i] = factor * static_cast<const float*>(inputs[0])[i];
    return 0;
  }
  size_t getSerializationSize() override { return sizeof factor + sizeof count; }
  void serialize(void* buffer) override {
    std::memcpy(buffer, &factor, sizeof factor);
    std::memcpy(static_cast<char*>(buffer) + sizeof factor, &count, sizeof count);
  }

 private:
  float factor = 1;
  int count = 0;
};

class FactoryV1 : public IPluginFactory {
 public:
  IPlugin* createPlugin(const char*, const void* data, size_t length) override { return new ScaleV1(data, length); }
};

#if NV_TENSORRT_MAJOR >= 10
// The same as IPluginV3 writes it.
class ScaleV3 : public IPluginV3, public IPluginV3OneCore, public IPluginV3OneBuild, public IPluginV3OneRuntime {
 public:
  explicit ScaleV3(float value) : factor(value) {}
  IPluginCapability* getCapabilityInterface(PluginCapabilityType type) noexcept override {
    if (type == PluginCapabilityType::kBUILD) return static_cast<IPluginV3OneBuild*>(this);
    if (type == PluginCapabilityType::kRUNTIME) return static_cast<IPluginV3OneRuntime*>(this);
    return static_cast<IPluginV3OneCore*>(this);
  }
  IPluginV3* clone() noexcept override { return new ScaleV3(factor); }
  const char* getPluginName() const noexcept override { return "ScaleV3"; }
  const char* getPluginVersion() const noexcept override { return "1"; }
  const char* getPluginNamespace() const noexcept override { return ""; }
  int32_t configurePlugin(const DynamicPluginTensorDesc*, int32_t, const DynamicPluginTensorDesc*,
                          int32_t) noexcept override {
    return 0;
  }
  int32_t getOutputDataTypes(DataType* types, int32_t, const DataType* inputs, int32_t) const noexcept override {
    types[0] = inputs[0];
    return 0;
  }
  int32_t getOutputShapes(const DimsExprs* inputs, int32_t, const DimsExprs*, int32_t, DimsExprs* outputs, int32_t,
                          IExprBuilder&) noexcept override {
    outputs[0] = inputs[0];
    return 0;
  }
  bool supportsFormatCombination(int32_t pos, const DynamicPluginTensorDesc* inOut, int32_t,
                                 int32_t) noexcept override {
    return inOut[pos].desc.format == TensorFormat::kLINEAR && inOut[pos].desc.type == DataType::kFLOAT;
  }
  int32_t getNbOutputs() const noexcept override { return 1; }
  int32_t onShapeChange(const PluginTensorDesc*, int32_t, const PluginTensorDesc*, int32_t) noexcept override {
    return 0;
  }
  int32_t enqueue(const PluginTensorDesc* in, const PluginTensorDesc*, const void* const* inputs, void* const* outputs,
                  void*, cudaStream_t) noexcept override {
    int64_t count = 1;
    for (int i = 0; i < in[0].dims.nbDims; ++i) count *= in[0].dims.d[i];
    for (int64_t i = 0; i < count; ++i)
      static_cast<float*>(outputs[0])[i] = factor * static_cast<const float*>(inputs[0])[i];
    return 0;
  }
  IPluginV3* attachToContext(IPluginResourceContext*) noexcept override { return clone(); }
  const PluginFieldCollection* getFieldsToSerialize() noexcept override {
    field = PluginField("factor", &factor, PluginFieldType::kFLOAT32, 1);
    fields.nbFields = 1;
    fields.fields = &field;
    return &fields;
  }

 private:
  float factor;
  PluginField field;
  PluginFieldCollection fields{0, nullptr};
};

class ScaleV3Creator : public IPluginCreatorV3One {
 public:
  const char* getPluginName() const noexcept override { return "ScaleV3"; }
  const char* getPluginVersion() const noexcept override { return "1"; }
  const char* getPluginNamespace() const noexcept override { return ""; }
  const PluginFieldCollection* getFieldNames() noexcept override { return &fields; }
  IPluginV3* createPlugin(const char*, const PluginFieldCollection* given, TensorRTPhase) noexcept override {
    return new ScaleV3(given->nbFields > 0 ? *static_cast<const float*>(given->fields[0].data) : 1.0F);
  }

 private:
  PluginFieldCollection fields{0, nullptr};
};
#endif

}  // namespace implementers
