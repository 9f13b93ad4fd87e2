// A network under construction.
#ifndef PLANISH_TENSORRT_NETWORK_H
#define PLANISH_TENSORRT_NETWORK_H

#include "nvinfer/layers_attention.h"
#include "nvinfer/layers_control.h"
#include "nvinfer/layers_math.h"
#include "nvinfer/layers_plugin.h"
#include "nvinfer/layers_pointwise.h"
#include "nvinfer/layers_recurrent.h"
#include "nvinfer/layers_shape.h"
#include "nvinfer/layers_window.h"
#include "nvinfer/logger.h"

namespace nvinfer1 {

class IBuilder;

// Bits of the creation flags. Up to major 9 a network without kEXPLICIT_BATCH has a batch axis that dimensions omit.
using NetworkDefinitionCreationFlags = uint32_t;
enum class NetworkDefinitionCreationFlag : int32_t {
  kEXPLICIT_BATCH = 0,
#if PLANISH_TENSORRT_LAYOUT >= 10
  kSTRONGLY_TYPED = 1,
  kPREFER_JIT_PYTHON_PLUGINS = 2,
  kPREFER_AOT_PYTHON_PLUGINS = 3,
  kEXPLICIT_PRECISION = 4,
#else
  kEXPLICIT_PRECISION = 1,
  kSTRONGLY_TYPED = 2,
  kPREFER_JIT_PYTHON_PLUGINS = 3,
  kPREFER_AOT_PYTHON_PLUGINS = 4,
#endif
};
template <>
constexpr int32_t EnumMax<NetworkDefinitionCreationFlag>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 2 : PLANISH_TENSORRT_LAYOUT == 8 ? 3 : 4;
}

// Layers and tensors belong to the network. An add that cannot be done returns nullptr; the log says why.
class INetworkDefinition : public INoCopy {
 public:
  virtual ITensor* addInput(char const* name, DataType type, Dims const& dimensions) = 0;
  virtual void markOutput(ITensor& tensor) = 0;
  virtual void unmarkOutput(ITensor& tensor) = 0;
  virtual bool markOutputForShapes(ITensor& tensor) = 0;
  virtual bool unmarkOutputForShapes(ITensor& tensor) = 0;
  virtual void removeTensor(ITensor& tensor) = 0;
  virtual bool markDebug(ITensor& tensor) = 0;
  virtual bool unmarkDebug(ITensor& tensor) = 0;
  virtual bool isDebugTensor(ITensor const& tensor) const = 0;
  virtual bool markUnfusedTensorsAsDebugTensors() = 0;
  virtual bool unmarkUnfusedTensorsAsDebugTensors() = 0;

  // Windows.
  virtual IConvolutionLayer* addConvolution(ITensor& input, int32_t nbOutputMaps, DimsHW kernelSize,
                                            Weights kernelWeights, Weights biasWeights) = 0;
  virtual IConvolutionLayer* addConvolutionNd(ITensor& input, door::Extent nbOutputMaps, Dims const& kernelSize,
                                              Weights kernelWeights, Weights biasWeights) = 0;
  virtual IDeconvolutionLayer* addDeconvolution(ITensor& input, int32_t nbOutputMaps, DimsHW kernelSize,
                                                Weights kernelWeights, Weights biasWeights) = 0;
  virtual IDeconvolutionLayer* addDeconvolutionNd(ITensor& input, door::Extent nbOutputMaps, Dims kernelSize,
                                                  Weights kernelWeights, Weights biasWeights) = 0;
  virtual IPoolingLayer* addPooling(ITensor& input, PoolingType type, DimsHW windowSize) = 0;
  virtual IPoolingLayer* addPoolingNd(ITensor& input, PoolingType type, Dims const& windowSize) = 0;
  virtual IFullyConnectedLayer* addFullyConnected(ITensor& input, int32_t nbOutputs, Weights kernelWeights,
                                                  Weights biasWeights) = 0;
  virtual ILRNLayer* addLRN(ITensor& input, door::Extent window, float alpha, float beta, float k) = 0;
  virtual IPaddingLayer* addPadding(ITensor& input, DimsHW prePadding, DimsHW postPadding) = 0;
  virtual IPaddingLayer* addPaddingNd(ITensor& input, Dims const& prePadding, Dims const& postPadding) = 0;

