#include "tensorrt/build/shipped_plugin.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "tensorrt/build/shipped_run.h"
#include "tensorrt/runtime/plugin_adapter.h"
#include "tensorrt/runtime/plugin_record.h"
#include "tensorrt/runtime/registry.h"
#include "tensorrt/runtime/report.h"
#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::PluginTensorDesc;

// Operands whose extents are numbers or names.
std::vector<TensorType> types_of(const nvinfer1::DimsExprs* inputs, int32_t count,
                                 std::map<std::string, const nvinfer1::IDimensionExpr*>& names) {
  std::vector<TensorType> types;
  for (int32_t i = 0; i < count; ++i) {
    TensorType type{DataType::f32, {}};
    for (int32_t axis = 0; axis < inputs[i].nbDims; ++axis) {
      const nvinfer1::IDimensionExpr* extent = inputs[i].d[axis];
      const std::string name = "e" + std::to_string(i) + "_" + std::to_string(axis);
      if (!extent->isConstant()) names[name] = extent;
      type.dims.push_back(extent->isConstant() ? Dim(int64_t{extent->getConstantValue()}) : Dim(name));
    }
    types.push_back(std::move(type));
  }
  return types;
}

nvinfer1::DimsExprs exprs_of(const TensorType& type, nvinfer1::IExprBuilder& builder,
                             const std::map<std::string, const nvinfer1::IDimensionExpr*>& names) {
  nvinfer1::DimsExprs made{};
  made.nbDims = type.rank();
  for (int i = 0; i < type.rank(); ++i) {
    const Dim& extent = type.dims[static_cast<size_t>(i)];
    if (extent.is_number()) {
      made.d[i] = builder.constant(static_cast<nvinfer1::door::Extent>(extent.value()));
    } else if (const auto at = names.find(extent.text()); at != names.end()) {
      made.d[i] = at->second;
    } else {
      refuse("an extent of its results is " + extent.text() + "; only a network tells it");
    }
  }
  return made;
}

class ShippedV2 final : public nvinfer1::IPluginV2DynamicExt, public ShippedPlugin {
 public:
  using ShippedPlugin::ShippedPlugin;
  char const* getPluginType() const override { return kind->name().c_str(); }
  char const* getPluginVersion() const override { return kind->version().c_str(); }
  int32_t getNbOutputs() const override { return kind->outputs(); }
  int32_t initialize() override { return 0; }
  void terminate() override {}
  void destroy() override { delete this; }
  IPluginV2DynamicExt* clone() const override {
    auto made = std::make_unique<ShippedV2>(kind, space);
    made->inputs_ = inputs_;
    return made.release();
  }
  void setPluginNamespace(char const* text) override { space = text == nullptr ? "" : text; }
  char const* getPluginNamespace() const override { return space.c_str(); }
  size_t getSerializationSize() const override { return text_of(kind->collection()).size(); }
  void serialize(void* buffer) const override {
    const std::string bytes = text_of(kind->collection());
    bytes.copy(static_cast<char*>(buffer), bytes.size());
  }
  nvinfer1::DataType getOutputDataType(int32_t index, nvinfer1::DataType const* types, int32_t count) const override {
    (void)index;
    return count > 0 ? types[0] : nvinfer1::DataType::kFLOAT;
  }
  nvinfer1::DimsExprs getOutputDimensions(int32_t index, nvinfer1::DimsExprs const* inputs, int32_t count,
                                          nvinfer1::IExprBuilder& builder) override {
    nvinfer1::DimsExprs none{};
    none.nbDims = -1;
    return Reporter(first_logger()).guard("getOutputDimensions", none, [&] {
      std::map<std::string, const nvinfer1::IDimensionExpr*> names;
      const auto results = kind->infer(types_of(inputs, count, names));
      return exprs_of(results.at(static_cast<size_t>(index)), builder, names);
    });
  }
  bool supportsFormatCombination(int32_t pos, PluginTensorDesc const* inOut, int32_t, int32_t) override {
    return inOut[pos].format == nvinfer1::TensorFormat::kLINEAR;
  }
  void configurePlugin(nvinfer1::DynamicPluginTensorDesc const*, int32_t count,
                       nvinfer1::DynamicPluginTensorDesc const*, int32_t) override {
    inputs_ = static_cast<size_t>(count);
  }
  size_t getWorkspaceSize(PluginTensorDesc const*, int32_t, PluginTensorDesc const*, int32_t) const override {
    return 0;
  }
  int32_t enqueue(PluginTensorDesc const* in, PluginTensorDesc const*, void const* const* inputs, void* const* outputs,
                  void*, cudaStream_t stream) override {
    return run_.enqueue(*kind, in, inputs_, inputs, outputs, stream);
  }

