#include "tensorrt/build/imported.h"

#include "tensorrt/build/interface_layer.h"

namespace planish::tensorrt {
namespace {

// A node that no layer of the interface stands for.
class ImportedLayer final : public LayerOf<nvinfer1::IIdentityLayer> {
 public:
  ImportedLayer(NetworkImpl& network, size_t results) : Base(network, nvinfer1::LayerType::kIDENTITY, results) {}
  void lower(Emit&) override {}
};

class ReadLayer final : public LayerOf<nvinfer1::IIdentityLayer> {
 public:
  ReadLayer(NetworkImpl& network, std::shared_ptr<const Network> read, Node node, size_t count)
      : Base(network, nvinfer1::LayerType::kIDENTITY, count),
        read_(std::move(read)),
        node_(node),
        node_name_(read_->name(node)) {}
  void read_operand(Value value, TensorImpl* tensor) {
    sources_.push_back({value, tensor == nullptr ? -1 : static_cast<int>(operands.size())});
    if (tensor != nullptr) operands.push_back(tensor);
  }
  void lower(Emit& emit) override {
    std::vector<Value> values;
    for (const Source& source : sources_)
      values.push_back(source.operand < 0 ? source.constant : emit.in(static_cast<size_t>(source.operand)));
    const auto made = emit.like(*read_, node_, values);
    for (size_t i = 0; i < made.size(); ++i) emit.out(i, made[i]);
  }
  const std::string& node_name() const { return node_name_; }
  bool reads_nothing() const { return sources_.empty(); }  // a list of extents, which may be a constant otherwise
  void require_like(const Network& read, Node node) const {
    if (read.operands(node).size() != sources_.size() || read.outputs(node).size() != results.size() ||
        read.op(node) != read_->op(node_))
      refuse("layer '" + name + "' is another one with these extents; parse the file with them");
  }
  // Takes a node that is like its own; true: it reads what this layer reads.
  bool bind(std::shared_ptr<const Network> read, Node node) {
    const std::vector<Value> values = read->operands(node), gives = read->outputs(node);
    bool same = true;
    for (size_t i = 0; i < values.size(); ++i) {
      if (sources_[i].operand < 0 || read->is_constant(values[i]))
        sources_[i] = {values[i], -1};
      else
        same = same && operands[static_cast<size_t>(sources_[i].operand)]->value == values[i];
    }
    for (size_t i = 0; i < gives.size(); ++i) results[i]->value = gives[i];
    read_ = std::move(read);
    node_ = node;
    nodes = {node};
    made = true;
    return same;
  }

 private:
  struct Source {
    Value constant;
    int operand;  // -1: the constant, or nothing
  };
  std::shared_ptr<const Network> read_;
  Node node_;
  std::string node_name_;
  std::vector<Source> sources_;
};

class KnownLayer final : public LayerOf<nvinfer1::IIdentityLayer> {
 public:
  KnownLayer(NetworkImpl& network, Value constant)
      : Base(network, nvinfer1::LayerType::kIDENTITY),
        constant_(constant),
        value_name_(network.nodes().name(constant)) {}
  void lower(Emit& emit) override { emit.out(0, constant_); }
  void bind() {
    if (const auto found = network.nodes().find(value_name_)) constant_ = *found;
  }

