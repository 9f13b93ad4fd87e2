// Layers that run a plugin of the caller's.

#include <algorithm>

#include "tensorrt/build/layers_shape.h"
#include "tensorrt/build/shipped_plugin.h"
#include "tensorrt/runtime/plugin_adapter.h"
#include "tensorrt/runtime/plugin_configure.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::Dims;
using nvinfer1::TensorFormat;

// Operands as a plugin is shown them.
struct Shown {
  std::vector<Value> values;
  std::vector<Dims> dims;
  std::vector<nvinfer1::DataType> types;

  Shown(Emit& emit, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      values.push_back(emit.in(i));
      const Extents all = emit.extents(values.back());
      dims.push_back(dims_of(emit.implicit ? without_first(all) : all));
      types.push_back(type_of(emit.net.dtype(values.back())));
    }
  }
  int32_t count() const { return static_cast<int32_t>(values.size()); }
};

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

// How many results a plugin says that it has.
size_t checked_outputs(int32_t count) {
  constexpr int32_t kMost = 256;
  if (count < 1 || count > kMost)
    refuse("the plugin has " + std::to_string(count) + " outputs; 1 to " + std::to_string(kMost) + " are accepted");
  return static_cast<size_t>(count);
}

// The first generation.
class PluginLayer final : public LayerOf<nvinfer1::IPluginLayer> {
 public:
  PluginLayer(NetworkImpl& network, nvinfer1::ITensor* const* inputs, int32_t count, nvinfer1::IPlugin& given,
              nvinfer1::IPluginExt* extended)
      : Base(network, nvinfer1::LayerType::kPLUGIN, checked_outputs(given.getNbOutputs())),
        plugin(given),
        ext(extended) {
    add_operands(*this, inputs, count);
  }
  nvinfer1::IPlugin& getPlugin() override { return plugin; }
  void lower(Emit& emit) override {
    if (const ShippedKind* kind = shipped_kind(plugin)) return emit.run_shipped(*kind);
    const Shown in(emit, operands.size());
    std::vector<Dims> out;
    for (int i = 0; i < plugin.getNbOutputs(); ++i)
      out.push_back(plugin.getOutputDimensions(i, in.dims.data(), in.count()));
    const int batch = static_cast<int>(network.max_batch());
    if (network.plugins->started.erase(name) > 0) plugin.terminate();  // it is configured again
    if (ext == nullptr) {
      plugin.configure(in.dims.data(), in.count(), out.data(), static_cast<int>(out.size()), batch);
    } else {
      if (!ext->supportsFormat(nvinfer1::DataType::kFLOAT, TensorFormat::kLINEAR))
        throw Error(Code::unsupported, "the plugin does not take fp32 in linear format");
      ext->configureWithFormat(in.dims.data(), in.count(), out.data(), static_cast<int>(out.size()),
                               nvinfer1::DataType::kFLOAT, TensorFormat::kLINEAR, batch);
    }
    PluginRecord record;
    record.generation = ext == nullptr ? Generation::v1 : Generation::v1_ext;
    record.layer = record.type = name;
    record.max_batch = emit.implicit ? batch : 0;
    network.plugins->v1[name] = &plugin;
    emit.run_plugin(std::move(record), *network.plugins, in.values);
  }

 private:
  nvinfer1::IPlugin& plugin;
  nvinfer1::IPluginExt* ext;
};

// The second generation: the network keeps a copy.
class PluginV2Layer final : public LayerOf<nvinfer1::IPluginV2Layer> {
 public:
  PluginV2Layer(NetworkImpl& network, nvinfer1::ITensor* const* inputs, int32_t count, nvinfer1::IPluginV2& given)
      : Base(network, nvinfer1::LayerType::kPLUGIN_V2, checked_outputs(given.getNbOutputs())),
        plugin(given.clone(), DestroyPlugin()) {
    if (plugin == nullptr) refuse("the plugin could not be cloned");
    add_operands(*this, inputs, count);
  }
  nvinfer1::IPluginV2& getPlugin() override { return *plugin; }
  void lower(Emit& emit) override;

 private:
  std::shared_ptr<nvinfer1::IPluginV2> plugin;
};

void PluginV2Layer::lower(Emit& emit) {
  if (const ShippedKind* kind = shipped_kind(*plugin)) return emit.run_shipped(*kind);
  const Shown in(emit, operands.size());
  if (in.values.empty()) throw Error(Code::unsupported, "a plugin without operands");
  configure(*plugin, {in.dims, in.types}, static_cast<int32_t>(network.max_batch()));
  PluginRecord record;
  record.generation = generation_of(*plugin);
  record.layer = name;
  record.type = answered(plugin->getPluginType(), "getPluginType");
  record.version = answered(plugin->getPluginVersion(), "getPluginVersion");
  record.space = text_or_empty(plugin->getPluginNamespace());
  record.max_batch = emit.implicit ? network.max_batch() : 0;
  network.plugins->v2[name] = plugin;
  emit.run_plugin(std::move(record), *network.plugins, in.values);
}

