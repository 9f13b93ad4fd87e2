#include "tensorrt/build/layers_pointwise.h"

#include <algorithm>

namespace planish::tensorrt {

// alpha and beta by kind: selu beta * (x >= 0 ? x : alpha (e^x - 1)); softplus alpha log(e^(beta x) + 1); clip
// [alpha, beta]; hard sigmoid clip(alpha x + beta, 0, 1); scaled tanh alpha tanh(beta x).
void ActivationLayer::lower(Emit& emit) {
  using nvinfer1::ActivationType;
  const Value x = emit.in(0);
  const auto times = [&](double factor, Value value) { return emit.op("mul", {value, emit.number(value, factor)}); };
  const double a = alpha, b = beta;
  Value y;
  switch (activation) {
    case ActivationType::kRELU:
      y = emit.op("relu", {x});
      break;
    case ActivationType::kSIGMOID:
      y = emit.op("sigmoid", {x});
      break;
    case ActivationType::kTANH:
      y = emit.op("tanh", {x});
      break;
    case ActivationType::kLEAKY_RELU:
      y = emit.op("leaky_relu", {x}, {{"alpha", a}});
      break;
    case ActivationType::kELU:
      y = emit.op("elu", {x}, {{"alpha", a}});
      break;
    case ActivationType::kSELU:
      y = emit.op("selu", {x}, {{"alpha", a}, {"gamma", b}});
      break;
    case ActivationType::kSOFTSIGN:
      y = emit.op("softsign", {x});
      break;
    case ActivationType::kSOFTPLUS:
      y = times(a, emit.op("softplus", {times(b, x)}));
      break;
    case ActivationType::kCLIP:
      y = emit.op("min", {emit.op("max", {x, emit.number(x, a)}), emit.number(x, b)});
      break;
    case ActivationType::kHARD_SIGMOID:
      y = emit.op("hard_sigmoid", {x}, {{"alpha", a}, {"beta", b}});
      break;
    case ActivationType::kSCALED_TANH:
      y = times(a, emit.op("tanh", {times(b, x)}));
      break;
    case ActivationType::kTHRESHOLDED_RELU:
      y = emit.op("thresholded_relu", {x}, {{"alpha", a}});
      break;
    case ActivationType::kGELU_ERF:
      y = emit.op("gelu", {x});
      break;
    case ActivationType::kGELU_TANH:
      y = emit.op("gelu", {x}, {{"approximate", "tanh"}});
      break;
    default:
      refuse("activation " + std::to_string(static_cast<int>(activation)) + " is not known");
  }
  emit.out(0, y);
}

// One number; one a channel; one an element of a sample (or of all, where there are as many).
Extents ScaleLayer::weight_extents(const Emit& emit, const Extents& x, int64_t count) const {
  if (mode == nvinfer1::ScaleMode::kUNIFORM) return {};
  const auto channel = static_cast<size_t>(getChannelAxis() + emit.offset());
  if (channel >= x.size()) refuse("the channel axis " + std::to_string(channel) + " of " + text_of(x));
  Extents extents(x.size() - channel, 1);
  if (mode == nvinfer1::ScaleMode::kCHANNEL) {
    extents[0] = x[channel];
    return extents;
  }
  if (std::count(x.begin(), x.end(), -1) == 0 && element_count(x) == count) return x;
  return Extents(x.begin() + 1, x.end());
}

void ScaleLayer::lower(Emit& emit) {
  Value x = emit.in(0);
  const Extents extents = emit.extents(x);
  const auto step = [&](const char* op, const nvinfer1::Weights& given, const char* what) {
    if (given.count > 0) x = emit.op(op, {x, emit.weights(given, weight_extents(emit, extents, given.count), what)});
  };
  step("mul", scale, "scale");
  step("add", shift, "shift");
  step("pow", power, "power");
  emit.out(0, scale.count + shift.count + power.count > 0 ? x : emit.op("identity", {x}));
}

void ElementWiseLayer::lower(Emit& emit) {
  static constexpr const char* kOps[] = {"add", "mul", "max", "min", "sub",   "div",     "pow",
                                         nullptr, "and", "or",  "xor", "equal", "greater", "less"};
  const auto index = static_cast<size_t>(operation);
  if (index >= std::size(kOps)) refuse("operation " + std::to_string(index) + " is not known");
  const Value a = emit.in(0), b = emit.in(1);
  if (emit.rank(a) != emit.rank(b))
    refuse("operands of rank " + std::to_string(emit.rank(a)) + " and " + std::to_string(emit.rank(b)) +
           "; equal ranks are accepted");
  if (kOps[index] != nullptr) return emit.out(0, emit.op(kOps[index], {a, b}));
  const DataType type = emit.net.dtype(a);  // floor of the quotient; of integers (a - mod(a, b)) / b
  if (type == DataType::f32 || type == DataType::f16)
    emit.out(0, emit.op("floor", {emit.op("div", {a, b})}));
  else
    emit.out(0, emit.op("div", {emit.op("sub", {a, emit.op("mod", {a, b})}), b}));
}

void UnaryLayer::lower(Emit& emit) {
  static constexpr const char* kOps[] = {"exp",  "log",  "sqrt", "reciprocal", "abs",  "neg",  "sin",  "cos",  "tan",
                                         "sinh", "cosh", "asin", "acos",       "atan", "asinh", "acosh", "atanh", "ceil",
                                         "floor", "erf", "not",  "sign",       "round", "is_inf", "is_nan"};
  const auto index = static_cast<size_t>(operation);
  if (index >= std::size(kOps)) refuse("operation " + std::to_string(index) + " is not known");
  emit.out(0, emit.op(kOps[index], {emit.in(0)}));
}

// --- add*

nvinfer1::IActivationLayer* NetworkImpl::addActivation(nvinfer1::ITensor& x, nvinfer1::ActivationType type) {
  return make<ActivationLayer>("addActivation", x, type);
}
nvinfer1::IScaleLayer* NetworkImpl::addScale(nvinfer1::ITensor& x, nvinfer1::ScaleMode mode, nvinfer1::Weights shift,
                                             nvinfer1::Weights scale, nvinfer1::Weights power) {
  return make<ScaleLayer>("addScale", x, mode, shift, scale, power, -1);
}
nvinfer1::IScaleLayer* NetworkImpl::addScaleNd(nvinfer1::ITensor& x, nvinfer1::ScaleMode mode, nvinfer1::Weights shift,
                                               nvinfer1::Weights scale, nvinfer1::Weights power, int32_t axis) {
  return make<ScaleLayer>("addScaleNd", x, mode, shift, scale, power, axis);
}
nvinfer1::IElementWiseLayer* NetworkImpl::addElementWise(nvinfer1::ITensor& a, nvinfer1::ITensor& b,
                                                         nvinfer1::ElementWiseOperation op) {
  return make<ElementWiseLayer>("addElementWise", a, b, op);
}
nvinfer1::IUnaryLayer* NetworkImpl::addUnary(nvinfer1::ITensor& x, nvinfer1::UnaryOperation op) {
  return make<UnaryLayer>("addUnary", x, op);
}
nvinfer1::IParametricReLULayer* NetworkImpl::addParametricReLU(nvinfer1::ITensor& x, nvinfer1::ITensor& slope) {
  return make<PlainLayer<nvinfer1::IParametricReLULayer, nvinfer1::LayerType::kPARAMETRIC_RELU>>("addParametricReLU",
                                                                                                "prelu", x, slope);
}
nvinfer1::ISelectLayer* NetworkImpl::addSelect(nvinfer1::ITensor& condition, nvinfer1::ITensor& a,
                                               nvinfer1::ITensor& b) {
  return make<PlainLayer<nvinfer1::ISelectLayer, nvinfer1::LayerType::kSELECT>>("addSelect", "where", condition, a, b);
}
nvinfer1::IIdentityLayer* NetworkImpl::addIdentity(nvinfer1::ITensor& x) {
  return make<PlainLayer<nvinfer1::IIdentityLayer, nvinfer1::LayerType::kIDENTITY>>("addIdentity", "identity", x);
}
nvinfer1::ICastLayer* NetworkImpl::addCast(nvinfer1::ITensor& x, nvinfer1::DataType to) {
  return make<CastLayer>("addCast", x, to);
}
nvinfer1::IQuantizeLayer* NetworkImpl::addQuantize(nvinfer1::ITensor& x, nvinfer1::ITensor& scale) {
  return make<QuantizeLayer>("addQuantize", x, scale, nvinfer1::DataType::kINT8);
}
nvinfer1::IQuantizeLayer* NetworkImpl::addQuantize(nvinfer1::ITensor& x, nvinfer1::ITensor& scale,
                                                   nvinfer1::DataType to) {
  return make<QuantizeLayer>("addQuantize", x, scale, to);
}
nvinfer1::IDequantizeLayer* NetworkImpl::addDequantize(nvinfer1::ITensor& x, nvinfer1::ITensor& scale) {
  return make<DequantizeLayer>("addDequantize", x, scale, nvinfer1::DataType::kFLOAT);
}
nvinfer1::IDequantizeLayer* NetworkImpl::addDequantize(nvinfer1::ITensor& x, nvinfer1::ITensor& scale,
                                                       nvinfer1::DataType to) {
  return make<DequantizeLayer>("addDequantize", x, scale, to);
}

}  // namespace planish::tensorrt
