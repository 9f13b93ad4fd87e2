// Classes of a caller's that go wrong: in the call that `fault` names, by an exception or by the value that means
// failure. `reached` says whether that call came.
#ifndef PLANISH_TESTS_FAULTY_H
#define PLANISH_TESTS_FAULTY_H

#include <stdexcept>
#include <string>

#include "implementers.h"

namespace faulty {

using namespace nvinfer1;

static std::string fault;
static bool throws = true;
static int reached = 0;

// Whether the call shall fail by its value.
inline bool fails(const char* call) {
  if (fault != call) return false;
  ++reached;
  if (throws) throw std::runtime_error(std::string(call) + " is out of order");
  return true;
}

struct Text {
  const char* call;
  const char* text;
  operator const char*() const { return fails(call) ? nullptr : text; }
};

class Dynamic : public IPluginV2DynamicExt {
 public:
  int getNbOutputs() const override { return fails("getNbOutputs") ? -1 : 1; }
  DimsExprs getOutputDimensions(int, const DimsExprs* inputs, int, IExprBuilder&) override {
    DimsExprs wrong = inputs[0];
    wrong.nbDims = -1;
    return fails("getOutputDimensions") ? wrong : inputs[0];
  }
  int initialize() override { return fails("initialize") ? 7 : 0; }
  void terminate() override { fails("terminate"); }
  size_t getWorkspaceSize(const PluginTensorDesc*, int, const PluginTensorDesc*, int) const override {
    return fails("getWorkspaceSize") ? ~size_t{0} / 2 : 0;
  }
  int enqueue(const PluginTensorDesc*, const PluginTensorDesc*, const void* const*, void* const*, void*,
              cudaStream_t) override {
    return fails("enqueue") ? 7 : 0;
  }
  size_t getSerializationSize() const override { return fails("getSerializationSize") ? ~size_t{0} / 2 : 4; }
  void serialize(void* buffer) const override {
    fails("serialize");
    std::memset(buffer, 0, 4);
  }
  bool supportsFormatCombination(int, const PluginTensorDesc*, int, int) override {
    return !fails("supportsFormatCombination");
  }
  void configurePlugin(const DynamicPluginTensorDesc*, int, const DynamicPluginTensorDesc*, int) override {
    fails("configurePlugin");
  }
  DataType getOutputDataType(int, const DataType* types, int) const override {
    return fails("getOutputDataType") ? static_cast<DataType>(99) : types[0];
  }
  const char* getPluginType() const override { return Text{"getPluginType", "FaultyDynamic"}; }
  const char* getPluginVersion() const override { return Text{"getPluginVersion", "1"}; }
  void destroy() override {
    delete this;
    fails("destroy");
  }
  IPluginV2DynamicExt* clone() const override { return fails("clone") ? nullptr : new Dynamic; }
  void setPluginNamespace(const char*) override { fails("setPluginNamespace"); }
  const char* getPluginNamespace() const override { return Text{"getPluginNamespace", ""}; }
};

class DynamicCreator : public IPluginCreator {
 public:
  const char* getPluginName() const override { return Text{"getPluginName", "FaultyDynamic"}; }
  const char* getPluginVersion() const override { return Text{"creator's getPluginVersion", "1"}; }
  const PluginFieldCollection* getFieldNames() override { return fails("getFieldNames") ? nullptr : &fields_; }
  IPluginV2* createPlugin(const char*, const PluginFieldCollection*) override {
    return fails("createPlugin") ? nullptr : new Dynamic;
  }
  IPluginV2* deserializePlugin(const char*, const void*, size_t) override {
    return fails("deserializePlugin") ? nullptr : new Dynamic;
  }
  void setPluginNamespace(const char*) override { fails("creator's setPluginNamespace"); }
  const char* getPluginNamespace() const override { return Text{"creator's getPluginNamespace", ""}; }

