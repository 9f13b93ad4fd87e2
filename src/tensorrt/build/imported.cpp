#include "tensorrt/build/imported.h"

#include <algorithm>
#include <functional>

#include "tensorrt/build/layers_math.h"
#include "tensorrt/build/layers_pointwise.h"
#include "tensorrt/build/layers_shape.h"
#include "tensorrt/build/layers_window.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::ActivationType;
using nvinfer1::ElementWiseOperation;
using nvinfer1::ITensor;
using nvinfer1::ReduceOperation;
using nvinfer1::UnaryOperation;
using nvinfer1::Weights;
using Layer = std::unique_ptr<LayerCore>;

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

// What a node says to whoever makes its layer.
struct Source {
  NetworkImpl& network;
  std::string op;
  std::vector<Value> operands;
  Attributes attributes;
  ITensor& x;  // some operand; the right ones follow

  const Network& nodes() const { return network.nodes(); }
  // Absent where operand i is no constant.
  Weights weights(size_t i) const {
    const bool constant = i < operands.size() && operands[i].present() && nodes().is_constant(operands[i]);
    if (!constant) return {nvinfer1::DataType::kFLOAT, nullptr, 0};
    return {type_of(nodes().dtype(operands[i])), nodes().constant_data(operands[i]),
            element_count(nodes().extents(operands[i]))};
  }
  uint32_t axis_bit(int64_t axis) const {
    const auto rank = static_cast<int64_t>(nodes().extents(operands.at(0)).size());
    return 1U << static_cast<uint32_t>(axis < 0 ? axis + rank : axis);
  }
};

float number(const Source& from, const char* name, double otherwise) {
  return static_cast<float>(from.attributes.get_or<double>(name, otherwise));
}

template <class Window>
void set_window(Window& layer, const Source& from, size_t axes) {
  const auto set = [&](const Extents& list, auto setter) {
    if (list.size() == axes) (layer.*setter)(dims_of(list));
  };
  set(from.attributes.get_or<Extents>("strides", {}), &Window::setStrideNd);
  const Extents pads = from.attributes.get_or<Extents>("pads", {});
  if (pads.size() != 2 * axes) return;
  const auto half = pads.begin() + static_cast<long>(axes);
  layer.setPrePadding(dims_of(Extents(pads.begin(), half)));
  layer.setPostPadding(dims_of(Extents(half, pads.end())));
}

template <class Weighted>
Layer weighted(const Source& from) {
  const Extents extents = from.nodes().extents(from.operands.at(1));
  const Weights kernel = from.weights(1);
  if (kernel.values == nullptr || extents.size() < 4 || extents.size() > 5) return nullptr;
  const int64_t groups = from.attributes.get_or<int64_t>("group", 1);
  const bool backwards = std::is_same_v<Weighted, DeconvolutionLayer>;
  auto layer =
      std::make_unique<Weighted>(from.network, from.x, backwards ? extents[1] * groups : extents[0],
                                 dims_of(Extents(extents.begin() + 2, extents.end())), kernel, from.weights(2));
  set_window(*layer, from, extents.size() - 2);
  if (const Extents dilation = from.attributes.get_or<Extents>("dilations", {}); dilation.size() == extents.size() - 2)
    layer->setDilationNd(dims_of(dilation));
  layer->setNbGroups(static_cast<nvinfer1::door::Extent>(groups));
  return layer;
}

Layer pooling(const Source& from) {
  const Extents kernel = from.attributes.get_or<Extents>("kernel_shape", {});
  if (kernel.size() < 2 || kernel.size() > 3) return nullptr;
  const bool max = from.op == "max_pool";
  auto layer = std::make_unique<PoolingLayer>(
      from.network, from.x, max ? nvinfer1::PoolingType::kMAX : nvinfer1::PoolingType::kAVERAGE, dims_of(kernel));
  set_window(*layer, from, kernel.size());
  layer->setAverageCountExcludesPadding(from.attributes.get_or<int64_t>("count_include_pad", 0) == 0);
  return layer;
}

Layer activation(const Source& from, ActivationType type) {
  auto layer = std::make_unique<ActivationLayer>(from.network, from.x, type);
  layer->setAlpha(number(from, "alpha", type == ActivationType::kLEAKY_RELU ? 0.01 : 1.0));
  layer->setBeta(number(from, "beta", 0));
  return layer;
}

Layer softmax(const Source& from) {
  auto layer = std::make_unique<SoftMaxLayer>(from.network, from.x);
  layer->setAxes(from.axis_bit(from.attributes.get_or<int64_t>("axis", -1)));
  return layer;
}

Layer concatenation(const Source& from) {
  ITensor* inputs[] = {&from.x};
  auto layer = std::make_unique<ConcatenationLayer>(from.network, inputs, 1);
  const int64_t axis = from.attributes.get_or<int64_t>("axis", 0),
                rank = std::ssize(from.nodes().extents(from.operands.at(0)));
  layer->setAxis(static_cast<int32_t>(axis < 0 ? axis + rank : axis));
  return layer;
}

Layer reduction(const Source& from, ReduceOperation op) {
  uint32_t mask = 0;
  const Weights axes = from.weights(1);
  if (axes.type == nvinfer1::DataType::kINT64)
    for (int64_t i = 0; i < axes.count; ++i) mask |= from.axis_bit(static_cast<const int64_t*>(axes.values)[i]);
  return std::make_unique<ReduceLayer>(from.network, from.x, op, mask,
                                       from.attributes.get_or<int64_t>("keepdims", 1) != 0);
}