 private:
  Value constant_;
  std::string value_name_;
};

std::map<std::string, Node> nodes_by_name(const Network& network) {
  std::map<std::string, Node> nodes;
  for (Node node : network.nodes()) nodes[network.name(node)] = node;
  return nodes;
}

// Names and results of a layer whose node is there.
void take_node(LayerCore& layer, Node node, std::map<planish_value, TensorImpl*>& tensors) {
  const Network& nodes = layer.network.nodes();
  const std::vector<Value> values = nodes.outputs(node);
  layer.name = nodes.name(node);
  layer.nodes.push_back(node);
  for (size_t i = 0; i < values.size(); ++i) {
    TensorImpl& tensor = *layer.results[i];
    tensor.name = nodes.name(values[i]);
    tensor.value = values[i];
    tensors[values[i].id] = &tensor;
  }
}

// A list that begins with 1 begins with 0, which copies the operand's extent.
void keep_batch(Network& nodes, Node reshape) {
  const std::vector<Value> operands = nodes.operands(reshape);
  if (operands.size() < 2 || !nodes.is_constant(operands[1]) || nodes.dtype(operands[1]) != DataType::i64) return;
  const Extents extents = nodes.extents(operands[1]), from = nodes.extents(operands[0]);
  const auto* list = static_cast<const int64_t*>(nodes.constant_data(operands[1]));
  std::vector<int64_t> wanted(list, list + element_count(extents));
  if (wanted.empty() || wanted[0] != 1 || from.empty() || from[0] != 1 || nodes.is_constant(operands[0])) return;
  wanted[0] = 0;
  nodes.set_operand(reshape, 1, nodes.ints(wanted));
}

void name_batch(Network& nodes, Value input, const char* batch) {
  const TensorType type = nodes.type(input);
  Extents extents = nodes.extents(input);
  std::vector<std::string> names;
  for (const Dim& dim : type.dims) names.push_back(dim.is_number() ? "" : dim.text());
  names.at(0) = batch;
  extents[0] = -1;
  std::vector<const char*> symbols;
  for (const std::string& name : names) symbols.push_back(name.empty() ? nullptr : name.c_str());
  detail::check(planish_network_set_input_type(nodes.handle(), input.id, static_cast<planish_dtype>(nodes.dtype(input)),
                                               extents.data(), symbols.data(), static_cast<int32_t>(extents.size())));
}

}  // namespace

Network with_hidden_batch(Network read, const char* batch) {
  try {
    Network changed = read.clone();
    for (Node node : changed.nodes())
      if (changed.op(node) == "reshape") keep_batch(changed, node);
    for (Value input : changed.inputs()) name_batch(changed, input, batch);
    bool kept = true;
    for (Value output : changed.outputs()) {
      const TensorType type = changed.type(output);
      kept = kept && !type.dims.empty() && !type.dims[0].is_number() && type.dims[0].text() == batch;
    }
    if (kept) return changed;
  } catch (const std::exception&) {  // a rank of 0, or layers that need the batch that the model says
  }
  return read;
}

std::unique_ptr<LayerCore> read_layer(NetworkImpl& network, std::shared_ptr<const Network> read, Node node,
                                      std::map<planish_value, TensorImpl*>& tensors) {
  const Network& nodes = network.nodes();
  auto layer = std::make_unique<ReadLayer>(network, std::move(read), node, nodes.outputs(node).size());
  for (Value operand : nodes.operands(node)) {
    const auto at = tensors.find(operand.id);
    layer->read_operand(operand, at == tensors.end() ? nullptr : at->second);
  }
  take_node(*layer, node, tensors);
  layer->made = true;
  return layer;
}

void require_same_layers(const Network& read, const std::vector<std::unique_ptr<LayerCore>>& layers) {
  const auto by_name = nodes_by_name(read);
  for (const auto& layer : layers) {
    const auto* mine = dynamic_cast<const ReadLayer*>(layer.get());
    if (mine == nullptr) continue;
    const auto at = by_name.find(mine->node_name());
    if (at == by_name.end() && mine->reads_nothing()) continue;
    if (at == by_name.end())
      refuse("layer '" + layer->name + "' is not there with these extents; parse the file with them");
    mine->require_like(read, at->second);
  }
}

LayerCore* bind_layers(NetworkImpl& network, const std::vector<std::unique_ptr<LayerCore>>& layers) {
  const auto read = std::make_shared<const Network>(network.nodes().clone());
  const auto by_name = nodes_by_name(*read);
  LayerCore* other = nullptr;
  for (const auto& layer : layers) {
    if (auto* known = dynamic_cast<KnownLayer*>(layer.get())) known->bind();
    auto* mine = dynamic_cast<ReadLayer*>(layer.get());
    const auto at = mine == nullptr ? by_name.end() : by_name.find(mine->node_name());
    if (at != by_name.end() && !mine->bind(read, at->second) && other == nullptr) other = mine;
  }
  return other;
}

std::unique_ptr<LayerCore> constant_layer(NetworkImpl& network, Value constant) {
  auto layer = std::make_unique<KnownLayer>(network, constant);
  layer->name = network.nodes().name(constant);
  layer->results[0]->name = layer->name;
  return layer;
}

std::unique_ptr<LayerCore> import_layer(NetworkImpl& network, Node node,
                                        std::map<planish_value, TensorImpl*>& tensors) {
  const Network& nodes = network.nodes();
  std::vector<TensorImpl*> operands;
  for (Value operand : nodes.operands(node)) {
    const auto at = tensors.find(operand.id);
    operands.push_back(at == tensors.end() ? nullptr : at->second);
  }
  while (!operands.empty() && operands.back() == nullptr) operands.pop_back();
  const size_t results = nodes.outputs(node).size();
  auto layer = interface_layer(network, node, operands, results);
  if (layer == nullptr) layer = std::make_unique<ImportedLayer>(network, results);
  layer->imported = true;
  layer->metadata = "[ONNX Layer: " + nodes.name(node) + "]";
  layer->operands = std::move(operands);
  take_node(*layer, node, tensors);
  return layer;
}

}  // namespace planish::tensorrt
