#include "tensorrt/build/caffe_import.h"

#include <exception>

#include "tensorrt/build/imported.h"

namespace planish::tensorrt {
namespace {

// The plugins of one import: each is added to the network at its place among the layers.
class PluginImport {
 public:
  PluginImport(NetworkImpl& network, const CaffePlugins& plugins, CaffeWeights& kept)
      : network_(network), plugins_(plugins), kept_(kept) {}

  // As planish_import_options::layer.
  static int32_t ask(void* self, planish_network* nodes, const planish_import_layer* layer, planish_value* outputs) {
    auto& mine = *static_cast<PluginImport*>(self);
    try {
      return mine.make(nodes, *layer, outputs) ? 1 : 0;
    } catch (...) {
      mine.thrown_ = std::current_exception();
      return -1;
    }
  }
  // What was thrown on the way.
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

 private:
  // The importer's nodes are the network's while this lives.
  class Lent {
   public:
    Lent(NetworkImpl& network, planish_network* nodes)
        : network_(network), before_(network.exchange_nodes(Network::take(nodes))) {}
    ~Lent() { network_.exchange_nodes(std::move(before_)).release(); }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

   private:
    NetworkImpl& network_;
    Network before_;
  };

  bool make(planish_network* nodes, const planish_import_layer& layer, planish_value* outputs) {
    const bool second = plugins_.second != nullptr && plugins_.second->isPluginV2(layer.name);
    const bool ext = !second && plugins_.first_ext != nullptr && plugins_.first_ext->isPluginExt(layer.name);
    auto* first = plugins_.first_ext != nullptr ? plugins_.first_ext : plugins_.first;
    if (!second && !ext && (first == nullptr || !first->isPlugin(layer.name))) return false;
    const Lent lent(network_, nodes);
    const PluginSession::Scope scope(*network_.plugins);
    const std::vector<nvinfer1::Weights> weights = weights_of(layer);
    const auto count = static_cast<int32_t>(weights.size());
    const std::vector<nvinfer1::ITensor*> inputs = inputs_of(layer);
    const auto input_count = static_cast<int32_t>(inputs.size());
    nvinfer1::ILayer* added = nullptr;
    if (second) {
      auto* plugin = plugins_.second->createPlugin(layer.name, weights.data(), count, plugins_.space.c_str());
      added = network_.addPluginV2(inputs.data(), input_count, *made(plugin));
    } else {
      auto* plugin = made(first->createPlugin(layer.name, weights.data(), count));
      added = ext ? network_.addPluginExt(inputs.data(), input_count, static_cast<nvinfer1::IPluginExt&>(*plugin))
                  : network_.addPlugin(inputs.data(), input_count, *plugin);
    }
    if (added == nullptr) refuse("the plugin could not be added");
    added->setName(layer.name);
    give(*added, layer, outputs);
    return true;
  }
  template <class Plugin>
  static Plugin* made(Plugin* plugin) {
    if (plugin == nullptr) refuse("the factory made no plugin");
    return plugin;
  }
  std::vector<nvinfer1::Weights> weights_of(const planish_import_layer& layer) {
    std::vector<nvinfer1::Weights> list;
    for (size_t i = 0; i < layer.blob_count; ++i) {
      const planish_import_blob& blob = layer.blobs[i];
      const int64_t count = element_count(Extents(blob.extents, blob.extents + blob.rank));
      kept_.emplace_back(blob.values, blob.values + count);
      list.push_back({nvinfer1::DataType::kFLOAT, kept_.back().data(), count});
    }
    return list;
  }
  std::vector<nvinfer1::ITensor*> inputs_of(const planish_import_layer& layer) {
    network_.absorb();
    const auto tensors = network_.tensors_by_value();
    std::vector<nvinfer1::ITensor*> inputs;
    for (size_t i = 0; i < layer.input_count; ++i) {
      const Value value{layer.inputs[i]};
      if (const auto at = tensors.find(value.id); at != tensors.end()) {
        inputs.push_back(at->second);
        continue;
      }
      network_.add(constant_layer(network_, value));
      inputs.push_back(network_.layers().back()->layer().getOutput(0));
    }
    return inputs;
  }
  void give(nvinfer1::ILayer& added, const planish_import_layer& layer, planish_value* outputs) {
    for (size_t i = 0; i < layer.output_count; ++i) {
      nvinfer1::ITensor* result = added.getOutput(static_cast<int32_t>(i));
      if (result == nullptr)
        refuse(std::to_string(layer.output_count) + " tops, the plugin has " + std::to_string(added.getNbOutputs()) +
               " outputs");
      outputs[i] = network_.value_of(network_.own(*result)).id;
    }
  }

