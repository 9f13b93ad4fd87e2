#include "tensorrt/build/imported.h"

namespace planish::tensorrt {
namespace {

// Its node is there already, and stays.
class ImportedLayer final : public LayerOf<nvinfer1::IIdentityLayer> {
 public:
  ImportedLayer(NetworkImpl& network, size_t results) : Base(network, nvinfer1::LayerType::kIDENTITY, results) {}
  void lower(Emit&) override {}
  void setName(char const* text) override {
    name = text == nullptr ? "" : text;
    network.reporter().guard("ILayer::setName", [&] { network.nodes().set_name(nodes.at(0), name); });
  }
};

}  // namespace

std::unique_ptr<LayerCore> import_layer(NetworkImpl& network, Node node,
                                        std::map<planish_value, TensorImpl*>& tensors) {
  Network& nodes = network.nodes();
  const std::vector<Value> results = nodes.outputs(node);
  auto layer = std::make_unique<ImportedLayer>(network, results.size());
  layer->imported = true;
  layer->made = false;
  layer->name = nodes.name(node);
  layer->metadata = "[ONNX Layer: " + layer->name + "]";
  layer->nodes.push_back(node);
  for (Value operand : nodes.operands(node)) {
    const auto at = tensors.find(operand.id);
    if (at != tensors.end()) layer->operands.push_back(at->second);
  }
  for (size_t i = 0; i < results.size(); ++i) {
    TensorImpl& tensor = *layer->results[i];
    tensor.name = nodes.name(results[i]);
    tensor.value = results[i];
    tensors[results[i].id] = &tensor;
  }
  return layer;
}

}  // namespace planish::tensorrt