 private:
  size_t inputs_ = 0;
  ShippedRun run_;
};

class ShippedV3 final : public nvinfer1::IPluginV3,
                        public nvinfer1::IPluginV3OneCore,
                        public nvinfer1::IPluginV3OneBuild,
                        public nvinfer1::IPluginV3OneRuntime,
                        public ShippedPlugin {
 public:
  using ShippedPlugin::ShippedPlugin;
  nvinfer1::InterfaceInfo getInterfaceInfo() const override { return nvinfer1::InterfaceInfo{"PLUGIN", 1, 0}; }
  nvinfer1::IPluginCapability* getCapabilityInterface(nvinfer1::PluginCapabilityType type) override {
    if (type == nvinfer1::PluginCapabilityType::kCORE) return static_cast<nvinfer1::IPluginV3OneCore*>(this);
    if (type == nvinfer1::PluginCapabilityType::kBUILD) return static_cast<nvinfer1::IPluginV3OneBuild*>(this);
    return static_cast<nvinfer1::IPluginV3OneRuntime*>(this);
  }
  nvinfer1::IPluginV3* clone() override { return new ShippedV3(kind, space); }
  char const* getPluginName() const override { return kind->name().c_str(); }
  char const* getPluginVersion() const override { return kind->version().c_str(); }
  char const* getPluginNamespace() const override { return space.c_str(); }
  int32_t getNbOutputs() const override { return kind->outputs(); }
  int32_t configurePlugin(nvinfer1::DynamicPluginTensorDesc const*, int32_t, nvinfer1::DynamicPluginTensorDesc const*,
                          int32_t) override {
    return 0;
  }
  int32_t getOutputDataTypes(nvinfer1::DataType* out, int32_t outputs, nvinfer1::DataType const* in,
                             int32_t inputs) const override {
    for (int32_t i = 0; i < outputs; ++i) out[i] = inputs > 0 ? in[0] : nvinfer1::DataType::kFLOAT;
    return 0;
  }
  int32_t getOutputShapes(nvinfer1::DimsExprs const* inputs, int32_t count, nvinfer1::DimsExprs const*, int32_t,
                          nvinfer1::DimsExprs* outputs, int32_t results, nvinfer1::IExprBuilder& builder) override {
    return Reporter(first_logger()).guard("getOutputShapes", int32_t{1}, [&] {
      std::map<std::string, const nvinfer1::IDimensionExpr*> names;
      const auto types = kind->infer(types_of(inputs, count, names));
      for (int32_t i = 0; i < results; ++i) outputs[i] = exprs_of(types.at(static_cast<size_t>(i)), builder, names);
      return int32_t{0};
    });
  }
  bool supportsFormatCombination(int32_t pos, nvinfer1::DynamicPluginTensorDesc const* inOut, int32_t,
                                 int32_t) override {
    return inOut[pos].desc.format == nvinfer1::TensorFormat::kLINEAR;
  }
  int32_t onShapeChange(PluginTensorDesc const*, int32_t count, PluginTensorDesc const*, int32_t) override {
    inputs_ = static_cast<size_t>(count);
    return 0;
  }
  int32_t enqueue(PluginTensorDesc const* in, PluginTensorDesc const*, void const* const* inputs, void* const* outputs,
                  void*, cudaStream_t stream) override {
    return run_.enqueue(*kind, in, inputs_, inputs, outputs, stream);
  }
  nvinfer1::IPluginV3* attachToContext(nvinfer1::IPluginResourceContext*) override { return clone(); }
  nvinfer1::PluginFieldCollection const* getFieldsToSerialize() override { return &kind->collection(); }

 private:
  size_t inputs_ = 0;
  ShippedRun run_;
};

