// Layers that slide a window: convolution, deconvolution, pooling; and what stands beside them in classic networks.
#ifndef PLANISH_TENSORRT_LAYERS_WINDOW_H
#define PLANISH_TENSORRT_LAYERS_WINDOW_H

#include "nvinfer/tensor.h"

namespace nvinfer1 {

// How padding and the number of windows come about; the Caffe modes count as Caffe's pooling does.
enum class PaddingMode : int32_t {
  kEXPLICIT_ROUND_DOWN = 0,
  kEXPLICIT_ROUND_UP = 1,
  kSAME_UPPER = 2,
  kSAME_LOWER = 3,
  kCAFFE_ROUND_DOWN = 4,
  kCAFFE_ROUND_UP = 5,
};
template <>
constexpr int32_t EnumMax<PaddingMode>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 4 : 6;
}

enum class PoolingType : int32_t { kMAX = 0, kAVERAGE = 1, kMAX_AVERAGE_BLEND = 2 };
template <>
constexpr int32_t EnumMax<PoolingType>() {
  return 3;
}

class IConvolutionLayer : public ILayer {
 public:
  virtual void setKernelSize(DimsHW kernelSize) = 0;
  virtual DimsHW getKernelSize() const = 0;
  virtual void setNbOutputMaps(door::Extent nbOutputMaps) = 0;
  virtual door::Extent getNbOutputMaps() const = 0;
  virtual void setStride(DimsHW stride) = 0;
  virtual DimsHW getStride() const = 0;
  virtual void setPadding(DimsHW padding) = 0;
  virtual DimsHW getPadding() const = 0;
  virtual void setNbGroups(door::Extent nbGroups) = 0;
  virtual door::Extent getNbGroups() const = 0;
  virtual void setKernelWeights(Weights weights) = 0;
  virtual Weights getKernelWeights() const = 0;
  virtual void setBiasWeights(Weights weights) = 0;
  virtual Weights getBiasWeights() const = 0;
  virtual void setDilation(DimsHW dilation) = 0;
  virtual DimsHW getDilation() const = 0;
  virtual void setPrePadding(Dims const& padding) = 0;
  virtual Dims getPrePadding() const = 0;
  virtual void setPostPadding(Dims const& padding) = 0;
  virtual Dims getPostPadding() const = 0;
  virtual void setPaddingMode(PaddingMode paddingMode) = 0;
  virtual PaddingMode getPaddingMode() const = 0;
  virtual void setKernelSizeNd(Dims const& kernelSize) = 0;
  virtual Dims getKernelSizeNd() const = 0;
  virtual void setStrideNd(Dims const& stride) = 0;
  virtual Dims getStrideNd() const = 0;
  virtual void setPaddingNd(Dims const& padding) = 0;
  virtual Dims getPaddingNd() const = 0;
  virtual void setDilationNd(Dims const& dilation) = 0;
  virtual Dims getDilationNd() const = 0;
};

class IDeconvolutionLayer : public ILayer {
 public:
  virtual void setKernelSize(DimsHW kernelSize) = 0;
  virtual DimsHW getKernelSize() const = 0;
  virtual void setNbOutputMaps(door::Extent nbOutputMaps) = 0;
  virtual door::Extent getNbOutputMaps() const = 0;
  virtual void setStride(DimsHW stride) = 0;
  virtual DimsHW getStride() const = 0;
  virtual void setPadding(DimsHW padding) = 0;
  virtual DimsHW getPadding() const = 0;
  virtual void setNbGroups(door::Extent nbGroups) = 0;
  virtual door::Extent getNbGroups() const = 0;
  virtual void setKernelWeights(Weights weights) = 0;
  virtual Weights getKernelWeights() const = 0;
  virtual void setBiasWeights(Weights weights) = 0;
  virtual Weights getBiasWeights() const = 0;
  virtual void setPrePadding(Dims const& padding) = 0;
  virtual Dims getPrePadding() const = 0;
  virtual void setPostPadding(Dims const& padding) = 0;
  virtual Dims getPostPadding() const = 0;
  virtual void setPaddingMode(PaddingMode paddingMode) = 0;
  virtual PaddingMode getPaddingMode() const = 0;
  virtual void setKernelSizeNd(Dims const& kernelSize) = 0;
  virtual Dims getKernelSizeNd() const = 0;
  virtual void setStrideNd(Dims const& stride) = 0;
  virtual Dims getStrideNd() const = 0;
  virtual void setPaddingNd(Dims const& padding) = 0;
  virtual Dims getPaddingNd() const = 0;
  virtual void setDilationNd(Dims const& dilation) = 0;
  virtual Dims getDilationNd() const = 0;
};

