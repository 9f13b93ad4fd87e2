#pragma once
// Layers that slide a window. Window holds what they share; extents of the interface's Dims, outermost first.

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

struct WindowRecord {
  Extents kernel, stride, pre, post, dilation;
  nvinfer1::PaddingMode mode = nvinfer1::PaddingMode::kEXPLICIT_ROUND_DOWN;
};

// The properties of a window, two-dimensional and of any rank.
template <class Interface>
class WindowLayer : public LayerOf<Interface> {
 public:
  WindowLayer(NetworkImpl& network, nvinfer1::LayerType type, nvinfer1::ITensor& x, const nvinfer1::Dims& kernel)
      : LayerOf<Interface>(network, type) {
    this->add_operand(x);
    w.kernel = extents_of(kernel);
    if (w.kernel.size() < 2 || w.kernel.size() > 3) refuse("a window of rank " + std::to_string(w.kernel.size()));
    w.stride = w.dilation = Extents(w.kernel.size(), 1);
    w.pre = w.post = Extents(w.kernel.size(), 0);
  }
  void setStride(nvinfer1::DimsHW value) override { this->set_extents(w.stride, value); }
  nvinfer1::DimsHW getStride() const override { return hw(w.stride); }
  void setPadding(nvinfer1::DimsHW value) override { setPaddingNd(value); }
  nvinfer1::DimsHW getPadding() const override { return hw(w.pre); }
  void setPrePadding(nvinfer1::Dims const& value) override { this->set_extents(w.pre, value); }
  nvinfer1::Dims getPrePadding() const override { return dims_of(w.pre); }
  void setPostPadding(nvinfer1::Dims const& value) override { this->set_extents(w.post, value); }
  nvinfer1::Dims getPostPadding() const override { return dims_of(w.post); }
  void setPaddingMode(nvinfer1::PaddingMode value) override { this->set(w.mode, value); }
  nvinfer1::PaddingMode getPaddingMode() const override { return w.mode; }
  void setStrideNd(nvinfer1::Dims const& value) override { this->set_extents(w.stride, value); }
  nvinfer1::Dims getStrideNd() const override { return dims_of(w.stride); }
  void setPaddingNd(nvinfer1::Dims const& value) override {
    this->set_extents(w.pre, value);
    this->set_extents(w.post, value);
  }
  nvinfer1::Dims getPaddingNd() const override { return dims_of(w.pre); }

 protected:
  static nvinfer1::DimsHW hw(const Extents& e) {
    return e.size() < 2 ? nvinfer1::DimsHW()
                        : nvinfer1::DimsHW(static_cast<nvinfer1::door::Extent>(e[e.size() - 2]),
                                           static_cast<nvinfer1::door::Extent>(e[e.size() - 1]));
  }
  WindowRecord w;
};

// With weights, given or computed: operands x, kernel, bias.
template <class Interface>
class WeightedLayer : public WindowLayer<Interface> {
 public:
  WeightedLayer(NetworkImpl& network, nvinfer1::LayerType type, nvinfer1::ITensor& x, int64_t maps,
                const nvinfer1::Dims& kernel, nvinfer1::Weights weights, nvinfer1::Weights given_bias)
      : WindowLayer<Interface>(network, type, x, kernel),
        outputs(static_cast<nvinfer1::door::Extent>(maps)),
        kernel_weights(weights),
        bias(given_bias) {
    if (maps < 1) refuse(std::to_string(maps) + " output maps");
  }
  void setKernelSize(nvinfer1::DimsHW value) override { this->set_extents(this->w.kernel, value); }
  nvinfer1::DimsHW getKernelSize() const override { return this->hw(this->w.kernel); }
  void setKernelSizeNd(nvinfer1::Dims const& value) override { this->set_extents(this->w.kernel, value); }
  nvinfer1::Dims getKernelSizeNd() const override { return dims_of(this->w.kernel); }
  void setNbOutputMaps(nvinfer1::door::Extent value) override { this->set(outputs, value); }
  nvinfer1::door::Extent getNbOutputMaps() const override { return outputs; }
  void setNbGroups(nvinfer1::door::Extent value) override { this->set(groups, value); }
  nvinfer1::door::Extent getNbGroups() const override { return groups; }
  void setKernelWeights(nvinfer1::Weights value) override { this->set(kernel_weights, value); }
  nvinfer1::Weights getKernelWeights() const override { return kernel_weights; }
  void setBiasWeights(nvinfer1::Weights value) override { this->set(bias, value); }
  nvinfer1::Weights getBiasWeights() const override { return bias; }
  void setDilationNd(nvinfer1::Dims const& value) override { this->set_extents(this->w.dilation, value); }
  nvinfer1::Dims getDilationNd() const override { return dims_of(this->w.dilation); }

 protected:
  Value bias_value(Emit& emit) const {
    if (emit.has(2)) return emit.in(2);
    return bias.count == 0 ? Value{} : emit.weights(bias, {outputs}, "bias");
  }
  nvinfer1::door::Extent outputs, groups = 1;
  nvinfer1::Weights kernel_weights, bias;
};

class ConvolutionLayer final : public WeightedLayer<nvinfer1::IConvolutionLayer> {
 public:
  ConvolutionLayer(NetworkImpl& network, nvinfer1::ITensor& x, int64_t maps, const nvinfer1::Dims& kernel,
                   nvinfer1::Weights weights, nvinfer1::Weights bias)
      : WeightedLayer(network, nvinfer1::LayerType::kCONVOLUTION, x, maps, kernel, weights, bias) {}
  void lower(Emit& emit) override;
  void setDilation(nvinfer1::DimsHW value) override { set_extents(w.dilation, value); }
  nvinfer1::DimsHW getDilation() const override { return hw(w.dilation); }
};

