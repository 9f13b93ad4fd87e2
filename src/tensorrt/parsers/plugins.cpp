// libnvinfer_plugin: the plugins that ship with the library, which live beside the builder, and functions of versions 3
// to 5 that make some of them.

#include <string>
#include <vector>

#include "NvInferPlugin.h"

extern "C" {
bool planish_door_register_plugins(void* logger, char const* space);
nvinfer1::plugin::INvPlugin* planish_door_make_first(nvinfer1::PluginType type, char const* plugin,
                                                     nvinfer1::PluginFieldCollection const* fields);
nvinfer1::plugin::INvPlugin* planish_door_read_first(nvinfer1::PluginType type, char const* plugin, void const* data,
                                                     size_t length);
}

namespace {

using nvinfer1::PluginField;
using nvinfer1::PluginFieldType;
using nvinfer1::Weights;

// Fields of one plugin; values live here.
class FieldsOf {
 public:
  explicit FieldsOf(const char* plugin) : plugin_(plugin) {}
  FieldsOf& integer(const char* name, int32_t value) { return integers(name, {value}); }
  FieldsOf& number(const char* name, float value) { return numbers(name, &value, 1); }
  FieldsOf& integers(const char* name, std::vector<int32_t> values) {
    add(name, PluginFieldType::kINT32, values.data(), values.size() * sizeof(int32_t), values.size());
    return *this;
  }
  FieldsOf& numbers(const char* name, const float* values, size_t count) {
    add(name, PluginFieldType::kFLOAT32, values, count * sizeof(float), count);
    return *this;
  }
  FieldsOf& weights(const char* name, const Weights& given) {
    const bool half = given.type == nvinfer1::DataType::kHALF;
    const auto count = static_cast<size_t>(given.values == nullptr ? 0 : given.count);
    add(name, half ? PluginFieldType::kFLOAT16 : PluginFieldType::kFLOAT32, given.values, count * (half ? 2 : 4),
        count);
    return *this;
  }
  // Null, and the log says why, where a field does not fit.
  nvinfer1::IPluginV2* make() const {
    if (!planish_door_register_plugins(nullptr, "")) return nullptr;
    nvinfer1::IPluginCreator* creator = getPluginRegistry()->getPluginCreator(plugin_, "1");
    if (creator == nullptr) return nullptr;
    const std::vector<PluginField> fields = list();
    const nvinfer1::PluginFieldCollection all{static_cast<int32_t>(fields.size()), fields.data()};
    return creator->createPlugin(plugin_, &all);
  }
  // The same of the first generation.
  nvinfer1::plugin::INvPlugin* make_first(nvinfer1::PluginType type) const {
    const std::vector<PluginField> fields = list();
    const nvinfer1::PluginFieldCollection all{static_cast<int32_t>(fields.size()), fields.data()};
    return planish_door_make_first(type, plugin_, &all);
  }

