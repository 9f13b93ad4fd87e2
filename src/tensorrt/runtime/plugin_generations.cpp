#include "tensorrt/runtime/plugin_generations.h"

#include "tensorrt/runtime/plugin_configure.h"
#include "tensorrt/runtime/plugin_expressions.h"
#include "tensorrt/runtime/plugin_fields.h"
#include "tensorrt/runtime/plugin_session.h"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::Dims;
using nvinfer1::PluginTensorDesc;

// What calls of all generations need of one execution.
struct Arguments {
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  std::vector<PluginTensorDesc> in, out;
  int32_t batch = 1;

  Arguments(const PluginCall& call, bool hides_batch) {
    for (const planish_view& view : call.inputs()) inputs.push_back(view.data), in.push_back(desc(view, hides_batch));
    for (const planish_view& view : call.outputs())
      outputs.push_back(view.data), out.push_back(desc(view, hides_batch));
    for (const planish_view& view : call.inputs())
      if (hides_batch && view.rank > 0) batch = std::max(batch, static_cast<int32_t>(view.extents[0]));
  }
  static PluginTensorDesc desc(const planish_view& view, bool hides_batch) {
    const int skip = hides_batch && view.rank > 0 ? 1 : 0;
    PluginTensorDesc made{};
    made.dims = dims_of(Extents(view.extents + skip, view.extents + view.rank));
    made.type = type_of(static_cast<DataType>(view.dtype));
    made.format = nvinfer1::TensorFormat::kLINEAR;
    made.scale = 1;
    return made;
  }
};

cudaStream_t stream_of(const PluginCall& call) { return static_cast<cudaStream_t>(call.stream()); }

bool same_dims(const std::vector<PluginTensorDesc>& a, const std::vector<PluginTensorDesc>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (extents_of(a[i].dims) != extents_of(b[i].dims)) return false;
  return true;
}

class Adapter : public Plugin {
 public:
  explicit Adapter(PluginRecord record) : record_(std::move(record)) {}

 protected:
  // Extents of an operand that a plugin with fixed extents is shown.
  Dims fixed(const TensorType& type) const {
    Extents extents;
    for (size_t i = record_.hides_batch() ? 1 : 0; i < type.dims.size(); ++i) {
      if (!type.dims[i].is_number())
        throw Error(Code::unsupported,
                    "plugin '" + record_.type + "' takes fixed extents, an operand is " + type.str());
      extents.push_back(type.dims[i].value());
    }
    return dims_of(extents);
  }
  std::vector<Dims> fixed(std::span<const TensorType> inputs) const {
    std::vector<Dims> all;
    for (const TensorType& type : inputs) all.push_back(fixed(type));
    return all;
  }
  TensorType result(const Dims& dims, DataType type, std::span<const TensorType> inputs) const {
    TensorType made{type, {}};
    if (record_.hides_batch()) {
      Dim batch = 1;
      for (const TensorType& input : inputs)
        if (!input.dims.empty() && !(input.dims[0] == Dim(1))) batch = input.dims[0];
      made.dims.push_back(batch);
    }
    for (int64_t extent : extents_of(dims)) made.dims.emplace_back(extent);
    return made;
  }
  PluginRecord record_;
};

// The first generation. One instance a layer, which its maker owns.
class AdapterV1 final : public Adapter {
 public:
  AdapterV1(PluginRecord record, nvinfer1::IPlugin& plugin) : Adapter(std::move(record)), plugin_(plugin) {}
  std::string serialize() const override {
    PluginRecord whole = record_;
    whole.payload.resize(plugin_.getSerializationSize());
    plugin_.serialize(whole.payload.data());
    return whole.str();
  }
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const override {
    const std::vector<Dims> in = fixed(inputs);
    std::vector<TensorType> types;
    for (int i = 0; i < plugin_.getNbOutputs(); ++i)
      types.push_back(
          result(plugin_.getOutputDimensions(i, in.data(), static_cast<int>(in.size())), DataType::f32, inputs));
    return types;
  }
  int64_t workspace(const PluginCall&) const override {
    return workspace_bytes(plugin_.getWorkspaceSize(static_cast<int>(std::max<int64_t>(record_.max_batch, 1))),
                           record_);
  }
  void run(const PluginCall& call) override {
    Arguments a(call, record_.hides_batch());
    require(plugin_.enqueue(a.batch, a.inputs.data(), a.outputs.data(), call.workspace(), stream_of(call)), record_,
            "enqueue");
  }

