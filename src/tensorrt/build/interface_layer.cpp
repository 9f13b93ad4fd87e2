#include "tensorrt/build/interface_layer.h"

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

// What a node says to whoever makes its layer.
struct NodeSource {
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

float number(const NodeSource& from, const char* name, double otherwise) {
  return static_cast<float>(from.attributes.get_or<double>(name, otherwise));
}

template <class Window>
void set_window(Window& layer, const NodeSource& from, size_t axes) {
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
Layer weighted(const NodeSource& from) {
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

Layer pooling(const NodeSource& from) {
  const Extents kernel = from.attributes.get_or<Extents>("kernel_shape", {});
  if (kernel.size() < 2 || kernel.size() > 3) return nullptr;
  const bool max = from.op == "max_pool";
  auto layer = std::make_unique<PoolingLayer>(
      from.network, from.x, max ? nvinfer1::PoolingType::kMAX : nvinfer1::PoolingType::kAVERAGE, dims_of(kernel));
  set_window(*layer, from, kernel.size());
  layer->setAverageCountExcludesPadding(from.attributes.get_or<int64_t>("count_include_pad", 0) == 0);
  return layer;
}

Layer activation(const NodeSource& from, ActivationType type) {
  auto layer = std::make_unique<ActivationLayer>(from.network, from.x, type);
  layer->setAlpha(number(from, "alpha", type == ActivationType::kLEAKY_RELU ? 0.01 : 1.0));
  layer->setBeta(number(from, "beta", 0));
  return layer;
}

Layer softmax(const NodeSource& from) {
  auto layer = std::make_unique<SoftMaxLayer>(from.network, from.x);
  layer->setAxes(from.axis_bit(from.attributes.get_or<int64_t>("axis", -1)));
  return layer;
}

Layer concatenation(const NodeSource& from) {
  ITensor* inputs[] = {&from.x};
  auto layer = std::make_unique<ConcatenationLayer>(from.network, inputs, 1);
  const int64_t axis = from.attributes.get_or<int64_t>("axis", 0),
                rank = std::ssize(from.nodes().extents(from.operands.at(0)));
  layer->setAxis(static_cast<int32_t>(axis < 0 ? axis + rank : axis));
  return layer;
}

Layer reduction(const NodeSource& from, ReduceOperation op) {
  uint32_t mask = 0;
  const Weights axes = from.weights(1);
  if (axes.type == nvinfer1::DataType::kINT64)
    for (int64_t i = 0; i < axes.count; ++i) mask |= from.axis_bit(static_cast<const int64_t*>(axes.values)[i]);
  return std::make_unique<ReduceLayer>(from.network, from.x, op, mask,
                                       from.attributes.get_or<int64_t>("keepdims", 1) != 0);
}

Layer transposition(const NodeSource& from) {
  auto layer = std::make_unique<ShuffleLayer>(from.network, from.x);
  const Extents order = from.attributes.get_or<Extents>("perm", {});
  nvinfer1::Permutation permutation{};
  for (size_t i = 0; i < std::min<size_t>(order.size(), 8); ++i) permutation.order[i] = static_cast<int32_t>(order[i]);
  layer->setFirstTranspose(permutation);
  return layer;
}

using Make = std::function<Layer(const NodeSource&)>;

template <class Made, class Enum>
Make with(Enum value) {
  return [value](const NodeSource& from) -> Layer { return std::make_unique<Made>(from.network, from.x, value); };
}
Make activating(ActivationType type) {
  return [type](const NodeSource& from) { return activation(from, type); };
}
Make joining(ElementWiseOperation op) {
  return [op](const NodeSource& from) -> Layer {
    return std::make_unique<ElementWiseLayer>(from.network, from.x, from.x, op);
  };
}
Make reducing(ReduceOperation op) {
  return [op](const NodeSource& from) { return reduction(from, op); };
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
       [](const NodeSource& from) -> Layer {
         using nvinfer1::MatrixOperation;
         return std::make_unique<MatrixMultiplyLayer>(from.network, from.x, MatrixOperation::kNONE, from.x,
                                                      MatrixOperation::kNONE);
       }},
      {"reshape", [](const NodeSource& from) -> Layer { return std::make_unique<ShuffleLayer>(from.network, from.x); }},
      {"transpose", transposition},
      {"shape", [](const NodeSource& from) -> Layer { return std::make_unique<ShapeLayer>(from.network, from.x); }},
      {"resize", [](const NodeSource& from) -> Layer { return std::make_unique<ResizeLayer>(from.network, from.x); }},
      {"cast",
       [](const NodeSource& from) -> Layer {
         return std::make_unique<CastLayer>(from.network, from.x, type_of(from.attributes.get<DataType>("to")));
       }},
  };
  return all;
}

}  // namespace

std::unique_ptr<LayerCore> interface_layer(NetworkImpl& network, Node node, const std::vector<TensorImpl*>& operands,
                                           size_t results) {
  const auto tensor = std::find_if(operands.begin(), operands.end(), [](TensorImpl* one) { return one != nullptr; });
  const auto maker = makers().find(network.nodes().op(node));
  if (maker == makers().end() || tensor == operands.end()) return nullptr;
  try {
    Layer layer = maker->second(
        {network, maker->first, network.nodes().operands(node), network.nodes().attributes(node), **tensor});
    return layer != nullptr && layer->results.size() == results ? std::move(layer) : nullptr;
  } catch (const Error&) {  // a property that the interface has no room for
    return nullptr;
  }
}

}  // namespace planish::tensorrt