 private:
  struct Kept {
    const char* name;
    PluginFieldType type;
    std::string bytes;
    int32_t count;
  };
  void add(const char* name, PluginFieldType type, const void* data, size_t bytes, size_t count) {
    std::string copy;
    if (bytes > 0) copy.assign(static_cast<const char*>(data), bytes);
    fields_.push_back({name, type, std::move(copy), static_cast<int32_t>(count)});
  }
  std::vector<PluginField> list() const {
    std::vector<PluginField> made;
    for (const Kept& field : fields_) made.emplace_back(field.name, field.bytes.data(), field.type, field.count);
    return made;
  }
  const char* const plugin_;
  std::vector<Kept> fields_;
};

FieldsOf regions_of(int32_t stride, int32_t before, int32_t after, float overlap, float least, float scale,
                    nvinfer1::DimsHW pooling, const Weights& ratios, const Weights& scales) {
  FieldsOf fields("RPROI_TRT");
  fields.integer("poolingH", static_cast<int32_t>(pooling.h())).integer("poolingW", static_cast<int32_t>(pooling.w()));
  fields.integer("featureStride", stride).integer("preNmsTop", before).integer("nmsMaxOut", after);
  fields.integer("anchorsRatioCount", static_cast<int32_t>(ratios.count));
  fields.integer("anchorsScaleCount", static_cast<int32_t>(scales.count));
  fields.number("iouThreshold", overlap).number("minBoxSize", least).number("spatialScale", scale);
  return fields.weights("anchorsRatios", ratios).weights("anchorsScales", scales);
}

FieldsOf normalize_of(const Weights& scales, bool across, bool shared, float eps) {
  FieldsOf fields("Normalize_TRT");
  fields.weights("weights", scales).integer("acrossSpatial", across ? 1 : 0);
  return fields.integer("channelShared", shared ? 1 : 0).number("eps", eps);
}

FieldsOf prior_boxes_of(const nvinfer1::plugin::PriorBoxParameters& param) {
  FieldsOf fields("PriorBox_TRT");
  const auto list = [&](const char* name, const float* values, int32_t count) {
    fields.numbers(name, values, static_cast<size_t>(values == nullptr || count < 0 ? 0 : count));
  };
  list("minSize", param.minSize, param.numMinSize);
  list("maxSize", param.maxSize, param.numMaxSize);
  list("aspectRatios", param.aspectRatios, param.numAspectRatios);
  list("variance", param.variance, 4);
  fields.integer("flip", param.flip ? 1 : 0).integer("clip", param.clip ? 1 : 0);
  fields.integer("imgH", param.imgH).integer("imgW", param.imgW);
  return fields.number("stepH", param.stepH).number("stepW", param.stepW).number("offset", param.offset);
}

// Layers behind the first share their aspect ratios; the first has three of them.
FieldsOf anchors_of(const nvinfer1::plugin::GridAnchorParameters* param, int32_t layers) {
  const auto& last = param[layers - 1];
  std::vector<int32_t> shapes;
  for (int32_t i = 0; i < layers; ++i) shapes.insert(shapes.end(), {param[i].H, param[i].W});
  FieldsOf fields("GridAnchorRect_TRT");
  fields.number("minSize", last.minSize).number("maxSize", last.maxSize).integers("featureMapShapes", shapes);
  const bool none = last.aspectRatios == nullptr || last.numAspectRatios < 0;
  fields.numbers("aspectRatios", last.aspectRatios, static_cast<size_t>(none ? 0 : last.numAspectRatios));
  return fields.numbers("variance", last.variance, 4).integer("numLayers", layers);
}

FieldsOf detections_of(const nvinfer1::plugin::DetectionOutputParameters& param) {
  FieldsOf fields("NMS_TRT");
  fields.integer("shareLocation", param.shareLocation ? 1 : 0);
  fields.integer("varianceEncodedInTarget", param.varianceEncodedInTarget ? 1 : 0);
  fields.integer("backgroundLabelId", param.backgroundLabelId).integer("numClasses", param.numClasses);
  fields.integer("topK", param.topK).integer("keepTopK", param.keepTopK);
  fields.number("confidenceThreshold", param.confidenceThreshold).number("nmsThreshold", param.nmsThreshold);
  fields.integer("codeType", static_cast<int32_t>(param.codeType));
  fields.integers("inputOrder", {param.inputOrder[0], param.inputOrder[1], param.inputOrder[2]});
  return fields.integer("confSigmoid", param.confSigmoid ? 1 : 0).integer("isNormalized", param.isNormalized ? 1 : 0);
}

// Trees of classes are not taken: false, and a line in the log.
bool takes(const nvinfer1::plugin::RegionParameters& params) {
  if (params.smTree == nullptr) return true;
  try {
    if (nvinfer1::ILogger* logger = getLogger())
      logger->log(nvinfer1::ILogger::Severity::kERROR, "a region plugin: a tree of classes is not taken");
  } catch (...) {  // the caller's logger
  }
  return false;
}

FieldsOf region_of(const nvinfer1::plugin::RegionParameters& params) {
  return FieldsOf("Region_TRT")
      .integer("num", params.num)
      .integer("coords", params.coords)
      .integer("classes", params.classes);
}

// Nothing is thrown through these functions: null is out of memory.
template <class Body>
auto made(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace

extern "C" {

bool initLibNvInferPlugins(void* logger, char const* space) { return planish_door_register_plugins(logger, space); }

nvinfer1::IPluginV2* createRPNROIPlugin(int32_t featureStride, int32_t preNmsTop, int32_t nmsMaxOut, float iouThreshold,
                                        float minBoxSize, float spatialScale, nvinfer1::DimsHW pooling,
                                        Weights anchorRatios, Weights anchorScales) {
  return made([&] {
    return regions_of(featureStride, preNmsTop, nmsMaxOut, iouThreshold, minBoxSize, spatialScale, pooling,
                      anchorRatios, anchorScales)
        .make();
  });
}

nvinfer1::IPluginV2* createNormalizePlugin(Weights const* scales, bool acrossSpatial, bool channelShared, float eps) {
  if (scales == nullptr) return nullptr;
  return made([&] { return normalize_of(*scales, acrossSpatial, channelShared, eps).make(); });
}

nvinfer1::IPluginV2* createPriorBoxPlugin(nvinfer1::plugin::PriorBoxParameters param) {
  return made([&] { return prior_boxes_of(param).make(); });
}

nvinfer1::IPluginV2* createAnchorGeneratorPlugin(nvinfer1::plugin::GridAnchorParameters* param, int32_t numLayers) {
  if (param == nullptr || numLayers < 1) return nullptr;
  return made([&] { return anchors_of(param, numLayers).make(); });
}

nvinfer1::IPluginV2* createNMSPlugin(nvinfer1::plugin::DetectionOutputParameters param) {
  return made([&] { return detections_of(param).make(); });
}

nvinfer1::IPluginV2* createLReLUPlugin(float negSlope) {
  return made([&] { return FieldsOf("LReLU_TRT").number("negSlope", negSlope).make(); });
}

nvinfer1::IPluginV2* createReorgPlugin(int32_t stride) {
  return made([&] { return FieldsOf("Reorg_TRT").integer("stride", stride).make(); });
}

nvinfer1::IPluginV2* createRegionPlugin(nvinfer1::plugin::RegionParameters params) {
  return takes(params) ? made([&] { return region_of(params).make(); }) : nullptr;
}

nvinfer1::IPluginV2* createClipPlugin(char const*, float clipMin, float clipMax) {
  return made([&] { return FieldsOf("Clip_TRT").number("clipMin", clipMin).number("clipMax", clipMax).make(); });
}

nvinfer1::IPluginV2* createBatchedNMSPlugin(nvinfer1::plugin::NMSParameters param) {
  return made([&] {
    FieldsOf fields("BatchedNMS_TRT");
    fields.integer("shareLocation", param.shareLocation ? 1 : 0).integer("backgroundLabelId", param.backgroundLabelId);
    fields.integer("numClasses", param.numClasses).integer("topK", param.topK).integer("keepTopK", param.keepTopK);
    fields.number("scoreThreshold", param.scoreThreshold).number("iouThreshold", param.iouThreshold);
    return fields.integer("isNormalized", param.isNormalized ? 1 : 0).make();
  });
}

nvinfer1::IPluginV2* createInstanceNormalizationPlugin(float epsilon, Weights scaleWeights, Weights biasWeights) {
  return made([&] {
    FieldsOf fields("InstanceNormalization_TRT");
    return fields.number("epsilon", epsilon).weights("scales", scaleWeights).weights("bias", biasWeights).make();
  });
}

}  // extern "C"

namespace nvinfer1 {
namespace plugin {

INvPlugin* createFasterRCNNPlugin(int32_t featureStride, int32_t preNmsTop, int32_t nmsMaxOut, float iouThreshold,
                                  float minBoxSize, float spatialScale, DimsHW pooling, Weights anchorRatios,
                                  Weights anchorScales) {
  return made([&] {
    return regions_of(featureStride, preNmsTop, nmsMaxOut, iouThreshold, minBoxSize, spatialScale, pooling,
                      anchorRatios, anchorScales)
        .make_first(PluginType::kFASTERRCNN);
  });
}
INvPlugin* createFasterRCNNPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kFASTERRCNN, "RPROI_TRT", data, length);
}

INvPlugin* createSSDNormalizePlugin(Weights const* scales, bool acrossSpatial, bool channelShared, float eps) {
  if (scales == nullptr) return nullptr;
  return made(
      [&] { return normalize_of(*scales, acrossSpatial, channelShared, eps).make_first(PluginType::kNORMALIZE); });
}
INvPlugin* createSSDNormalizePlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kNORMALIZE, "Normalize_TRT", data, length);
}

