#pragma once
// What every layer is made of: operands, results, names, and how it becomes nodes.

#include <memory>
#include <string>
#include <vector>

#include "tensorrt/build/network.h"
#include "tensorrt/runtime/plugin_record.h"

namespace planish::tensorrt {

class Emit;
class ShippedKind;

class LayerCore {
 public:
  LayerCore(NetworkImpl& network, nvinfer1::LayerType type, size_t outputs);
  virtual ~LayerCore() = default;
  LayerCore(const LayerCore&) = delete;
  LayerCore& operator=(const LayerCore&) = delete;

  // Nodes of this layer; throws Error.
  virtual void lower(Emit& emit) = 0;
  virtual nvinfer1::ILayer& layer() = 0;

  void add_operand(nvinfer1::ITensor& tensor) { operands.push_back(&network.own(tensor)); }
  // The operand, or null.
  TensorImpl* operand(size_t i) const { return i < operands.size() ? operands[i] : nullptr; }
  void rename(const std::string& text);
  std::string default_name() const;
  // What was made of this layer no longer holds.
  virtual void changed();
  // A member that lower() looks at. False and a line in the log: the value is none of its enumeration's.
  template <class T, class U>
  bool set(T& member, const U& value) {
    return network.reporter().guard("ILayer", false, [&] {
      if constexpr (std::is_enum_v<T>) known(T{value});
      changed();
      member = value;
      return true;
    });
  }
  void set_extents(Extents& member, const nvinfer1::Dims& dims);

  NetworkImpl& network;
  nvinfer1::LayerType type;
  size_t number;  // in its network
  std::string name, metadata;
  std::vector<TensorImpl*> operands;  // null: absent
  std::vector<std::unique_ptr<TensorImpl>> results;
  std::vector<Node> nodes;
  struct OwnWeights {
    const void* given;
    std::string what;
    Value value;
  };
  std::vector<OwnWeights> own_weights;  // constants among its nodes' operands
  size_t first_operands = SIZE_MAX;     // how many have values before lower(); those behind them may depend on results
  bool made = false, making = false;
  bool imported = false;  // its nodes were read by a parser, and stay
  nvinfer1::DataType precision = nvinfer1::DataType::kFLOAT;
  bool precision_set = false;

  bool set_input(int32_t index, nvinfer1::ITensor& tensor);   // of those that a caller may give
  void set_operand(size_t index, nvinfer1::ITensor* tensor);  // null: absent
};

// The part of an interface that all layers have.
template <class Interface>
class LayerOf : public Interface, public LayerCore {
 public:
  using Base = LayerOf;
  LayerOf(NetworkImpl& network, nvinfer1::LayerType type, size_t outputs = 1) : LayerCore(network, type, outputs) {}
  nvinfer1::ILayer& layer() override { return *this; }

  nvinfer1::LayerType getType() const override { return type; }
  void setName(char const* text) override { rename(text == nullptr ? "" : text); }
  char const* getName() const override { return name.c_str(); }
  int32_t getNbInputs() const override { return static_cast<int32_t>(operands.size()); }
  nvinfer1::ITensor* getInput(int32_t index) const override {
    return index < 0 ? nullptr : operand(static_cast<size_t>(index));
  }
  int32_t getNbOutputs() const override { return static_cast<int32_t>(results.size()); }
  nvinfer1::ITensor* getOutput(int32_t index) const override {
    return index < 0 || index >= getNbOutputs() ? nullptr : results[static_cast<size_t>(index)].get();
  }
  void setInput(int32_t index, nvinfer1::ITensor& tensor) override { set_input(index, tensor); }
  void setPrecision(nvinfer1::DataType wanted) override {
    network.reporter().guard("ILayer::setPrecision", [&] { precision = known(wanted), precision_set = true; });
  }
  nvinfer1::DataType getPrecision() const override { return precision; }
  bool precisionIsSet() const override { return precision_set; }
  void resetPrecision() override { precision = nvinfer1::DataType::kFLOAT, precision_set = false; }
  void setOutputType(int32_t index, nvinfer1::DataType wanted) override {
    if (getOutput(index) == nullptr) return;
    TensorImpl& tensor = *results[static_cast<size_t>(index)];
    tensor.setType(wanted);
    tensor.type_by_layer = tensor.type_set && tensor.type == wanted;
  }
  nvinfer1::DataType getOutputType(int32_t index) const override {
    const nvinfer1::ITensor* tensor = getOutput(index);
    return tensor == nullptr ? nvinfer1::DataType::kFLOAT : tensor->getType();
  }
  bool outputTypeIsSet(int32_t index) const override {
    return index >= 0 && index < getNbOutputs() && results[static_cast<size_t>(index)]->type_set;
  }
  void resetOutputType(int32_t index) override {
    if (index >= 0 && index < getNbOutputs()) results[static_cast<size_t>(index)]->type_set = false;
  }
  void setMetadata(char const* text) override { metadata = text == nullptr ? "" : text; }
  char const* getMetadata() const override { return metadata.c_str(); }
  bool setNbRanks(int32_t ranks) override { return ranks == 1; }
  int32_t getNbRanks() const override { return 1; }
};

// Error when there are not as many, or none.
void require_count(const nvinfer1::Weights& weights, const Extents& extents, const char* what);
// As f32. Error when there are not as many.
std::vector<float> floats_of(const nvinfer1::Weights& weights, const Extents& extents, const char* what);

// Writes the nodes of one layer. Axes of the interface begin behind the batch axis where that is implicit.
class Emit {
 public:
  Emit(NetworkImpl& network, LayerCore& layer)
      : net(network.nodes()), implicit(network.implicit()), network_(network), layer_(layer) {}