// What creators of both generations know of one plugin.
class ShippedNames {
 public:
  ShippedNames(const planish_shipped_plugin& plugin, std::string version)
      : name(plugin.name), version(std::move(version)) {
    for (size_t i = 0; i < plugin.field_count; ++i) {
      const planish_attr& field = plugin.fields[i];
      fields_.emplace_back(field.name, nullptr, type_of(field.kind), 1);
    }
    collection.nbFields = static_cast<int32_t>(fields_.size());
    collection.fields = fields_.data();
  }
  const std::string name, version;
  std::string space;
  nvinfer1::PluginFieldCollection collection{0, nullptr};

  std::shared_ptr<const ShippedKind> make(const nvinfer1::PluginFieldCollection* given) const {
    return std::make_shared<const ShippedKind>(name, version, given == nullptr ? Attributes() : attributes_of(*given));
  }

 private:
  static nvinfer1::PluginFieldType type_of(planish_attr_kind kind) {
    using nvinfer1::PluginFieldType;
    if (kind == PLANISH_ATTR_INT || kind == PLANISH_ATTR_INTS) return PluginFieldType::kINT32;
    return kind == PLANISH_ATTR_STRING ? PluginFieldType::kCHAR : PluginFieldType::kFLOAT32;
  }
  std::vector<nvinfer1::PluginField> fields_;
};

class CreatorV2 final : public nvinfer1::IPluginCreator, public Shipped {
 public:
  CreatorV2(const planish_shipped_plugin& plugin, std::string version) : names_(plugin, std::move(version)) {}
  char const* getPluginName() const override { return names_.name.c_str(); }
  char const* getPluginVersion() const override { return names_.version.c_str(); }
  nvinfer1::PluginFieldCollection const* getFieldNames() override { return &names_.collection; }
  nvinfer1::IPluginV2* createPlugin(char const*, nvinfer1::PluginFieldCollection const* given) override {
    return Reporter(first_logger()).guard("createPlugin", static_cast<nvinfer1::IPluginV2*>(nullptr), [&] {
      return static_cast<nvinfer1::IPluginV2*>(new ShippedV2(names_.make(given), names_.space));
    });
  }
  nvinfer1::IPluginV2* deserializePlugin(char const*, void const* bytes, size_t size) override {
    return Reporter(first_logger()).guard("deserializePlugin", static_cast<nvinfer1::IPluginV2*>(nullptr), [&] {
      const Fields fields(std::string_view(static_cast<const char*>(bytes), size));
      return static_cast<nvinfer1::IPluginV2*>(new ShippedV2(names_.make(&fields.collection), names_.space));
    });
  }
  void setPluginNamespace(char const* text) override { names_.space = text == nullptr ? "" : text; }
  char const* getPluginNamespace() const override { return names_.space.c_str(); }

 private:
  ShippedNames names_;
};

class CreatorV3 final : public nvinfer1::IPluginCreatorV3One, public Shipped {
 public:
  CreatorV3(const planish_shipped_plugin& plugin, std::string version, const char* space)
      : names_(plugin, std::move(version)) {
    names_.space = space;
  }
  char const* getPluginName() const override { return names_.name.c_str(); }
  char const* getPluginVersion() const override { return names_.version.c_str(); }
  nvinfer1::PluginFieldCollection const* getFieldNames() override { return &names_.collection; }
  nvinfer1::IPluginV3* createPlugin(char const*, nvinfer1::PluginFieldCollection const* given,
                                    nvinfer1::TensorRTPhase) override {
    return Reporter(first_logger()).guard("createPlugin", static_cast<nvinfer1::IPluginV3*>(nullptr), [&] {
      return static_cast<nvinfer1::IPluginV3*>(new ShippedV3(names_.make(given), names_.space));
    });
  }
  char const* getPluginNamespace() const override { return names_.space.c_str(); }

 private:
  ShippedNames names_;
};

bool rearranges(const std::string& name) { return name == kPermutePlugin || name == kConcatPlugin; }

// Samples of a batch stay apart.
void check_rearranged(const std::string& name, const Attributes& fields) {
  const bool permutes = name == kPermutePlugin;
  const Extents given = fields.get<Extents>(permutes ? "order" : "axis");
  Extents sorted = given;
  std::sort(sorted.begin(), sorted.end());
  if (permutes && (sorted != Extents{0, 1, 2, 3} || given.front() != 0))
    refuse("the order " + text_of(given) + "; 0 and then 1, 2, 3 in any order are accepted");
  if (!permutes && (given.size() != 1 || given[0] < 1 || given[0] > 3))
    refuse("axis " + text_of(given) + "; 1, 2 and 3 (C, H, W) are accepted");
}