class DeconvolutionLayer final : public WeightedLayer<nvinfer1::IDeconvolutionLayer> {
 public:
  DeconvolutionLayer(NetworkImpl& network, nvinfer1::ITensor& x, int64_t maps, const nvinfer1::Dims& kernel,
                     nvinfer1::Weights weights, nvinfer1::Weights bias)
      : WeightedLayer(network, nvinfer1::LayerType::kDECONVOLUTION, x, maps, kernel, weights, bias) {}
  void lower(Emit& emit) override;
};

class PoolingLayer final : public WindowLayer<nvinfer1::IPoolingLayer> {
 public:
  PoolingLayer(NetworkImpl& network, nvinfer1::ITensor& x, nvinfer1::PoolingType how, const nvinfer1::Dims& window)
      : WindowLayer(network, nvinfer1::LayerType::kPOOLING, x, window), pooling(how) {}
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::PoolingType, PoolingType, pooling, nvinfer1::PoolingType::kMAX)
  PLANISH_TENSORRT_PROPERTY(float, BlendFactor, blend, 0)
  PLANISH_TENSORRT_PROPERTY(bool, AverageCountExcludesPadding, excludes_padding, true)
  void setWindowSize(nvinfer1::DimsHW value) override { set_extents(w.kernel, value); }
  nvinfer1::DimsHW getWindowSize() const override { return hw(w.kernel); }
  void setWindowSizeNd(nvinfer1::Dims const& value) override { set_extents(w.kernel, value); }
  nvinfer1::Dims getWindowSizeNd() const override { return dims_of(w.kernel); }
};

class FullyConnectedLayer final : public LayerOf<nvinfer1::IFullyConnectedLayer> {
 public:
  FullyConnectedLayer(NetworkImpl& network, nvinfer1::ITensor& x, int32_t count, nvinfer1::Weights weights,
                      nvinfer1::Weights given_bias)
      : Base(network, nvinfer1::LayerType::kFULLY_CONNECTED), outputs(count), kernel(weights), bias(given_bias) {
    if (count < 1) refuse(std::to_string(count) + " outputs");
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(int32_t, NbOutputChannels, outputs, 0)
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, KernelWeights, kernel, {})
  PLANISH_TENSORRT_PROPERTY(nvinfer1::Weights, BiasWeights, bias, {})
};

class LrnLayer final : public LayerOf<nvinfer1::ILRNLayer> {
 public:
  LrnLayer(NetworkImpl& network, nvinfer1::ITensor& x, int64_t size, float a, float b, float constant)
      : Base(network, nvinfer1::LayerType::kLRN),
        window(static_cast<nvinfer1::door::Extent>(size)),
        alpha(a),
        beta(b),
        k(constant) {
    add_operand(x);
  }
  void lower(Emit& emit) override;
  PLANISH_TENSORRT_PROPERTY(nvinfer1::door::Extent, WindowSize, window, 1)
  PLANISH_TENSORRT_PROPERTY(float, Alpha, alpha, 0)
  PLANISH_TENSORRT_PROPERTY(float, Beta, beta, 0)
  PLANISH_TENSORRT_PROPERTY(float, K, k, 1)
};

class PaddingLayer final : public LayerOf<nvinfer1::IPaddingLayer> {
 public:
  PaddingLayer(NetworkImpl& network, nvinfer1::ITensor& x, const nvinfer1::Dims& before, const nvinfer1::Dims& after)
      : Base(network, nvinfer1::LayerType::kPADDING), pre(extents_of(before)), post(extents_of(after)) {
    if (pre.size() != 2 || post.size() != 2) refuse("padding of two axes is accepted");
    add_operand(x);
  }
  void lower(Emit& emit) override {
    const Value x = emit.in(0);
    const auto rank = static_cast<size_t>(emit.rank(x));
    if (rank < 2) refuse("a tensor of rank " + std::to_string(rank) + "; padding needs two axes");
    Extents pads(2 * rank, 0);
    for (size_t i = 0; i < 2; ++i) pads[rank - 2 + i] = pre[i], pads[2 * rank - 2 + i] = post[i];
    emit.out(0, emit.op("pad", {x, emit.net.ints(pads)}));
  }
  void setPrePadding(nvinfer1::DimsHW value) override { setPrePaddingNd(value); }
  nvinfer1::DimsHW getPrePadding() const override { return hw(pre); }
  void setPostPadding(nvinfer1::DimsHW value) override { setPostPaddingNd(value); }
  nvinfer1::DimsHW getPostPadding() const override { return hw(post); }
  void setPrePaddingNd(nvinfer1::Dims const& value) override { set(pre, two(value)); }
  nvinfer1::Dims getPrePaddingNd() const override { return dims_of(pre); }
  void setPostPaddingNd(nvinfer1::Dims const& value) override { set(post, two(value)); }
  nvinfer1::Dims getPostPaddingNd() const override { return dims_of(post); }

 private:
  static Extents two(const nvinfer1::Dims& dims) { return {dims.d[0], dims.d[1]}; }
  static nvinfer1::DimsHW hw(const Extents& e) {
    return {static_cast<nvinfer1::door::Extent>(e[0]), static_cast<nvinfer1::door::Extent>(e[1])};
  }
  Extents pre, post;
};

}  // namespace planish::tensorrt