// The third generation: the network keeps a copy.
class PluginV3Layer final : public LayerOf<nvinfer1::IPluginV3Layer> {
 public:
  PluginV3Layer(NetworkImpl& network, nvinfer1::ITensor* const* inputs, int32_t count,
                nvinfer1::ITensor* const* shape_inputs, int32_t shape_count, nvinfer1::IPluginV3& given)
      : Base(network, nvinfer1::LayerType::kPLUGIN_V3, checked_outputs(build_of(given).getNbOutputs())),
        shapes(shape_count),
        plugin(given.clone()) {
    if (plugin == nullptr) refuse("the plugin could not be cloned");
    add_operands(*this, inputs, count);
    if (shape_count > 0) add_operands(*this, shape_inputs, shape_count);
  }
  nvinfer1::IPluginV3& getPlugin() override { return *plugin; }
  void lower(Emit& emit) override {
    if (const ShippedKind* kind = shipped_kind(*plugin)) return emit.run_shipped(*kind);
    const Shown in(emit, operands.size());
    auto* core = dynamic_cast<nvinfer1::IPluginV3OneCore*>(
        plugin->getCapabilityInterface(nvinfer1::PluginCapabilityType::kCORE));
    if (core == nullptr) refuse("the plugin has no core");
    PluginRecord record;
    record.generation = Generation::v3;
    record.layer = name;
    record.type = answered(core->getPluginName(), "getPluginName");
    record.version = answered(core->getPluginVersion(), "getPluginVersion");
    record.space = text_or_empty(core->getPluginNamespace());
    record.shape_inputs = shapes;
    network.plugins->v3[name] = plugin;
    emit.run_plugin(std::move(record), *network.plugins, in.values);
  }

 private:
  static nvinfer1::IPluginV3OneBuild& build_of(nvinfer1::IPluginV3& given) {
    auto* build = dynamic_cast<nvinfer1::IPluginV3OneBuild*>(
        given.getCapabilityInterface(nvinfer1::PluginCapabilityType::kBUILD));
    if (build == nullptr) refuse("the plugin has no part that builds");
    return *build;
  }
  int32_t shapes;
  std::shared_ptr<nvinfer1::IPluginV3> plugin;
};

}  // namespace

void Emit::run_shipped(const ShippedKind& kind) {
  std::vector<Value> operands;
  for (size_t i = 0; i < layer_.operands.size(); ++i) operands.push_back(in(i));
  const std::vector<Node> before = net.nodes();
  const std::vector<Value> values = kind.add_to(net, operands, network_.fresh_node_name(layer_.name));
  for (Node node : net.nodes())
    if (std::find(before.begin(), before.end(), node) == before.end()) layer_.nodes.push_back(node);
  for (size_t i = 0; i < layer_.results.size(); ++i) out(i, values.at(i));
}

void Emit::run_plugin(PluginRecord record, PluginSession& session, const std::vector<Value>& operands) {
  if (record.hides_batch()) network_.plugin_batch = record.max_batch;
  const PluginDraft draft(std::move(record), session);
  const PluginSession::Scope scope(session);
  const Node node = net.add_plugin(plugin_type_name(), operands, {}, network_.fresh_node_name(layer_.name));
  layer_.nodes.push_back(node);
  const std::vector<Value> values = net.outputs(node);
  for (size_t i = 0; i < layer_.results.size(); ++i) out(i, values.at(i));
}

nvinfer1::IPluginLayer* NetworkImpl::addPlugin(nvinfer1::ITensor* const* inputs, int32_t count,
                                               nvinfer1::IPlugin& plugin) {
  return make<PluginLayer>("addPlugin", inputs, count, plugin, static_cast<nvinfer1::IPluginExt*>(nullptr));
}
nvinfer1::IPluginLayer* NetworkImpl::addPluginExt(nvinfer1::ITensor* const* inputs, int32_t count,
                                                  nvinfer1::IPluginExt& plugin) {
  return make<PluginLayer>("addPluginExt", inputs, count, plugin, &plugin);
}
nvinfer1::IPluginV2Layer* NetworkImpl::addPluginV2(nvinfer1::ITensor* const* inputs, int32_t count,
                                                   nvinfer1::IPluginV2& plugin) {
  return make<PluginV2Layer>("addPluginV2", inputs, count, plugin);
}
nvinfer1::IPluginV3Layer* NetworkImpl::addPluginV3(nvinfer1::ITensor* const* inputs, int32_t count,
                                                   nvinfer1::ITensor* const* shape_inputs, int32_t shape_count,
                                                   nvinfer1::IPluginV3& plugin) {
  return make<PluginV3Layer>("addPluginV3", inputs, count, shape_inputs, shape_count, plugin);
}

}  // namespace planish::tensorrt
