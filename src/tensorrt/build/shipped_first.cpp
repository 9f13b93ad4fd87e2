// Plugins that ship with the library, of the first generation: they hide the batch, have fixed extents, and no creator.

#include "NvInferPlugin.h"
#include "tensorrt/build/shipped_run.h"
#include "tensorrt/runtime/plugin_record.h"
#include "tensorrt/runtime/report.h"
#include "tensorrt/runtime/types.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::Dims;
using nvinfer1::PluginType;

// What `serialize` adds to the fields.
constexpr const char* kNameField = "planish.plugin";
constexpr const char* kExtentsField = "planish.extents";  // of each operand: how many, then they

class ShippedFirst final : public nvinfer1::plugin::INvPlugin, public ShippedPlugin {
 public:
  ShippedFirst(std::shared_ptr<const ShippedKind> kind, PluginType type)
      : ShippedPlugin(std::move(kind)), type_(type) {}

  char const* getName() const override { return kind->name().c_str(); }
  PluginType getPluginType() const override { return type_; }
  void destroy() override { delete this; }
  int getNbOutputs() const override { return kind->outputs(); }
  Dims getOutputDimensions(int index, Dims const* inputs, int count) override {
    Dims none{};
    none.nbDims = -1;
    return Reporter(first_logger()).guard("getOutputDimensions", none, [&] {
      std::vector<TensorType> types;
      for (int i = 0; i < count; ++i) {
        types.push_back({DataType::f32, {Dim(1)}});
        for (int64_t extent : extents_of(inputs[i])) types.back().dims.emplace_back(extent);
      }
      Extents extents;
      const std::vector<TensorType> results = kind->infer(types);
      for (const Dim& dim : results.at(static_cast<size_t>(index)).dims) extents.push_back(dim.value());
      extents.erase(extents.begin());
      return dims_of(extents);
    });
  }
  void configure(Dims const* inputs, int count, Dims const*, int, int) override {
    operands_.clear();
    for (int i = 0; i < count; ++i) operands_.push_back(extents_of(inputs[i]));
  }
  int initialize() override { return 0; }
  void terminate() override {}
  size_t getWorkspaceSize(int) const override { return 0; }
  int enqueue(int batch, void const* const* inputs, void** outputs, void*, cudaStream_t stream) override {
    std::vector<nvinfer1::PluginTensorDesc> all;
    for (Extents extents : operands_) {
      extents.insert(extents.begin(), batch);
      nvinfer1::PluginTensorDesc one{};
      one.dims = dims_of(extents);
      all.push_back(one);
    }
    return run_.enqueue(*kind, all.data(), all.size(), inputs, outputs, stream);
  }
  size_t getSerializationSize() override { return text().size(); }
  void serialize(void* buffer) override {
    const std::string bytes = text();
    bytes.copy(static_cast<char*>(buffer), bytes.size());
  }
  void take_extents(const Extents& packed) {
    for (size_t at = 0; at < packed.size(); at += 1 + static_cast<size_t>(packed[at])) {
      if (packed[at] < 0 || static_cast<size_t>(packed[at]) > packed.size() - at - 1)
        throw Error(Code::invalid_plan, "the extents of its operands are damaged");
      const auto first = packed.begin() + static_cast<ptrdiff_t>(at) + 1;
      operands_.emplace_back(first, first + packed[at]);
    }
  }

 private:
  std::string text() const {
    Attributes all = kind->fields();
    Extents packed;
    for (const Extents& extents : operands_) {
      packed.push_back(static_cast<int64_t>(extents.size()));
      packed.insert(packed.end(), extents.begin(), extents.end());
    }
    all.add({kNameField, kind->name()});
    if (!packed.empty()) all.add({kExtentsField, packed});
    return text_of(FieldList(all, nullptr).collection);
  }

  const PluginType type_;
  std::vector<Extents> operands_;  // without the batch
  ShippedRun run_;
};

nvinfer1::plugin::INvPlugin* read(PluginType type, const char* plugin, std::string_view bytes) {
  const Fields given(bytes);
  Attributes fields;
  Extents packed;
  std::string name;
  const Attributes all = attributes_of(given.collection);
  for (const Attribute& one : all.entries()) {
    if (one.name == kNameField)
      name = std::get<std::string>(one.value);
    else if (one.name == kExtentsField)
      packed = std::get<Extents>(one.value);
    else
      fields.add(one);
  }
  if (name != plugin) refuse("the bytes are of '" + name + "', not of '" + plugin + "'");
  auto made = std::make_unique<ShippedFirst>(std::make_shared<const ShippedKind>(name, "1", std::move(fields)), type);
  made->take_extents(packed);
  return made.release();
}

}  // namespace
}  // namespace planish::tensorrt

// For libnvinfer_plugin: from fields, and from what `serialize` wrote.
extern "C" TENSORRTAPI nvinfer1::plugin::INvPlugin* planish_door_make_first(
    nvinfer1::PluginType type, char const* plugin, nvinfer1::PluginFieldCollection const* fields) {
  using namespace planish::tensorrt;
  return Reporter(first_logger()).guard(plugin, static_cast<nvinfer1::plugin::INvPlugin*>(nullptr), [&] {
    auto kind = std::make_shared<const ShippedKind>(plugin, "1", attributes_of(*fields));
    return static_cast<nvinfer1::plugin::INvPlugin*>(new ShippedFirst(std::move(kind), type));
  });
}
extern "C" TENSORRTAPI nvinfer1::plugin::INvPlugin* planish_door_read_first(nvinfer1::PluginType type,
                                                                            char const* plugin, void const* data,
                                                                            size_t length) {
  using namespace planish::tensorrt;
  return Reporter(first_logger()).guard(plugin, static_cast<nvinfer1::plugin::INvPlugin*>(nullptr), [&] {
    if (data == nullptr) refuse("there are no bytes");
    return read(type, plugin, std::string_view(static_cast<const char*>(data), length));
  });
}