  Network& net;
  const bool implicit;

  bool has(size_t operand) const { return layer_.operand(operand) != nullptr; }
  Value in(size_t operand);
  void out(size_t result, Value value) { layer_.results.at(result)->value = value; }

  Value op(const char* name, const std::vector<Value>& operands, const Attributes& attributes = {});
  std::vector<Value> ops(const char* name, const std::vector<Value>& operands, const Attributes& attributes,
                         int outputs = -1);
  // What an operator of ONNX becomes that stands for several.
  std::vector<Value> expand(const char* op, const std::vector<Value>& operands, const Attributes& attributes = {},
                            int outputs = 1);
  // All nodes that the call adds are the layer's.
  template <class Add>
  auto record(Add add) {
    const std::vector<Node> before = net.nodes();
    auto result = add();
    keep_new(before);
    return result;
  }
  // Values of any other tensor, and of nothing that can be known when the network is built: x itself at run time.
  Value value_of(nvinfer1::ITensor& tensor) { return network_.value_of(network_.own(tensor)); }
  Value unknown(Value x);
  // As a node of `source` is.
  std::vector<Value> like(const Network& source, Node node, const std::vector<Value>& operands);
  // A plugin that ships with the library: the layer's nodes are what it is made of.
  void run_shipped(const ShippedKind& kind);
  // A plugin of the caller's; its results are the layer's.
  void run_plugin(PluginRecord record, PluginSession& session, const std::vector<Value>& operands);

  // Weights as f32 (f16 and bf16 are widened, integers stay); Error when there are not as many.
  Value weights(const nvinfer1::Weights& weights, const Extents& extents, const char* what);
  // A number of the element type of x.
  Value number(Value x, double value);
  Value cast(Value x, DataType type) {
    return net.dtype(x) == type ? x : op("cast", {x}, {{"to", Attribute::Value(type)}});
  }
  Value integers(Value x) { return cast(x, DataType::i64); }
  Value integer_scalar(Value x);  // of a tensor of one element
  Value extent(Value x, int64_t axis) { return op("gather", {op("shape", {x}), net.scalar(axis)}); }
  // Indices leave with 32 bits below major 10.
  Value index_type(Value x, nvinfer1::DataType type) { return cast(x, type_of(type)); }

  int offset() const { return implicit ? 1 : 0; }
  int rank(Value x) const { return static_cast<int>(net.extents(x).size()); }
  Extents extents(Value x) const { return net.extents(x); }
  // Error where the value is constant and has an element that is not above 0.
  void require_positive(Value x, const char* what) const;
  // The bits of a mask as axes.
  Extents axes(uint32_t mask) const;

 private:
  void keep_new(const std::vector<Node>& before);

  NetworkImpl& network_;
  LayerCore& layer_;
};

template <class... Enums>
bool NetworkImpl::takes(const char* call, Enums... values) const {
  return reporter_.guard(call, false, [&] { return (static_cast<void>(known(values)), ...), true; });
}

template <class Layer, class... Args>
Layer* NetworkImpl::make(const char* call, Args&&... args) {
  return reporter_.guard(call, static_cast<Layer*>(nullptr), [&] {
    (known(args), ...);
    auto layer = std::make_unique<Layer>(*this, std::forward<Args>(args)...);
    Layer* made = layer.get();
    add(std::move(layer));
    return made;
  });
}

// A property of a layer that decides what its nodes are.
#define PLANISH_TENSORRT_PROPERTY(Type, Name, member, initial)      \
  void set##Name(Type value) override { this->set(member, value); } \
  Type get##Name() const override { return member; }                \
  Type member = initial;

}  // namespace planish::tensorrt
