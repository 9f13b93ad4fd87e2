// The plugins that ship with the library, and the parameters of those that are made by a function.
#ifndef PLANISH_TENSORRT_PLUGINS_H
#define PLANISH_TENSORRT_PLUGINS_H

#include "nvinfer/builder.h"

namespace nvinfer1 {

enum class PluginType : int32_t {
  kFASTERRCNN = 0,
  kNORMALIZE = 1,
  kPERMUTE = 2,
  kPRIORBOX = 3,
  kSSDDETECTIONOUTPUT = 4,
  kCONCAT = 5,
  kPRELU = 6,
  kYOLOREORG = 7,
  kYOLOREGION = 8,
  kANCHORGENERATOR = 9,
};
template <>
constexpr int32_t EnumMax<PluginType>() {
  return 10;
}

namespace plugin {

struct Quadruple {
  int32_t data[4];
};

struct PriorBoxParameters {
  float *minSize, *maxSize, *aspectRatios;
  int32_t numMinSize, numMaxSize, numAspectRatios;
  bool flip;
  bool clip;
  float variance[4];
  int32_t imgH, imgW;
  float stepH, stepW;
  float offset;
};

struct RPROIParams {
  int32_t poolingH, poolingW, featureStride, preNmsTop, nmsMaxOut, anchorsRatioCount, anchorsScaleCount;
  float iouThreshold, minBoxSize, spatialScale;
};

struct GridAnchorParameters {
  float minSize, maxSize;
  float* aspectRatios;
  int32_t numAspectRatios, H, W;
  float variance[4];
};

enum class CodeTypeSSD : int32_t { CORNER = 0, CENTER_SIZE = 1, CORNER_SIZE = 2, TF_CENTER = 3 };

struct DetectionOutputParameters {
  bool shareLocation, varianceEncodedInTarget;
  int32_t backgroundLabelId, numClasses, topK, keepTopK;
  float confidenceThreshold, nmsThreshold;
  CodeTypeSSD codeType;
  int32_t inputOrder[3];
  bool confSigmoid;
  bool isNormalized;
  bool isBatchAgnostic{true};
};

struct NMSParameters {
  bool shareLocation;
  int32_t backgroundLabelId, numClasses, topK, keepTopK;
  float scoreThreshold, iouThreshold;
  bool isNormalized;
};

struct softmaxTree {
  int32_t* leaf;
  int32_t n;
  int32_t* parent;
  int32_t* child;
  int32_t* group;
  char** name;
  int32_t groups;
  int32_t* groupSize;
  int32_t* groupOffset;
};

struct RegionParameters {
  int32_t num;
  int32_t coords;
  int32_t classes;
  softmaxTree* smTree;
};

// Up to version 5: a plugin of the library by the first interface.
class INvPlugin : public IPlugin {
 public:
  virtual char const* getName() const = 0;
  virtual PluginType getPluginType() const = 0;
  virtual void destroy() = 0;
};

// Each from its parameters, and from what `serialize` wrote. Null, with a line in the log, where they do not fit.
TENSORRTAPI INvPlugin* createFasterRCNNPlugin(int32_t featureStride, int32_t preNmsTop, int32_t nmsMaxOut,
                                              float iouThreshold, float minBoxSize, float spatialScale, DimsHW pooling,
                                              Weights anchorRatios, Weights anchorScales);
TENSORRTAPI INvPlugin* createFasterRCNNPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createSSDNormalizePlugin(Weights const* scales, bool acrossSpatial, bool channelShared,
                                                float eps);
TENSORRTAPI INvPlugin* createSSDNormalizePlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createSSDPermutePlugin(Quadruple permuteOrder);
TENSORRTAPI INvPlugin* createSSDPermutePlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createSSDPriorBoxPlugin(PriorBoxParameters param);
TENSORRTAPI INvPlugin* createSSDPriorBoxPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createSSDAnchorGeneratorPlugin(GridAnchorParameters* param, int32_t numLayers);
TENSORRTAPI INvPlugin* createSSDAnchorGeneratorPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createSSDDetectionOutputPlugin(DetectionOutputParameters param);
TENSORRTAPI INvPlugin* createSSDDetectionOutputPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createConcatPlugin(int32_t concatAxis, bool ignoreBatch);
TENSORRTAPI INvPlugin* createConcatPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createPReLUPlugin(float negSlope);
TENSORRTAPI INvPlugin* createPReLUPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createYOLOReorgPlugin(int32_t stride);
TENSORRTAPI INvPlugin* createYOLOReorgPlugin(void const* data, size_t length);
TENSORRTAPI INvPlugin* createYOLORegionPlugin(RegionParameters params);
TENSORRTAPI INvPlugin* createYOLORegionPlugin(void const* data, size_t length);

}  // namespace plugin
}  // namespace nvinfer1

extern "C" {
// Registers the plugins that ship with the library; more than once does no harm.
TENSORRTAPI bool initLibNvInferPlugins(void* logger, char const* libNamespace);

TENSORRTAPI nvinfer1::IPluginV2* createRPNROIPlugin(int32_t featureStride, int32_t preNmsTop, int32_t nmsMaxOut,
                                                    float iouThreshold, float minBoxSize, float spatialScale,
                                                    nvinfer1::DimsHW pooling, nvinfer1::Weights anchorRatios,
                                                    nvinfer1::Weights anchorScales);
TENSORRTAPI nvinfer1::IPluginV2* createNormalizePlugin(nvinfer1::Weights const* scales, bool acrossSpatial,
                                                       bool channelShared, float eps);
TENSORRTAPI nvinfer1::IPluginV2* createPriorBoxPlugin(nvinfer1::plugin::PriorBoxParameters param);
TENSORRTAPI nvinfer1::IPluginV2* createAnchorGeneratorPlugin(nvinfer1::plugin::GridAnchorParameters* param,
                                                             int32_t numLayers);
TENSORRTAPI nvinfer1::IPluginV2* createNMSPlugin(nvinfer1::plugin::DetectionOutputParameters param);
TENSORRTAPI nvinfer1::IPluginV2* createLReLUPlugin(float negSlope);
TENSORRTAPI nvinfer1::IPluginV2* createReorgPlugin(int32_t stride);
TENSORRTAPI nvinfer1::IPluginV2* createRegionPlugin(nvinfer1::plugin::RegionParameters params);
TENSORRTAPI nvinfer1::IPluginV2* createClipPlugin(char const* layerName, float clipMin, float clipMax);
TENSORRTAPI nvinfer1::IPluginV2* createBatchedNMSPlugin(nvinfer1::plugin::NMSParameters param);
TENSORRTAPI nvinfer1::IPluginV2* createInstanceNormalizationPlugin(float epsilon, nvinfer1::Weights scaleWeights,
                                                                   nvinfer1::Weights biasWeights);
}

#endif