  // Elements.
  virtual IActivationLayer* addActivation(ITensor& input, ActivationType type) = 0;
  virtual IScaleLayer* addScale(ITensor& input, ScaleMode mode, Weights shift, Weights scale, Weights power) = 0;
  virtual IScaleLayer* addScaleNd(ITensor& input, ScaleMode mode, Weights shift, Weights scale, Weights power,
                                  int32_t channelAxis) = 0;
  virtual IElementWiseLayer* addElementWise(ITensor& input1, ITensor& input2, ElementWiseOperation op) = 0;
  virtual IUnaryLayer* addUnary(ITensor& input, UnaryOperation operation) = 0;
  virtual IParametricReLULayer* addParametricReLU(ITensor& input, ITensor& slope) = 0;
  virtual ISelectLayer* addSelect(ITensor& condition, ITensor& thenInput, ITensor& elseInput) = 0;
  virtual IIdentityLayer* addIdentity(ITensor& input) = 0;
  virtual ICastLayer* addCast(ITensor& input, DataType toType) = 0;
  virtual IQuantizeLayer* addQuantize(ITensor& input, ITensor& scale) = 0;
  virtual IQuantizeLayer* addQuantize(ITensor& input, ITensor& scale, DataType outputType) = 0;
  virtual IDequantizeLayer* addDequantize(ITensor& input, ITensor& scale) = 0;
  virtual IDequantizeLayer* addDequantize(ITensor& input, ITensor& scale, DataType outputType) = 0;
  virtual IDynamicQuantizeLayer* addDynamicQuantize(ITensor& input, int32_t axis, int32_t blockSize,
                                                    DataType outputType, DataType scaleType) = 0;
  virtual IDynamicQuantizeLayer* addDynamicQuantizeV2(ITensor& input, Dims const& blockShape, DataType outputType,
                                                      DataType scaleType) = 0;

  // Sums.
  virtual IMatrixMultiplyLayer* addMatrixMultiply(ITensor& input0, MatrixOperation op0, ITensor& input1,
                                                  MatrixOperation op1) = 0;
  virtual IMatrixMultiplyLayer* addMatrixMultiply(ITensor& input0, bool transpose0, ITensor& input1,
                                                  bool transpose1) = 0;
  virtual IEinsumLayer* addEinsum(ITensor* const* inputs, int32_t nbInputs, char const* equation) = 0;
  virtual ISoftMaxLayer* addSoftMax(ITensor& input) = 0;
  virtual IRaggedSoftMaxLayer* addRaggedSoftMax(ITensor& input, ITensor& bounds) = 0;
  virtual IReduceLayer* addReduce(ITensor& input, ReduceOperation operation, uint32_t reduceAxes,
                                  bool keepDimensions) = 0;
  virtual ITopKLayer* addTopK(ITensor& input, TopKOperation op, int32_t k, uint32_t reduceAxes) = 0;
  virtual ITopKLayer* addTopK(ITensor& input, TopKOperation op, int32_t k, uint32_t reduceAxes,
                              DataType indicesType) = 0;
  virtual INormalizationLayer* addNormalization(ITensor& input, ITensor& scale, ITensor& bias, uint32_t axesMask) = 0;
  virtual INormalizationLayer* addNormalizationV2(ITensor& input, ITensor& scale, ITensor& bias, uint32_t axesMask) = 0;
  virtual ICumulativeLayer* addCumulative(ITensor& input, ITensor& axis, CumulativeOperation operation, bool exclusive,
                                          bool reverse) = 0;
  virtual IDistCollectiveLayer* addDistCollective(ITensor& input, CollectiveOperation distCollectiveOp,
                                                  ReduceOperation reduceOp, int64_t root, int64_t* groups,
                                                  int64_t groupSize) = 0;

  // Shapes.
  virtual IConcatenationLayer* addConcatenation(ITensor* const* inputs, int32_t nbInputs) = 0;
  virtual IShuffleLayer* addShuffle(ITensor& input) = 0;
  virtual ISliceLayer* addSlice(ITensor& input, Dims const& start, Dims const& size, Dims const& stride) = 0;
  virtual IShapeLayer* addShape(ITensor& input) = 0;
  virtual ISqueezeLayer* addSqueeze(ITensor& input, ITensor& axes) = 0;
  virtual IUnsqueezeLayer* addUnsqueeze(ITensor& input, ITensor& axes) = 0;
  virtual IResizeLayer* addResize(ITensor& input) = 0;
  virtual IGatherLayer* addGather(ITensor& data, ITensor& indices, int32_t axis) = 0;
  virtual IGatherLayer* addGatherV2(ITensor& data, ITensor& indices, GatherMode mode) = 0;
  virtual IScatterLayer* addScatter(ITensor& data, ITensor& indices, ITensor& updates, ScatterMode mode) = 0;
  virtual IGridSampleLayer* addGridSample(ITensor& input, ITensor& grid) = 0;
  virtual IConstantLayer* addConstant(Dims const& dimensions, Weights weights) = 0;
  virtual IFillLayer* addFill(Dims const& dimensions, FillOperation op) = 0;
  virtual IFillLayer* addFill(Dims const& dimensions, FillOperation op, DataType outputType) = 0;
  virtual IOneHotLayer* addOneHot(ITensor& indices, ITensor& values, ITensor& depth, int32_t axis) = 0;
  virtual INonZeroLayer* addNonZero(ITensor& input) = 0;
  virtual INonZeroLayer* addNonZero(ITensor& input, DataType indicesType) = 0;
  virtual INMSLayer* addNMS(ITensor& boxes, ITensor& scores, ITensor& maxOutputBoxesPerClass) = 0;
  virtual INMSLayer* addNMS(ITensor& boxes, ITensor& scores, ITensor& maxOutputBoxesPerClass, DataType indicesType) = 0;
  virtual IReverseSequenceLayer* addReverseSequence(ITensor& input, ITensor& sequenceLens) = 0;
  virtual IAssertionLayer* addAssertion(ITensor& condition, char const* message) = 0;