 private:
  nvinfer1::IPlugin& plugin_;
};

// The second generation, of all four kinds.
class AdapterV2 final : public Adapter {
 public:
  AdapterV2(PluginRecord record, nvinfer1::IPluginV2* plugin) : Adapter(std::move(record)), plugin_(plugin) {
    require(plugin->initialize(), record_, "initialize");
    initialized_ = true;
  }
  // One that a creator has made for a node of a model: it is told about its operands when they are known, and never
  // run.
  struct Fresh {};
  AdapterV2(PluginRecord record, nvinfer1::IPluginV2* plugin, Fresh)
      : Adapter(std::move(record)), plugin_(plugin), configured_(false) {}
  ~AdapterV2() override {
    if (initialized_) terminate_quietly(*plugin_);
  }
  AdapterV2(const AdapterV2&) = delete;
  AdapterV2& operator=(const AdapterV2&) = delete;
  std::string serialize() const override {
    PluginRecord whole = record_;
    whole.payload.resize(plugin_->getSerializationSize());
    plugin_->serialize(whole.payload.data());
    return whole.str();
  }
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const override {
    std::vector<nvinfer1::DataType> in_types;
    for (const TensorType& type : inputs) in_types.push_back(type_of(type.dtype));
    if (!configured_) tensorrt::configure(*plugin_, {shown(inputs), in_types}, 1);
    const auto count = static_cast<int32_t>(inputs.size());
    std::vector<TensorType> types;
    for (int32_t i = 0; i < plugin_->getNbOutputs(); ++i) {
      const DataType type = extended()       ? type_of(ext().getOutputDataType(i, in_types.data(), count))
                            : inputs.empty() ? DataType::f32
                                             : inputs[0].dtype;
      if (record_.generation == Generation::v2_dynamic) {
        Expressions expressions;
        std::vector<nvinfer1::DimsExprs> in;
        for (const TensorType& input : inputs) in.push_back(expressions.of(input));
        const auto dims = dynamic().getOutputDimensions(i, in.data(), count, expressions);
        types.push_back({type, expressions.dims_of(dims)});
      } else {
        const std::vector<Dims> in = fixed(inputs);
        types.push_back(result(plugin_->getOutputDimensions(i, in.data(), count), type, inputs));
      }
    }
    return types;
  }
  int64_t workspace(const PluginCall& call) const override {
    if (record_.generation != Generation::v2_dynamic)
      return workspace_bytes(plugin_->getWorkspaceSize(static_cast<int32_t>(std::max<int64_t>(record_.max_batch, 1))),
                             record_);
    const Arguments a(call, false);
    return workspace_bytes(dynamic().getWorkspaceSize(a.in.data(), static_cast<int32_t>(a.in.size()), a.out.data(),
                                                      static_cast<int32_t>(a.out.size())),
                           record_);
  }
  void run(const PluginCall& call) override {
    Arguments a(call, record_.hides_batch());
    if (record_.generation != Generation::v2_dynamic) {
      require(plugin_->enqueue(a.batch, a.inputs.data(), a.outputs.data(), call.workspace(), stream_of(call)), record_,
              "enqueue");
      return;
    }
    if (!same_dims(a.in, last_)) configure(a);
    require(dynamic().enqueue(a.in.data(), a.out.data(), a.inputs.data(), a.outputs.data(), call.workspace(),
                              stream_of(call)),
            record_, "enqueue");
  }

