#include "tensorrt/build/layers_window.h"

#include <algorithm>

namespace planish::tensorrt {
namespace {

using nvinfer1::PaddingMode;

void require_above_0(const Extents& numbers, const char* what) {
  for (int64_t number : numbers)
    if (number < 1) refuse(std::string("the ") + what + " is " + text_of(numbers) + "; 1 and more are accepted");
}

// Extents of the input's window axes.
Extents window_axes(const Emit& emit, Value x, const WindowRecord& w) {
  const Extents all = emit.extents(x);
  const size_t n = w.kernel.size();
  if (all.size() != n + 2)
    refuse("an input of rank " + std::to_string(all.size() - (emit.implicit ? 1 : 0)) + " under a window of rank " +
           std::to_string(n));
  for (const Extents* list : {&w.stride, &w.dilation, &w.pre, &w.post})
    if (list->size() != n) refuse("stride, padding and dilation of the window's rank are accepted");
  require_above_0(w.kernel, "window");
  require_above_0(w.stride, "stride");
  require_above_0(w.dilation, "dilation");
  return Extents(all.end() - static_cast<std::ptrdiff_t>(n), all.end());
}

int64_t ceil_of(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool rounds_up(PaddingMode mode) {
  return mode == PaddingMode::kEXPLICIT_ROUND_UP || mode == PaddingMode::kCAFFE_ROUND_UP;
}
bool is_same(PaddingMode mode) { return mode == PaddingMode::kSAME_UPPER || mode == PaddingMode::kSAME_LOWER; }

void require_known(int64_t extent) {
  if (extent < 0)
    throw Error(Code::unsupported, "this padding mode with a dynamic extent under the window; fixed ones are accepted");
}

// Padding of both sides that the mode means for these extents: begins, then ends.
Extents pads_of(const WindowRecord& w, const Extents& in) {
  Extents begin = w.pre, end = w.post;
  if (w.mode == PaddingMode::kCAFFE_ROUND_DOWN || w.mode == PaddingMode::kCAFFE_ROUND_UP) end = begin;
  for (size_t i = 0; i < in.size() && is_same(w.mode); ++i) {
    require_known(in[i]);
    const int64_t reach = w.dilation[i] * (w.kernel[i] - 1) + 1;
    const int64_t total = std::max<int64_t>((ceil_of(in[i], w.stride[i]) - 1) * w.stride[i] + reach - in[i], 0);
    begin[i] = w.mode == PaddingMode::kSAME_UPPER ? total / 2 : total - total / 2;
    end[i] = total - begin[i];
  }
  begin.insert(begin.end(), end.begin(), end.end());
  return begin;
}

// What must be added at the end so that a window's count of places is rounded up.
void round_up(const WindowRecord& w, const Extents& in, Extents& pads) {
  for (size_t i = 0; i < in.size(); ++i) {
    if (w.stride[i] == 1) continue;
    require_known(in[i]);
    int64_t& end = pads[in.size() + i];
    const int64_t room = in[i] + pads[i] + end - (w.dilation[i] * (w.kernel[i] - 1) + 1);
    end += ceil_of(room, w.stride[i]) * w.stride[i] - room;
  }
}

nvinfer1::DimsHW two(const Extents& e) {
  return {static_cast<nvinfer1::door::Extent>(e[0]), static_cast<nvinfer1::door::Extent>(e[1])};
}

// The caller's formula decides the number of places: padding at the end is made to fit.
void apply_formula(const nvinfer1::IOutputDimensionsFormula* formula, const WindowRecord& w, const Extents& in,
                   const std::string& name, Extents& pads) {
  if (formula == nullptr || in.size() != 2) return;
  const nvinfer1::DimsHW out =
      formula->compute(two(in), two(w.kernel), two(w.stride), two(w.pre), two(w.dilation), name.c_str());
  for (size_t i = 0; i < 2; ++i) {
    require_known(in[i]);
    const int64_t needed = (out.d[i] - 1) * w.stride[i] + w.dilation[i] * (w.kernel[i] - 1) + 1;
    pads[2 + i] = std::max(pads[2 + i], needed - in[i] - pads[i]);
  }
}

void require_groups(int64_t groups, int64_t channels, int64_t outputs) {
  if (outputs < 1) refuse(std::to_string(outputs) + " output channels; 1 and more are accepted");
  if (groups < 1 || channels < 1 || channels % groups != 0 || outputs % groups != 0)
    refuse(std::to_string(groups) + " groups of " + std::to_string(channels) + " input and " + std::to_string(outputs) +
           " output channels");
}

Attributes window_of(const WindowRecord& w, const Extents& pads) {
  return {{"kernel_shape", Attribute::Value(w.kernel)},
          {"strides", Attribute::Value(w.stride)},
          {"dilations", Attribute::Value(w.dilation)},
          {"pads", Attribute::Value(pads)}};
}

}  // namespace

void ConvolutionLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  const Extents in = window_axes(emit, x, w);
  const int64_t channels = emit.extents(x)[1];
  require_groups(groups, channels, outputs);
  Extents shape = w.kernel;
  shape.insert(shape.begin(), {outputs, channels / groups});
  const Value kernel = emit.has(1) ? emit.in(1) : emit.weights(kernel_weights, shape, "kernel");
  Extents pads = pads_of(w, in);
  if (rounds_up(w.mode)) round_up(w, in, pads);
  apply_formula(network.formula(0), w, in, name, pads);
  Attributes attributes = window_of(w, pads);
  attributes.add({"group", int64_t{groups}});
  emit.out(0, emit.op("conv", {x, kernel, bias_value(emit)}, attributes));
}

// Weights [C, K / groups, window…]. SAME: extents times stride.
void DeconvolutionLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  const Extents in = window_axes(emit, x, w);
  const int64_t channels = emit.extents(x)[1];
  require_groups(groups, channels, outputs);
  Extents shape = w.kernel;
  shape.insert(shape.begin(), {channels, outputs / groups});
  const Value kernel = emit.has(1) ? emit.in(1) : emit.weights(kernel_weights, shape, "kernel");
  Extents begin = w.pre, end = w.post, more(in.size(), 0);
  for (size_t i = 0; i < in.size() && is_same(w.mode); ++i) {
    const int64_t total = w.dilation[i] * (w.kernel[i] - 1) + 1 - w.stride[i];
    more[i] = std::max<int64_t>(-total, 0);
    const int64_t cut = std::max<int64_t>(total, 0);
    begin[i] = w.mode == PaddingMode::kSAME_UPPER ? cut / 2 : cut - cut / 2;
    end[i] = cut - begin[i];
  }
  begin.insert(begin.end(), end.begin(), end.end());
  Attributes attributes = window_of(w, begin);
  attributes.add({"group", int64_t{groups}});
  if (std::count(more.begin(), more.end(), 0) < static_cast<std::ptrdiff_t>(more.size()))
    attributes.add({"output_padding", Attribute::Value(more)});
  emit.out(0, emit.op("conv_transpose", {x, kernel, bias_value(emit)}, attributes));
}

void PoolingLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  const Extents in = window_axes(emit, x, w);
  Extents pads = pads_of(w, in);
  bool up = rounds_up(w.mode);
  if (const auto* formula = network.formula(2); formula != nullptr && in.size() == 2) {
    Extents wanted = pads;
    apply_formula(formula, w, in, name, wanted);
    up = up || wanted != pads;
  }
  Attributes attributes = window_of(w, pads);
  attributes.add({"ceil_mode", up});
  const auto largest = [&] { return emit.op("max_pool", {x}, attributes); };
  const auto average = [&] {
    Attributes counted = attributes;
    counted.add({"count_include_pad", !excludes_padding});
    return emit.op("average_pool", {x}, counted);
  };
  if (pooling == nvinfer1::PoolingType::kMAX) return emit.out(0, largest());
  if (pooling == nvinfer1::PoolingType::kAVERAGE) return emit.out(0, average());
  if (pooling != nvinfer1::PoolingType::kMAX_AVERAGE_BLEND)
    refuse("a pooling of type " + std::to_string(static_cast<int>(pooling)) + "; 0 to 2 are known");
  const Value most = largest(), mean = average();  // (1 - blend) max + blend average
  emit.out(0, emit.op("add", {emit.op("mul", {most, emit.number(most, 1.0 - double{blend})}),
                              emit.op("mul", {mean, emit.number(mean, double{blend})})}));
}

// [lead…, C, H, W] -> [lead…, K, 1, 1]; the last three axes are one row of the product.
void FullyConnectedLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  const Extents extents = emit.extents(x);
  if (extents.size() < 4)
    refuse("an input of rank " + std::to_string(extents.size() - static_cast<size_t>(emit.offset())) +
           "; channels, height and width are needed");
  const Extents last(extents.end() - 3, extents.end());
  for (int64_t extent : last) require_known(extent);
  const int64_t width = element_count(last);
  Extents flat(extents.size() - 3, 0), back = flat;
  flat.push_back(width);
  back.insert(back.end(), {int64_t{outputs}, 1, 1});
  const Value rows = emit.op("reshape", {x, emit.net.ints(flat)});
  const Value weights = emit.weights(kernel, {outputs, width}, "kernel");
  const Value added = bias.count == 0 ? Value{} : emit.weights(bias, {outputs}, "bias");
  Value y;
  if (flat.size() == 2) {
    y = emit.op("gemm", {rows, weights, added}, {{"transB", 1}});
  } else {
    y = emit.op("matmul", {rows, emit.op("transpose", {weights}, {{"perm", Attribute::Value(Extents{1, 0})}})});
    if (added.present()) y = emit.op("add", {y, added});
  }
  emit.out(0, emit.op("reshape", {y, emit.net.ints(back)}));
}