INvPlugin* createSSDPermutePlugin(Quadruple permuteOrder) {
  const auto& order = permuteOrder.data;
  return made([&] {
    FieldsOf fields("Permute");
    return fields.integers("order", {order[0], order[1], order[2], order[3]}).make_first(PluginType::kPERMUTE);
  });
}
INvPlugin* createSSDPermutePlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kPERMUTE, "Permute", data, length);
}

INvPlugin* createSSDPriorBoxPlugin(PriorBoxParameters param) {
  return made([&] { return prior_boxes_of(param).make_first(PluginType::kPRIORBOX); });
}
INvPlugin* createSSDPriorBoxPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kPRIORBOX, "PriorBox_TRT", data, length);
}

INvPlugin* createSSDAnchorGeneratorPlugin(GridAnchorParameters* param, int32_t numLayers) {
  if (param == nullptr || numLayers < 1) return nullptr;
  return made([&] { return anchors_of(param, numLayers).make_first(PluginType::kANCHORGENERATOR); });
}
INvPlugin* createSSDAnchorGeneratorPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kANCHORGENERATOR, "GridAnchorRect_TRT", data, length);
}

INvPlugin* createSSDDetectionOutputPlugin(DetectionOutputParameters param) {
  return made([&] { return detections_of(param).make_first(PluginType::kSSDDETECTIONOUTPUT); });
}
INvPlugin* createSSDDetectionOutputPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kSSDDETECTIONOUTPUT, "NMS_TRT", data, length);
}