class IPoolingLayer : public ILayer {
 public:
  virtual void setPoolingType(PoolingType type) = 0;
  virtual PoolingType getPoolingType() const = 0;
  virtual void setWindowSize(DimsHW windowSize) = 0;
  virtual DimsHW getWindowSize() const = 0;
  virtual void setStride(DimsHW stride) = 0;
  virtual DimsHW getStride() const = 0;
  virtual void setPadding(DimsHW padding) = 0;
  virtual DimsHW getPadding() const = 0;
  virtual void setBlendFactor(float blendFactor) = 0;  // of the average
  virtual float getBlendFactor() const = 0;
  virtual void setAverageCountExcludesPadding(bool exclusive) = 0;
  virtual bool getAverageCountExcludesPadding() const = 0;
  virtual void setPrePadding(Dims const& padding) = 0;
  virtual Dims getPrePadding() const = 0;
  virtual void setPostPadding(Dims const& padding) = 0;
  virtual Dims getPostPadding() const = 0;
  virtual void setPaddingMode(PaddingMode paddingMode) = 0;
  virtual PaddingMode getPaddingMode() const = 0;
  virtual void setWindowSizeNd(Dims const& windowSize) = 0;
  virtual Dims getWindowSizeNd() const = 0;
  virtual void setStrideNd(Dims const& stride) = 0;
  virtual Dims getStrideNd() const = 0;
  virtual void setPaddingNd(Dims const& padding) = 0;
  virtual Dims getPaddingNd() const = 0;
};

class IFullyConnectedLayer : public ILayer {
 public:
  virtual void setNbOutputChannels(int32_t nbOutputs) = 0;
  virtual int32_t getNbOutputChannels() const = 0;
  virtual void setKernelWeights(Weights weights) = 0;
  virtual Weights getKernelWeights() const = 0;
  virtual void setBiasWeights(Weights weights) = 0;
  virtual Weights getBiasWeights() const = 0;
};

class ILRNLayer : public ILayer {
 public:
  virtual void setWindowSize(door::Extent windowSize) = 0;
  virtual door::Extent getWindowSize() const = 0;
  virtual void setAlpha(float alpha) = 0;
  virtual float getAlpha() const = 0;
  virtual void setBeta(float beta) = 0;
  virtual float getBeta() const = 0;
  virtual void setK(float k) = 0;
  virtual float getK() const = 0;
};

// Two innermost axes only; negative numbers crop.
class IPaddingLayer : public ILayer {
 public:
  virtual void setPrePadding(DimsHW padding) = 0;
  virtual DimsHW getPrePadding() const = 0;
  virtual void setPostPadding(DimsHW padding) = 0;
  virtual DimsHW getPostPadding() const = 0;
  virtual void setPrePaddingNd(Dims const& padding) = 0;
  virtual Dims getPrePaddingNd() const = 0;
  virtual void setPostPaddingNd(Dims const& padding) = 0;
  virtual Dims getPostPaddingNd() const = 0;
};

// Up to major 7: a formula of the caller for extents of convolutions and poolings.
class IOutputDimensionsFormula {
 public:
  virtual ~IOutputDimensionsFormula() = default;
  virtual DimsHW compute(DimsHW inputDims, DimsHW kernelSize, DimsHW stride, DimsHW padding, DimsHW dilation,
                         char const* layerName) const = 0;
};

}  // namespace nvinfer1

#endif