// x / (k + alpha mean(x^2 of the window of channels, beyond the ends 0)) ^ beta
void LrnLayer::lower(Emit& emit) {
  const Value x = emit.in(0);
  if (emit.rank(x) != 4 || window < 1 || window % 2 == 0)
    refuse("a window of " + std::to_string(window) + " channels over rank " + std::to_string(emit.rank(x)) +
           "; odd windows over channels, height and width are accepted");
  const int64_t half = (int64_t{window} - 1) / 2;
  const Value squares = emit.op("unsqueeze", {emit.op("mul", {x, x}), emit.net.ints({1})});
  const Value mean = emit.op("average_pool", {squares},
                             {{"kernel_shape", Attribute::Value(Extents{int64_t{window}, 1, 1})},
                              {"pads", Attribute::Value(Extents{half, 0, 0, half, 0, 0})},
                              {"count_include_pad", true}});
  const Value scaled = emit.op("mul", {emit.op("squeeze", {mean, emit.net.ints({1})}), emit.number(x, double{alpha})});
  const Value base = emit.op("add", {scaled, emit.number(x, double{k})});
  emit.out(0, emit.op("div", {x, emit.op("pow", {base, emit.number(x, double{beta})})}));
}

// --- add*

nvinfer1::IConvolutionLayer* NetworkImpl::addConvolution(nvinfer1::ITensor& x, int32_t maps, nvinfer1::DimsHW kernel,
                                                         nvinfer1::Weights weights, nvinfer1::Weights bias) {
  return make<ConvolutionLayer>("addConvolution", x, maps, kernel, weights, bias);
}
nvinfer1::IConvolutionLayer* NetworkImpl::addConvolutionNd(nvinfer1::ITensor& x, nvinfer1::door::Extent maps,
                                                           nvinfer1::Dims const& kernel, nvinfer1::Weights weights,
                                                           nvinfer1::Weights bias) {
  return make<ConvolutionLayer>("addConvolutionNd", x, maps, kernel, weights, bias);
}
nvinfer1::IDeconvolutionLayer* NetworkImpl::addDeconvolution(nvinfer1::ITensor& x, int32_t maps,
                                                             nvinfer1::DimsHW kernel, nvinfer1::Weights weights,
                                                             nvinfer1::Weights bias) {
  return make<DeconvolutionLayer>("addDeconvolution", x, maps, kernel, weights, bias);
}
nvinfer1::IDeconvolutionLayer* NetworkImpl::addDeconvolutionNd(nvinfer1::ITensor& x, nvinfer1::door::Extent maps,
                                                               nvinfer1::Dims kernel, nvinfer1::Weights weights,
                                                               nvinfer1::Weights bias) {
  return make<DeconvolutionLayer>("addDeconvolutionNd", x, maps, kernel, weights, bias);
}
nvinfer1::IPoolingLayer* NetworkImpl::addPooling(nvinfer1::ITensor& x, nvinfer1::PoolingType type,
                                                 nvinfer1::DimsHW window) {
  return make<PoolingLayer>("addPooling", x, type, window);
}
nvinfer1::IPoolingLayer* NetworkImpl::addPoolingNd(nvinfer1::ITensor& x, nvinfer1::PoolingType type,
                                                   nvinfer1::Dims const& window) {
  return make<PoolingLayer>("addPoolingNd", x, type, window);
}
nvinfer1::IFullyConnectedLayer* NetworkImpl::addFullyConnected(nvinfer1::ITensor& x, int32_t outputs,
                                                               nvinfer1::Weights weights, nvinfer1::Weights bias) {
  return make<FullyConnectedLayer>("addFullyConnected", x, outputs, weights, bias);
}
nvinfer1::ILRNLayer* NetworkImpl::addLRN(nvinfer1::ITensor& x, nvinfer1::door::Extent window, float alpha, float beta,
                                         float k) {
  return make<LrnLayer>("addLRN", x, window, alpha, beta, k);
}
nvinfer1::IPaddingLayer* NetworkImpl::addPadding(nvinfer1::ITensor& x, nvinfer1::DimsHW pre, nvinfer1::DimsHW post) {
  return make<PaddingLayer>("addPadding", x, pre, post);
}
nvinfer1::IPaddingLayer* NetworkImpl::addPaddingNd(nvinfer1::ITensor& x, nvinfer1::Dims const& pre,
                                                   nvinfer1::Dims const& post) {
  return make<PaddingLayer>("addPaddingNd", x, pre, post);
}

}  // namespace planish::tensorrt