 private:
  std::vector<Dims> shown(std::span<const TensorType> inputs) const {
    if (record_.generation != Generation::v2_dynamic) return fixed(inputs);
    std::vector<Dims> all;
    for (const TensorType& type : inputs) {
      Extents extents;
      for (const Dim& dim : type.dims) extents.push_back(dim.is_number() ? dim.value() : -1);
      all.push_back(dims_of(extents));
    }
    return all;
  }
  bool extended() const { return record_.generation != Generation::v2; }
  const nvinfer1::IPluginV2Ext& ext() const { return static_cast<const nvinfer1::IPluginV2Ext&>(*plugin_); }
  nvinfer1::IPluginV2DynamicExt& dynamic() const { return static_cast<nvinfer1::IPluginV2DynamicExt&>(*plugin_); }
  void configure(const Arguments& a) {
    std::vector<nvinfer1::DynamicPluginTensorDesc> in, out;
    const auto add = [](auto& list, const PluginTensorDesc& desc) {
      nvinfer1::DynamicPluginTensorDesc made{};
      made.desc = desc;
      made.min = made.max = desc.dims;
      list.push_back(made);
    };
    for (const PluginTensorDesc& desc : a.in) add(in, desc);
    for (const PluginTensorDesc& desc : a.out) add(out, desc);
    dynamic().configurePlugin(in.data(), static_cast<int32_t>(in.size()), out.data(), static_cast<int32_t>(out.size()));
    last_ = a.in;
  }
  std::unique_ptr<nvinfer1::IPluginV2, DestroyPlugin> plugin_;
  bool initialized_ = false, configured_ = true;
  std::vector<PluginTensorDesc> last_;
};

class ResourceContext final : public nvinfer1::IPluginResourceContext {
 public:
  nvinfer1::IGpuAllocator* getGpuAllocator() const override { return nullptr; }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return nullptr; }
};

// The third generation.
class AdapterV3 final : public Adapter {
 public:
  AdapterV3(PluginRecord record, nvinfer1::IPluginV3* plugin) : Adapter(std::move(record)), plugin_(plugin) {}
  std::string serialize() const override {
    PluginRecord whole = record_;
    const auto* fields =
        part<nvinfer1::IPluginV3OneRuntime>(nvinfer1::PluginCapabilityType::kRUNTIME).getFieldsToSerialize();
    static const nvinfer1::PluginFieldCollection kNone{0, nullptr};
    whole.payload = text_of(fields == nullptr ? kNone : *fields);
    return whole.str();
  }
  std::vector<TensorType> infer(std::span<const TensorType> inputs) const override {
    auto& build = part<nvinfer1::IPluginV3OneBuild>(nvinfer1::PluginCapabilityType::kBUILD);
    const auto all = static_cast<int32_t>(inputs.size());
    const auto data = all - static_cast<int32_t>(record_.shape_inputs);
    const int32_t outputs = build.getNbOutputs();
    if (outputs < 1 || outputs > 256)
      refuse("plugin '" + record_.type + "' has " + std::to_string(outputs) + " outputs");
    std::vector<nvinfer1::DataType> in_types, out_types(static_cast<size_t>(outputs));
    std::vector<nvinfer1::DimsExprs> in, out(static_cast<size_t>(outputs));
    Expressions expressions;
    for (const TensorType& input : inputs)
      in_types.push_back(type_of(input.dtype)), in.push_back(expressions.of(input));
    require(build.getOutputDataTypes(out_types.data(), outputs, in_types.data(), all), record_, "getOutputDataTypes");
    require(build.getOutputShapes(in.data(), data, in.data() + data, all - data, out.data(), outputs, expressions),
            record_, "getOutputShapes");
    std::vector<TensorType> types;
    for (size_t i = 0; i < out.size(); ++i) types.push_back({type_of(out_types[i]), expressions.dims_of(out[i])});
    configure(build, inputs, types);
    return types;
  }
  int64_t workspace(const PluginCall& call) const override {
    const Arguments a(call, false);
    std::vector<nvinfer1::DynamicPluginTensorDesc> in, out;
    for (const PluginTensorDesc& desc : a.in) in.push_back(fixed_desc(desc));
    for (const PluginTensorDesc& desc : a.out) out.push_back(fixed_desc(desc));
    return workspace_bytes(
        part<nvinfer1::IPluginV3OneBuild>(nvinfer1::PluginCapabilityType::kBUILD)
            .getWorkspaceSize(in.data(), static_cast<int32_t>(in.size()), out.data(), static_cast<int32_t>(out.size())),
        record_);
  }
  void run(const PluginCall& call) override {
    const Arguments a(call, false);
    if (attached_ == nullptr) {
      attached_.reset(
          part<nvinfer1::IPluginV3OneRuntime>(nvinfer1::PluginCapabilityType::kRUNTIME).attachToContext(&context_));
      if (attached_ == nullptr) require(1, record_, "attachToContext");
    }
    auto* runtime = dynamic_cast<nvinfer1::IPluginV3OneRuntime*>(
        attached_->getCapabilityInterface(nvinfer1::PluginCapabilityType::kRUNTIME));
    if (runtime == nullptr) refuse("plugin '" + record_.type + "' has no part that runs");
    const auto ins = static_cast<int32_t>(a.in.size()), outs = static_cast<int32_t>(a.out.size());
    if (!same_dims(a.in, last_)) {
      require(runtime->onShapeChange(a.in.data(), ins, a.out.data(), outs), record_, "onShapeChange");
      last_ = a.in;
    }
    require(runtime->enqueue(a.in.data(), a.out.data(), a.inputs.data(), a.outputs.data(), call.workspace(),
                             stream_of(call)),
            record_, "enqueue");
  }