Layer transposition(const Source& from) {
  auto layer = std::make_unique<ShuffleLayer>(from.network, from.x);
  const Extents order = from.attributes.get_or<Extents>("perm", {});
  nvinfer1::Permutation permutation{};
  for (size_t i = 0; i < std::min<size_t>(order.size(), 8); ++i) permutation.order[i] = static_cast<int32_t>(order[i]);
  layer->setFirstTranspose(permutation);
  return layer;
}

using Make = std::function<Layer(const Source&)>;

template <class Made, class Enum>
Make with(Enum value) {
  return [value](const Source& from) -> Layer { return std::make_unique<Made>(from.network, from.x, value); };
}
Make activating(ActivationType type) {
  return [type](const Source& from) { return activation(from, type); };
}
Make joining(ElementWiseOperation op) {
  return [op](const Source& from) -> Layer {
    return std::make_unique<ElementWiseLayer>(from.network, from.x, from.x, op);
  };
}
Make reducing(ReduceOperation op) {
  return [op](const Source& from) { return reduction(from, op); };
}

const std::map<std::string, Make>& makers() {
  using A = ActivationType;
  using E = ElementWiseOperation;
  using R = ReduceOperation;
  using U = UnaryOperation;
  static const std::map<std::string, Make> all = {
      {"conv", weighted<ConvolutionLayer>},
      {"conv_transpose", weighted<DeconvolutionLayer>},
      {"max_pool", pooling},
      {"average_pool", pooling},
      {"relu", activating(A::kRELU)},
      {"sigmoid", activating(A::kSIGMOID)},
      {"tanh", activating(A::kTANH)},
      {"leaky_relu", activating(A::kLEAKY_RELU)},
      {"elu", activating(A::kELU)},
      {"selu", activating(A::kSELU)},
      {"softsign", activating(A::kSOFTSIGN)},
      {"softplus", activating(A::kSOFTPLUS)},
      {"hard_sigmoid", activating(A::kHARD_SIGMOID)},
      {"thresholded_relu", activating(A::kTHRESHOLDED_RELU)},
      {"add", joining(E::kSUM)},
      {"mul", joining(E::kPROD)},
      {"max", joining(E::kMAX)},
      {"min", joining(E::kMIN)},
      {"sub", joining(E::kSUB)},
      {"div", joining(E::kDIV)},
      {"pow", joining(E::kPOW)},
      {"and", joining(E::kAND)},
      {"or", joining(E::kOR)},
      {"xor", joining(E::kXOR)},
      {"equal", joining(E::kEQUAL)},
      {"greater", joining(E::kGREATER)},
      {"less", joining(E::kLESS)},
      {"exp", with<UnaryLayer>(U::kEXP)},
      {"log", with<UnaryLayer>(U::kLOG)},
      {"sqrt", with<UnaryLayer>(U::kSQRT)},
      {"reciprocal", with<UnaryLayer>(U::kRECIP)},
      {"abs", with<UnaryLayer>(U::kABS)},
      {"neg", with<UnaryLayer>(U::kNEG)},
      {"sin", with<UnaryLayer>(U::kSIN)},
      {"cos", with<UnaryLayer>(U::kCOS)},
      {"ceil", with<UnaryLayer>(U::kCEIL)},
      {"floor", with<UnaryLayer>(U::kFLOOR)},
      {"erf", with<UnaryLayer>(U::kERF)},
      {"not", with<UnaryLayer>(U::kNOT)},
      {"softmax", softmax},
      {"concat", concatenation},
      {"reduce_sum", reducing(R::kSUM)},
      {"reduce_prod", reducing(R::kPROD)},
      {"reduce_max", reducing(R::kMAX)},
      {"reduce_min", reducing(R::kMIN)},
      {"reduce_mean", reducing(R::kAVG)},
      {"matmul",
       [](const Source& from) -> Layer {
         using nvinfer1::MatrixOperation;
         return std::make_unique<MatrixMultiplyLayer>(from.network, from.x, MatrixOperation::kNONE, from.x,
                                                      MatrixOperation::kNONE);
       }},
      {"reshape", [](const Source& from) -> Layer { return std::make_unique<ShuffleLayer>(from.network, from.x); }},
      {"transpose", transposition},
      {"shape", [](const Source& from) -> Layer { return std::make_unique<ShapeLayer>(from.network, from.x); }},
      {"resize", [](const Source& from) -> Layer { return std::make_unique<ResizeLayer>(from.network, from.x); }},
      {"cast",
       [](const Source& from) -> Layer {
         return std::make_unique<CastLayer>(from.network, from.x, type_of(from.attributes.get<DataType>("to")));
       }},
  };
  return all;
}

// The interface's layer where there is one of as many results.
Layer layer_of(NetworkImpl& network, Node node, const std::vector<TensorImpl*>& operands, size_t results) {
  const auto tensor = std::find_if(operands.begin(), operands.end(), [](TensorImpl* one) { return one != nullptr; });
  const auto maker = makers().find(network.nodes().op(node));
  if (maker != makers().end() && tensor != operands.end()) {
    try {
      Layer layer = maker->second(
          {network, maker->first, network.nodes().operands(node), network.nodes().attributes(node), **tensor});
      if (layer != nullptr && layer->results.size() == results) return layer;
    } catch (const Error&) {  // a property that the interface has no room for
    }
  }
  return std::make_unique<ImportedLayer>(network, results);
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
  auto layer = layer_of(network, node, operands, nodes.outputs(node).size());
  layer->imported = true;
  layer->metadata = "[ONNX Layer: " + nodes.name(node) + "]";
  layer->operands = std::move(operands);
  take_node(*layer, node, tensors);
  return layer;
}

}  // namespace planish::tensorrt
