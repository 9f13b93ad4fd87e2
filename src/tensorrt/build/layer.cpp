#include "tensorrt/build/layer.h"

#include <algorithm>

namespace planish::tensorrt {
namespace {

// As names of layers that nobody named spell them.
const char* kind_name(nvinfer1::LayerType type) {
  using nvinfer1::LayerType;
  switch (type) {
    case LayerType::kCONVOLUTION:
      return "Convolution";
    case LayerType::kFULLY_CONNECTED:
      return "Fully Connected";
    case LayerType::kACTIVATION:
      return "Activation";
    case LayerType::kPOOLING:
      return "Pooling";
    case LayerType::kLRN:
      return "LRN";
    case LayerType::kSCALE:
      return "Scale";
    case LayerType::kSOFTMAX:
      return "Softmax";
    case LayerType::kDECONVOLUTION:
      return "Deconvolution";
    case LayerType::kCONCATENATION:
      return "Concatenation";
    case LayerType::kELEMENTWISE:
      return "ElementWise";
    case LayerType::kUNARY:
      return "Unary";
    case LayerType::kSHUFFLE:
      return "Shuffle";
    case LayerType::kREDUCE:
      return "Reduce";
    case LayerType::kTOPK:
      return "TopK";
    case LayerType::kMATRIX_MULTIPLY:
      return "Matrix Multiply";
    case LayerType::kCONSTANT:
      return "Constant";
    default:
      return "Layer";
  }
}

// How many inputs a layer may be given; 0: as many as it was made with.
size_t most_inputs(nvinfer1::LayerType type) {
  using nvinfer1::LayerType;
  switch (type) {
    case LayerType::kSHUFFLE:
    case LayerType::kTOPK:
    case LayerType::kRESIZE:
    case LayerType::kRECURRENCE:
    case LayerType::kLOOP_OUTPUT:
    case LayerType::kDYNAMIC_QUANTIZE:
      return 2;
    case LayerType::kCONVOLUTION:
    case LayerType::kDECONVOLUTION:
    case LayerType::kFILL:
    case LayerType::kQUANTIZE:
    case LayerType::kDEQUANTIZE:
      return 3;
    case LayerType::kROTARY_EMBEDDING:
      return 4;
    case LayerType::kSLICE:
    case LayerType::kNMS:
    case LayerType::kATTENTION_OUTPUT:
      return 5;
    default:
      return 0;
  }
}

}  // namespace

LayerCore::LayerCore(NetworkImpl& owner, nvinfer1::LayerType kind, size_t outputs)
    : network(owner), type(kind), number(static_cast<size_t>(owner.getNbLayers())) {
  name = default_name();
  for (size_t i = 0; i < outputs; ++i) {
    results.push_back(std::make_unique<TensorImpl>(owner, this, static_cast<int>(i)));
    results.back()->name = name + "_output" + (i == 0 ? "" : "_" + std::to_string(i));
  }
}

std::string LayerCore::default_name() const {
  return "(Unnamed Layer* " + std::to_string(number) + ") [" + kind_name(type) + "]";
}

bool LayerCore::set_input(int32_t index, nvinfer1::ITensor& tensor) {
  return network.reporter().guard("ILayer::setInput", false, [&] {
    const size_t accepted = std::max(operands.size(), imported ? 0 : most_inputs(type));
    if (index < 0 || static_cast<size_t>(index) >= accepted)
      refuse("input " + std::to_string(index) + " of layer '" + name + "'; " + std::to_string(accepted) +
             " are accepted");
    if (imported) {
      TensorImpl& given = network.own(tensor);
      network.nodes().set_operand(nodes.at(0), static_cast<size_t>(index), network.value_of(given));
    } else {
      static_cast<void>(network.own(tensor));
      changed();
    }
    if (operands.size() <= static_cast<size_t>(index)) operands.resize(static_cast<size_t>(index) + 1, nullptr);
    operands[static_cast<size_t>(index)] = &network.own(tensor);
    return true;
  });
}

void LayerCore::changed() {
  if (imported)
    network.reporter().warn("layer '" + name + "' was read by a parser: its properties stay those of the model");
  else
    network.take_back(*this);
}

void LayerCore::set_extents(Extents& member, const nvinfer1::Dims& dims) {
  network.reporter().guard("ILayer", [&] { set(member, extents_of(dims)); });
}

void LayerCore::rename(const std::string& text) {
  if (!imported) {
    set(name, text);
    return;
  }
  name = text;
  network.reporter().guard("ILayer::setName", [&] { network.nodes().set_name(nodes.at(0), name); });
}

void LayerCore::set_operand(size_t index, nvinfer1::ITensor* tensor) {
  network.reporter().guard("ILayer::setInput", [&] {
    TensorImpl* given = tensor == nullptr ? nullptr : &network.own(*tensor);
    changed();
    if (operands.size() <= index) operands.resize(index + 1, nullptr);
    operands[index] = given;
  });
}

Value Emit::in(size_t operand) {
  TensorImpl* tensor = layer_.operand(operand);
  if (tensor == nullptr) refuse("input " + std::to_string(operand) + " is missing");
  return network_.value_of(*tensor);
}

std::vector<Value> Emit::ops(const char* name, const std::vector<Value>& operands, const Attributes& attributes,
                             int outputs) {
  const Node node = net.add_node(name, operands, attributes, network_.fresh_node_name(layer_.name), outputs);
  layer_.nodes.push_back(node);
  return net.outputs(node);
}

std::vector<Value> Emit::like(const Network& source, Node node, const std::vector<Value>& operands) {
  layer_.nodes.push_back(net.add_like(source, node, operands, network_.fresh_node_name(layer_.name)));
  return net.outputs(layer_.nodes.back());
}

Value Emit::op(const char* name, const std::vector<Value>& operands, const Attributes& attributes) {
  return ops(name, detail::without_absent_tail(operands), attributes).at(0);
}

std::vector<Value> Emit::expand(const char* name, const std::vector<Value>& operands, const Attributes& attributes,
                                int outputs) {
  return record([&] { return net.expand(name, operands, attributes, network_.fresh_node_name(layer_.name), outputs); });
}

void Emit::keep_new(const std::vector<Node>& before) {
  std::set<planish_node> old;
  for (Node node : before) old.insert(node.id);
  for (Node node : net.nodes())
    if (old.count(node.id) == 0) layer_.nodes.push_back(node);
}

Value Emit::unknown(Value x) {
  const Value number = op("random_uniform", {net.ints({})});
  return op("where", {op("less", {number, net.scalar(2.0F)}), x, x});
}

Value Emit::integer_scalar(Value x) {
  const Value number = integers(x);
  return rank(number) == 0 ? number : op("reshape", {number, net.ints({})});
}

Extents Emit::axes(uint32_t mask) const {
  Extents axes;
  for (int bit = 0; bit < 32; ++bit)
    if ((mask >> bit & 1U) != 0) axes.push_back(bit + offset());
  return axes;
}

namespace {

float half_to_float(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U, exponent = half >> 10U & 31U, fraction = half & 1023U;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 5.9604644775390625e-8F;
    return sign != 0 ? -value : value;
  }
  const uint32_t bits = sign | (exponent == 31 ? 0x7F800000U : (exponent + 112U) << 23U) | fraction << 13U;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

float wide(uint16_t bits, DataType type) {
  if (type == DataType::f16) return half_to_float(bits);
  const uint32_t whole = static_cast<uint32_t>(bits) << 16U;
  float value = 0;
  std::memcpy(&value, &whole, sizeof value);
  return value;
}

}  // namespace

void require_count(const nvinfer1::Weights& given, const Extents& extents, const char* what) {
  const int64_t needed = element_count(extents);
  if (given.values == nullptr && given.count > 0)
    refuse(std::string(what) + ": the pointer to " + std::to_string(given.count) + " weights is null");
  if (given.count != needed)
    refuse(std::string(what) + ": " + std::to_string(given.count) + " weights, " + std::to_string(needed) +
           " are needed (" + text_of(extents) + ")");
}

std::vector<float> floats_of(const nvinfer1::Weights& given, const Extents& extents, const char* what) {
  require_count(given, extents, what);
  const DataType type = type_of(given.type);
  std::vector<float> numbers(static_cast<size_t>(given.count));
  if (type == DataType::f32) {
    std::copy_n(static_cast<const float*>(given.values), numbers.size(), numbers.begin());
    return numbers;
  }
  if (type != DataType::f16 && type != DataType::bf16) refuse(std::string(what) + ": weights that are no floats");
  const auto* from = static_cast<const uint16_t*>(given.values);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = wide(from[i], type);
  return numbers;
}

Value Emit::weights(const nvinfer1::Weights& given, const Extents& extents, const char* what) {
  const DataType type = type_of(given.type);
  Value value;
  if (type == DataType::f16 || type == DataType::bf16) {
    value = net.constant(extents, floats_of(given, extents, what));
  } else {
    require_count(given, extents, what);
    value = net.constant(type, extents, given.values);
  }
  layer_.own_weights.push_back({given.values, what, value});
  return value;
}

void Emit::require_positive(Value x, const char* what) const {
  for (auto node = net.producer(x); node && net.op(*node) == "identity"; node = net.producer(x))
    x = net.operands(*node).at(0);
  if (!net.is_constant(x) || !is_float(net.dtype(x)) || net.dtype(x) == DataType::f64) return;
  const Extents extents = net.extents(x);
  for (float number : floats_of({type_of(net.dtype(x)), net.constant_data(x), element_count(extents)}, extents, what))
    if (!(number > 0)) refuse(std::string(what) + ": " + std::to_string(number) + "; numbers above 0 are accepted");
}

Value Emit::number(Value x, double value) {
  switch (net.dtype(x)) {
    case DataType::i32:
      return net.scalar(static_cast<int32_t>(value));
    case DataType::i64:
      return net.scalar(static_cast<int64_t>(value));
    case DataType::i8:
      return net.scalar(static_cast<int8_t>(value));
    case DataType::u8:
      return net.scalar(static_cast<uint8_t>(value));
    case DataType::f32:
      return net.scalar(static_cast<float>(value));
    default:
      return cast(net.scalar(static_cast<float>(value)), net.dtype(x));
  }
}

}  // namespace planish::tensorrt