  // Control, recurrence, attention.
  virtual ILoop* addLoop() = 0;
  virtual IIfConditional* addIfConditional() = 0;
  virtual IRNNLayer* addRNN(ITensor& inputs, int layerCount, size_t hiddenSize, int maxSeqLen, RNNOperation op,
                            RNNInputMode mode, RNNDirection dir, Weights weights, Weights bias) = 0;
  virtual IRNNv2Layer* addRNNv2(ITensor& input, int32_t layerCount, int32_t hiddenSize, int32_t maxSeqLen,
                                RNNOperation op) = 0;
  virtual IAttention* addAttention(ITensor& query, ITensor& key, ITensor& value, AttentionNormalizationOp normOp,
                                   bool causal) = 0;
  virtual IAttention* addAttentionV2(ITensor& query, ITensor& key, ITensor& value, AttentionNormalizationOp normOp,
                                     CausalMaskKind causalKind) = 0;
  virtual IRotaryEmbeddingLayer* addRotaryEmbedding(ITensor& input, ITensor& cosCache, ITensor& sinCache,
                                                    bool interleaved, int32_t rotaryEmbeddingDim) = 0;
  virtual IKVCacheUpdateLayer* addKVCacheUpdate(ITensor& cache, ITensor& update, ITensor& writeIndices,
                                                KVCacheMode cacheMode) = 0;
  virtual IMoELayer* addMoE(ITensor& hiddenStates, ITensor& selectedExpertsForTokens,
                            ITensor& scoresForSelectedExperts) = 0;

  // Plugins.
  virtual IPluginLayer* addPlugin(ITensor* const* inputs, int32_t nbInputs, IPlugin& plugin) = 0;
  virtual IPluginLayer* addPluginExt(ITensor* const* inputs, int32_t nbInputs, IPluginExt& plugin) = 0;
  virtual IPluginV2Layer* addPluginV2(ITensor* const* inputs, int32_t nbInputs, IPluginV2& plugin) = 0;
  virtual IPluginV3Layer* addPluginV3(ITensor* const* inputs, int32_t nbInputs, ITensor* const* shapeInputs,
                                      int32_t nbShapeInputs, IPluginV3& plugin) = 0;

  // The whole.
  virtual int32_t getNbLayers() const = 0;
  virtual ILayer* getLayer(int32_t index) const = 0;
  virtual int32_t getNbInputs() const = 0;
  virtual ITensor* getInput(int32_t index) const = 0;
  virtual int32_t getNbOutputs() const = 0;
  virtual ITensor* getOutput(int32_t index) const = 0;
  virtual void setName(char const* name) = 0;
  virtual char const* getName() const = 0;
  virtual bool hasImplicitBatchDimension() const = 0;
  virtual bool hasExplicitPrecision() const = 0;
  virtual NetworkDefinitionCreationFlags getFlags() const = 0;
  virtual bool getFlag(NetworkDefinitionCreationFlag networkDefinitionCreationFlag) const = 0;
  virtual bool setWeightsName(Weights weights, char const* name) = 0;
  virtual bool markWeightsRefittable(char const* name) = 0;
  virtual bool unmarkWeightsRefittable(char const* name) = 0;
  virtual bool areWeightsMarkedRefittable(char const* name) const = 0;
  virtual void setErrorRecorder(IErrorRecorder* recorder) = 0;
  virtual IErrorRecorder* getErrorRecorder() const = 0;
  virtual IBuilder& getBuilder() const = 0;
  virtual void setPoolingOutputDimensionsFormula(IOutputDimensionsFormula* formula) = 0;
  virtual IOutputDimensionsFormula& getPoolingOutputDimensionsFormula() const = 0;
  virtual void setConvolutionOutputDimensionsFormula(IOutputDimensionsFormula* formula) = 0;
  virtual IOutputDimensionsFormula& getConvolutionOutputDimensionsFormula() const = 0;
  virtual void setDeconvolutionOutputDimensionsFormula(IOutputDimensionsFormula* formula) = 0;
  virtual IOutputDimensionsFormula& getDeconvolutionOutputDimensionsFormula() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvinfer1

#endif