const ShippedKind* kind_of(const ShippedPlugin* plugin) { return plugin == nullptr ? nullptr : plugin->kind.get(); }

}  // namespace

ShippedKind::ShippedKind(std::string name, std::string version, Attributes fields)
    : name_(std::move(name)), version_(std::move(version)), fields_(std::move(fields)), list_(fields_, nullptr) {
  if (rearranges(name_)) {
    check_rearranged(name_, fields_);
    outputs_ = 1;
    return;
  }
  const detail::CAttributes attrs(fields_);
  detail::check(planish_shipped_plugin_outputs(name_.c_str(), attrs.data(), attrs.size(), &outputs_));
}

std::vector<Value> ShippedKind::add_to(Network& network, const std::vector<Value>& operands,
                                       const std::string& name) const {
  if (rearranges(name_))
    for (Value operand : operands)
      if (network.type(operand).rank() != 4) refuse("plugin '" + name_ + "' takes tensors of [C, H, W]");
  if (name_ == kPermutePlugin)
    return {network.add("transpose", operands, {{"perm", fields_.get<Extents>("order")}}, name)};
  if (name_ == kConcatPlugin)
    return {network.add("concat", operands, {{"axis", fields_.get<Extents>("axis").at(0)}}, name)};
  return network.add_shipped_plugin(name_, operands, fields_, name);
}

std::vector<TensorType> ShippedKind::infer(const std::vector<TensorType>& operands) const {
  Network network;
  std::vector<Value> inputs;
  for (const TensorType& type : operands)
    inputs.push_back(network.input("i" + std::to_string(inputs.size()), type.dtype, type.dims));
  std::vector<TensorType> types;
  for (Value result : add_to(network, inputs)) types.push_back(network.type(result));
  return types;
}

const ShippedKind* shipped_kind(const nvinfer1::IPlugin& plugin) {
  return kind_of(dynamic_cast<const ShippedPlugin*>(&plugin));
}
const ShippedKind* shipped_kind(const nvinfer1::IPluginV2& plugin) {
  return kind_of(dynamic_cast<const ShippedPlugin*>(&plugin));
}
const ShippedKind* shipped_kind(nvinfer1::IPluginV3& plugin) {
  return kind_of(dynamic_cast<const ShippedPlugin*>(&plugin));
}

void register_shipped(nvinfer1::ILogger* logger, const char* space) {
  static std::mutex mutex;
  static std::deque<std::unique_ptr<nvinfer1::IPluginCreatorInterface>> creators;
  const std::string wanted = space == nullptr ? "" : space;
  const std::lock_guard lock(mutex);
  for (int32_t i = 0; i < planish_shipped_plugin_count(); ++i) {
    auto plugin = detail::sized<planish_shipped_plugin>();
    detail::check(planish_shipped_plugin_at(i, &plugin));
    for (size_t k = 0; k < plugin.version_count; ++k) {
      const char* version = plugin.versions[k];
      if (plugin_registry().getCreator(plugin.name, version, wanted.c_str()) != nullptr) continue;
      if (plugin.generations[k] == 3) {
        creators.push_back(std::make_unique<CreatorV3>(plugin, version, wanted.c_str()));
        plugin_registry().registerCreator(*creators.back(), wanted.c_str());
      } else {
        auto made = std::make_unique<CreatorV2>(plugin, version);
        plugin_registry().registerCreator(static_cast<nvinfer1::IPluginCreator&>(*made), wanted.c_str());
        creators.push_back(std::move(made));
      }
      say(logger, nvinfer1::ILogger::Severity::kVERBOSE,
          "Registered plugin creator - " + wanted + "::" + plugin.name + " version " + version);
    }
  }
}

}  // namespace planish::tensorrt

extern "C" TENSORRTAPI bool planish_door_register_plugins(void* logger, char const* space) {
  using namespace planish::tensorrt;
  auto* given = static_cast<nvinfer1::ILogger*>(logger);
  return Reporter(given).guard("initLibNvInferPlugins", false, [&] {
    register_shipped(given, space);
    return true;
  });
}