 private:
  PluginFieldCollection fields_{0, nullptr};
};

const char* const kDynamicCalls[] = {"getNbOutputs",
                                     "getOutputDimensions",
                                     "initialize",
                                     "terminate",
                                     "getWorkspaceSize",
                                     "enqueue",
                                     "serialize",
                                     "configurePlugin",
                                     "getPluginType",
                                     "supportsFormatCombination",
                                     "getPluginVersion",
                                     "getOutputDataType",
                                     "getPluginNamespace",
                                     "destroy",
                                     "clone",
                                     "getSerializationSize",
                                     "deserializePlugin"};

#if NV_TENSORRT_MAJOR >= 10
class Third : public IPluginV3, public IPluginV3OneCore, public IPluginV3OneBuild, public IPluginV3OneRuntime {
 public:
  IPluginCapability* getCapabilityInterface(PluginCapabilityType type) override {
    if (fails("getCapabilityInterface")) return nullptr;
    if (type == PluginCapabilityType::kBUILD) return static_cast<IPluginV3OneBuild*>(this);
    if (type == PluginCapabilityType::kRUNTIME) return static_cast<IPluginV3OneRuntime*>(this);
    return static_cast<IPluginV3OneCore*>(this);
  }
  IPluginV3* clone() override { return fails("clone") ? nullptr : new Third; }
  const char* getPluginName() const override { return Text{"getPluginName", "FaultyThird"}; }
  const char* getPluginVersion() const override { return Text{"getPluginVersion", "1"}; }
  const char* getPluginNamespace() const override { return Text{"getPluginNamespace", ""}; }
  int32_t configurePlugin(const DynamicPluginTensorDesc*, int32_t, const DynamicPluginTensorDesc*, int32_t) override {
    return fails("configurePlugin") ? 7 : 0;
  }
  int32_t getOutputDataTypes(DataType* types, int32_t, const DataType* inputs, int32_t) const override {
    types[0] = inputs[0];
    return fails("getOutputDataTypes") ? 7 : 0;
  }
  int32_t getOutputShapes(const DimsExprs* inputs, int32_t, const DimsExprs*, int32_t, DimsExprs* outputs, int32_t,
                          IExprBuilder&) override {
    outputs[0] = inputs[0];
    return fails("getOutputShapes") ? 7 : 0;
  }
  bool supportsFormatCombination(int32_t, const DynamicPluginTensorDesc*, int32_t, int32_t) override {
    return !fails("supportsFormatCombination");
  }
  int32_t getNbOutputs() const override { return fails("getNbOutputs") ? -1 : 1; }
  size_t getWorkspaceSize(const DynamicPluginTensorDesc*, int32_t, const DynamicPluginTensorDesc*,
                          int32_t) const override {
    return fails("getWorkspaceSize") ? ~size_t{0} / 2 : 0;
  }
  int32_t onShapeChange(const PluginTensorDesc*, int32_t, const PluginTensorDesc*, int32_t) override {
    return fails("onShapeChange") ? 7 : 0;
  }
  int32_t enqueue(const PluginTensorDesc*, const PluginTensorDesc*, const void* const*, void* const*, void*,
                  cudaStream_t) override {
    return fails("enqueue") ? 7 : 0;
  }
  IPluginV3* attachToContext(IPluginResourceContext*) override {
    return fails("attachToContext") ? nullptr : new Third;
  }
  const PluginFieldCollection* getFieldsToSerialize() override {
    return fails("getFieldsToSerialize") ? nullptr : &fields_;
  }

 private:
  PluginFieldCollection fields_{0, nullptr};
};

class ThirdCreator : public IPluginCreatorV3One {
 public:
  const char* getPluginName() const override { return "FaultyThird"; }
  const char* getPluginVersion() const override { return "1"; }
  const char* getPluginNamespace() const override { return ""; }
  const PluginFieldCollection* getFieldNames() override { return &fields_; }
  IPluginV3* createPlugin(const char*, const PluginFieldCollection*, TensorRTPhase) override {
    return fails("createPlugin") ? nullptr : new Third;
  }