 private:
  // Linear tensors; extents that are not known are -1.
  void configure(nvinfer1::IPluginV3OneBuild& build, std::span<const TensorType> inputs,
                 const std::vector<TensorType>& outputs) const {
    std::vector<nvinfer1::DynamicPluginTensorDesc> all;
    const auto add = [&](const TensorType& type) {
      Extents extents;
      for (const Dim& dim : type.dims) extents.push_back(dim.is_number() ? dim.value() : -1);
      PluginTensorDesc desc{};
      desc.dims = tensorrt::dims_of(extents);
      desc.type = type_of(type.dtype);
      desc.format = nvinfer1::TensorFormat::kLINEAR;
      desc.scale = 1;
      all.push_back(fixed_desc(desc));
    };
    for (const TensorType& type : inputs) add(type);
    for (const TensorType& type : outputs) add(type);
    const auto ins = static_cast<int32_t>(inputs.size()), outs = static_cast<int32_t>(outputs.size());
    for (int32_t i = 0; i < ins + outs; ++i)
      if (!build.supportsFormatCombination(i, all.data(), ins, outs))
        throw Error(Code::unsupported,
                    "plugin '" + record_.type + "' does not take its operands' types in linear format");
    require(build.configurePlugin(all.data(), ins, all.data() + ins, outs), record_, "configurePlugin");
  }
  static nvinfer1::DynamicPluginTensorDesc fixed_desc(const PluginTensorDesc& desc) {
    nvinfer1::DynamicPluginTensorDesc made{};
    made.desc = desc;
    made.min = made.max = desc.dims;
    return made;
  }
  template <class Part>
  Part& part(nvinfer1::PluginCapabilityType type) const {
    auto* found = dynamic_cast<Part*>(plugin_->getCapabilityInterface(type));
    if (found == nullptr) refuse("plugin '" + record_.type + "' lacks a part of its interface");
    return *found;
  }
  ResourceContext context_;
  std::unique_ptr<nvinfer1::IPluginV3> plugin_, attached_;
  std::vector<PluginTensorDesc> last_;
};

}  // namespace

int64_t workspace_bytes(size_t asked, const PluginRecord& record) {
  if (asked > static_cast<size_t>(PTRDIFF_MAX))
    throw Error(Code::invalid_argument, "plugin '" + record.type + "' of layer '" + record.layer +
                                            "': getWorkspaceSize returned " + std::to_string(asked));
  return static_cast<int64_t>(asked);
}

void require(int32_t status, const PluginRecord& record, const char* call) {
  if (status != 0)
    throw Error(Code::internal, "plugin '" + record.type + "' of layer '" + record.layer + "': " + call + " returned " +
                                    std::to_string(status));
}

std::unique_ptr<Plugin> adapted(PluginRecord record, nvinfer1::IPlugin& plugin) {
  return std::make_unique<AdapterV1>(std::move(record), plugin);
}

std::unique_ptr<Plugin> adapted(PluginRecord record, nvinfer1::IPluginV2* plugin, bool fresh) {
  if (fresh) return std::make_unique<AdapterV2>(std::move(record), plugin, AdapterV2::Fresh());
  return std::make_unique<AdapterV2>(std::move(record), plugin);
}

std::unique_ptr<Plugin> adapted(PluginRecord record, nvinfer1::IPluginV3* plugin) {
  return std::make_unique<AdapterV3>(std::move(record), plugin);
}

}  // namespace planish::tensorrt