// Samples of a batch are never mixed, whether it is ignored or not.
INvPlugin* createConcatPlugin(int32_t concatAxis, bool) {
  return made([&] { return FieldsOf("Concat").integer("axis", concatAxis).make_first(PluginType::kCONCAT); });
}
INvPlugin* createConcatPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kCONCAT, "Concat", data, length);
}

INvPlugin* createPReLUPlugin(float negSlope) {
  return made([&] { return FieldsOf("LReLU_TRT").number("negSlope", negSlope).make_first(PluginType::kPRELU); });
}
INvPlugin* createPReLUPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kPRELU, "LReLU_TRT", data, length);
}

INvPlugin* createYOLOReorgPlugin(int32_t stride) {
  return made([&] { return FieldsOf("Reorg_TRT").integer("stride", stride).make_first(PluginType::kYOLOREORG); });
}
INvPlugin* createYOLOReorgPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kYOLOREORG, "Reorg_TRT", data, length);
}

INvPlugin* createYOLORegionPlugin(RegionParameters params) {
  return takes(params) ? made([&] { return region_of(params).make_first(PluginType::kYOLOREGION); }) : nullptr;
}
INvPlugin* createYOLORegionPlugin(void const* data, size_t length) {
  return planish_door_read_first(PluginType::kYOLOREGION, "Region_TRT", data, length);
}

}  // namespace plugin
}  // namespace nvinfer1