 private:
  PluginFieldCollection fields_{0, nullptr};
};

const char* const kThirdCalls[] = {"getCapabilityInterface",
                                   "clone",
                                   "getPluginName",
                                   "getPluginVersion",
                                   "getPluginNamespace",
                                   "configurePlugin",
                                   "getOutputDataTypes",
                                   "getOutputShapes",
                                   "supportsFormatCombination",
                                   "getNbOutputs",
                                   "getWorkspaceSize",
                                   "onShapeChange",
                                   "enqueue",
                                   "attachToContext",
                                   "createPlugin"};
#else
class First : public IPlugin {
 public:
  int getNbOutputs() const override { return fails("getNbOutputs") ? -1 : 1; }
  Dims getOutputDimensions(int, const Dims* inputs, int) override {
    Dims wrong = inputs[0];
    wrong.nbDims = -1;
    return fails("getOutputDimensions") ? wrong : inputs[0];
  }
  void configure(const Dims*, int, const Dims*, int, int) override { fails("configure"); }
  int initialize() override { return fails("initialize") ? 7 : 0; }
  void terminate() override { fails("terminate"); }
  size_t getWorkspaceSize(int) const override { return fails("getWorkspaceSize") ? ~size_t{0} / 2 : 0; }
  int enqueue(int, const void* const*, void**, void*, cudaStream_t) override { return fails("enqueue") ? 7 : 0; }
  size_t getSerializationSize() override { return fails("getSerializationSize") ? ~size_t{0} / 2 : 0; }
  void serialize(void*) override { fails("serialize"); }
};

class FirstFactory : public IPluginFactory {
 public:
  IPlugin* createPlugin(const char*, const void*, size_t) override {
    return fails("createPlugin") ? nullptr : &plugin_;
  }

 private:
  First plugin_;
};

const char* const kFirstCalls[] = {
    "getNbOutputs", "getOutputDimensions",  "configure",   "initialize", "terminate", "getWorkspaceSize", "enqueue",
    "serialize",    "getSerializationSize", "createPlugin"};
#endif

class BrokenCalibrator : public IInt8EntropyCalibrator2 {
 public:
  int getBatchSize() const override { return fails("getBatchSize") ? -3 : 1; }
  bool getBatch(void* bindings[], const char*[], int) override {
    if (fails("getBatch") || left_ == 0) return false;
    --left_;
    bindings[0] = fails("getBatch's address") ? nullptr : batch_;
    return true;
  }
  const void* readCalibrationCache(size_t& length) override {
    static const char junk[] = "TRT-8601-EntropyCalibration2\nx: no number\n";
    length = fails("readCalibrationCache") ? sizeof junk - 1 : 0;
    return length > 0 ? junk : nullptr;
  }
  void writeCalibrationCache(const void*, size_t) override { fails("writeCalibrationCache"); }
  CalibrationAlgoType getAlgorithm() override {
    return fails("getAlgorithm") ? static_cast<CalibrationAlgoType>(77) : CalibrationAlgoType::kENTROPY_CALIBRATION_2;
  }

 private:
  float batch_[24] = {1, 2, 3};
  int left_ = 2;
};

class BrokenAllocator : public IGpuAllocator {
 public:
  void* allocate(uint64_t size, uint64_t alignment, uint32_t) override {
    return fails("allocate") ? nullptr : ::operator new(size, std::align_val_t(alignment));
  }
#if NV_TENSORRT_MAJOR >= 10
  bool deallocate(void* memory) override {
    ::operator delete(memory, std::align_val_t(256));
    return !fails("deallocate");
  }
#else
  void free(void* memory) override {
    ::operator delete(memory, std::align_val_t(256));
    fails("deallocate");
  }
#endif
};

class BrokenOutputs : public IOutputAllocator {
 public:
  void* reallocateOutput(char const*, void*, uint64_t, uint64_t) override {
    return fails("reallocateOutput") ? nullptr : memory_;
  }
  void notifyShape(char const*, Dims const&) override { fails("notifyShape"); }

 private:
  char memory_[4096];
};

class BrokenProfiler : public IProfiler {
 public:
  void reportLayerTime(const char*, float) override { fails("reportLayerTime"); }
};

class BrokenMonitor : public IProgressMonitor {
 public:
  void phaseStart(char const*, char const*, int32_t) override { fails("phaseStart"); }
  bool stepComplete(char const*, int32_t) override { return !fails("stepComplete"); }
  void phaseFinish(char const*) override { fails("phaseFinish"); }
};

class BrokenLogger : public ILogger {
 public:
  void log(Severity, const char*) override { throw std::runtime_error("the logger is out of order"); }
};

class BrokenReader : public IStreamReader {
 public:
  int64_t read(void*, int64_t count) override { return fails("read") ? count + 1 : 0; }
};

}  // namespace faulty

#endif