  NetworkImpl& network_;
  const CaffePlugins& plugins_;
  CaffeWeights& kept_;
  std::exception_ptr thrown_;
};

}  // namespace

nvinfer1::ITensor* CaffeBlobs::find(char const* name) const {
  if (name == nullptr) return nullptr;
  if (const auto at = found_.find(name); at != found_.end()) return at->second;
  return network_.reporter().guard("IBlobNameToTensor::find", static_cast<nvinfer1::ITensor*>(nullptr), [&] {
    const auto at = tensors_.find(name);
    nvinfer1::ITensor* tensor = at == tensors_.end() ? constant(name) : shown(*at->second);
    if (tensor != nullptr) found_[name] = tensor;
    return tensor;
  });
}

// A blob that the layers' extents decide: prior boxes.
nvinfer1::ITensor* CaffeBlobs::constant(const std::string& name) const {
  const auto value = network_.nodes().find(name);
  if (!value || !network_.nodes().is_constant(*value)) return nullptr;
  network_.add(constant_layer(network_, *value));
  return network_.layers().back()->layer().getOutput(0);
}

nvinfer1::ITensor* CaffeBlobs::shown(TensorImpl& tensor) const {
  const Extents extents = network_.nodes().extents(network_.value_of(tensor));
  if (!network_.implicit() || tensor.is_input || extents.size() != 2 || extents[1] < 0) return &tensor;
  nvinfer1::IShuffleLayer* layer = network_.addShuffle(tensor);
  if (layer == nullptr) return nullptr;
  layer->setReshapeDimensions(dims_of({extents[1], 1, 1}));
  layer->setName((tensor.name + ".shown").c_str());
  layer->getOutput(0)->setName(tensor.name.c_str());
  return layer->getOutput(0);
}

void CaffeBlobs::take_since(const NetworkImpl::Mark& mark) {
  for (size_t i = mark.inputs; i < network_.inputs().size(); ++i)
    tensors_[network_.inputs()[i]->name] = network_.inputs()[i].get();
  for (size_t i = mark.layers; i < network_.layers().size(); ++i)
    for (const auto& result : network_.layers()[i]->results) {
      if (!result->value.present()) continue;
      result->name = network_.nodes().name(result->value);
      tensors_[result->name] = result.get();
    }
}

std::unique_ptr<CaffeBlobs> read_caffe(NetworkImpl& network, const CaffeModel& model, const CaffePlugins& plugins,
                                       CaffeWeights& kept) {
  for (const auto& input : network.inputs()) network.value_of(*input);
  PluginImport made(network, plugins, kept);
  auto options = detail::sized<planish_import_options>();
  options.format = PLANISH_FORMAT_CAFFE;
  options.path = model.text.name;
  options.bytes = model.text.bytes;
  options.size = model.text.size;
  if (model.weights != nullptr) {
    options.weights = model.weights->name;
    options.weights_bytes = model.weights->bytes;
    options.weights_size = model.weights->size;
  }
  options.random_weights = model.weights == nullptr ? 1 : 0;
  options.half_weights = model.half_weights ? 1 : 0;
  options.keep_values = 1;
  options.batch = network.implicit() ? NetworkImpl::batch_symbol() : nullptr;
  options.into = network.nodes().handle();
  if (plugins.any()) options.layer = PluginImport::ask, options.layer_user = &made;
  const NetworkImpl::Mark before = network.mark();
  try {
    planish_network* grown = nullptr;
    const planish_status status = planish_network_import_with(&options, &grown);
    made.rethrow();
    detail::check(status);
    network.exchange_nodes(Network::take(grown));
    network.absorb();
    auto blobs = std::make_unique<CaffeBlobs>(network);
    blobs->take_since(before);
    return blobs;
  } catch (...) {
    network.forget_since(before);
    throw;
  }
}

}  // namespace planish::tensorrt
