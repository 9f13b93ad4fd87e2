// libnvinfer_plugin: the plugins that ship with the library, which live beside the builder, and functions of version 5
// that make some of them.

#include <string>
#include <vector>

#include "NvInferPlugin.h"

extern "C" bool planish_door_register_plugins(void* logger, char const* space);

namespace {

using nvinfer1::PluginField;
using nvinfer1::PluginFieldType;
using nvinfer1::Weights;

// Fields of one plugin; values live here.
class FieldsOf {
 public:
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
  nvinfer1::IPluginV2* make(const char* plugin) const {
    if (!planish_door_register_plugins(nullptr, "")) return nullptr;
    nvinfer1::IPluginCreator* creator = getPluginRegistry()->getPluginCreator(plugin, "1");
    if (creator == nullptr) return nullptr;
    std::vector<PluginField> list;
    for (const Kept& field : fields_) list.emplace_back(field.name, field.bytes.data(), field.type, field.count);
    const nvinfer1::PluginFieldCollection all{static_cast<int32_t>(list.size()), list.data()};
    return creator->createPlugin(plugin, &all);
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
  std::vector<Kept> fields_;
};

// Nothing is thrown through these functions.
template <class Body>
nvinfer1::IPluginV2* made(Body body) {
  try {
    return body();
  } catch (...) {  // out of memory
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
    FieldsOf fields;
    fields.integer("poolingH", static_cast<int32_t>(pooling.h()))
        .integer("poolingW", static_cast<int32_t>(pooling.w()));
    fields.integer("featureStride", featureStride).integer("preNmsTop", preNmsTop).integer("nmsMaxOut", nmsMaxOut);
    fields.integer("anchorsRatioCount", static_cast<int32_t>(anchorRatios.count));
    fields.integer("anchorsScaleCount", static_cast<int32_t>(anchorScales.count));
    fields.number("iouThreshold", iouThreshold).number("minBoxSize", minBoxSize).number("spatialScale", spatialScale);
    return fields.weights("anchorsRatios", anchorRatios).weights("anchorsScales", anchorScales).make("RPROI_TRT");
  });
}

nvinfer1::IPluginV2* createNormalizePlugin(Weights const* scales, bool acrossSpatial, bool channelShared, float eps) {
  if (scales == nullptr) return nullptr;
  return made([&] {
    FieldsOf fields;
    fields.weights("weights", *scales).integer("acrossSpatial", acrossSpatial ? 1 : 0);
    return fields.integer("channelShared", channelShared ? 1 : 0).number("eps", eps).make("Normalize_TRT");
  });
}

nvinfer1::IPluginV2* createPriorBoxPlugin(nvinfer1::plugin::PriorBoxParameters param) {
  return made([&] {
    FieldsOf fields;
    const auto list = [&](const char* name, const float* values, int32_t count) {
      fields.numbers(name, values, static_cast<size_t>(values == nullptr ? 0 : count));
    };
    list("minSize", param.minSize, param.numMinSize);
    list("maxSize", param.maxSize, param.numMaxSize);
    list("aspectRatios", param.aspectRatios, param.numAspectRatios);
    list("variance", param.variance, 4);
    fields.integer("flip", param.flip ? 1 : 0).integer("clip", param.clip ? 1 : 0);
    fields.integer("imgH", param.imgH).integer("imgW", param.imgW);
    return fields.number("stepH", param.stepH)
        .number("stepW", param.stepW)
        .number("offset", param.offset)
        .make("PriorBox_TRT");
  });
}

// Layers behind the first share their aspect ratios; the first has three of them.
nvinfer1::IPluginV2* createAnchorGeneratorPlugin(nvinfer1::plugin::GridAnchorParameters* param, int32_t numLayers) {
  if (param == nullptr || numLayers < 1) return nullptr;
  return made([&] {
    const auto& last = param[numLayers - 1];
    std::vector<int32_t> shapes;
    for (int32_t i = 0; i < numLayers; ++i) shapes.insert(shapes.end(), {param[i].H, param[i].W});
    FieldsOf fields;
    fields.number("minSize", last.minSize).number("maxSize", last.maxSize).integers("featureMapShapes", shapes);
    fields.numbers("aspectRatios", last.aspectRatios,
                   static_cast<size_t>(last.aspectRatios == nullptr ? 0 : last.numAspectRatios));
    return fields.numbers("variance", last.variance, 4).integer("numLayers", numLayers).make("GridAnchorRect_TRT");
  });
}

nvinfer1::IPluginV2* createNMSPlugin(nvinfer1::plugin::DetectionOutputParameters param) {
  return made([&] {
    FieldsOf fields;
    fields.integer("shareLocation", param.shareLocation ? 1 : 0);
    fields.integer("varianceEncodedInTarget", param.varianceEncodedInTarget ? 1 : 0);
    fields.integer("backgroundLabelId", param.backgroundLabelId).integer("numClasses", param.numClasses);
    fields.integer("topK", param.topK).integer("keepTopK", param.keepTopK);
    fields.number("confidenceThreshold", param.confidenceThreshold).number("nmsThreshold", param.nmsThreshold);
    fields.integer("codeType", static_cast<int32_t>(param.codeType));
    fields.integers("inputOrder", {param.inputOrder[0], param.inputOrder[1], param.inputOrder[2]});
    fields.integer("confSigmoid", param.confSigmoid ? 1 : 0).integer("isNormalized", param.isNormalized ? 1 : 0);
    return fields.make("NMS_TRT");
  });
}

nvinfer1::IPluginV2* createLReLUPlugin(float negSlope) {
  return made([&] { return FieldsOf().number("negSlope", negSlope).make("LReLU_TRT"); });
}

nvinfer1::IPluginV2* createReorgPlugin(int32_t stride) {
  return made([&] { return FieldsOf().integer("stride", stride).make("Reorg_TRT"); });
}

// Trees of classes are not taken.
nvinfer1::IPluginV2* createRegionPlugin(nvinfer1::plugin::RegionParameters params) {
  if (params.smTree != nullptr) {
    try {
      if (nvinfer1::ILogger* logger = getLogger())
        logger->log(nvinfer1::ILogger::Severity::kERROR, "createRegionPlugin: a tree of classes is not taken");
    } catch (...) {  // the caller's logger
    }
    return nullptr;
  }
  return made([&] {
    FieldsOf fields;
    fields.integer("num", params.num).integer("coords", params.coords).integer("classes", params.classes);
    return fields.make("Region_TRT");
  });
}

nvinfer1::IPluginV2* createClipPlugin(char const*, float clipMin, float clipMax) {
  return made([&] { return FieldsOf().number("clipMin", clipMin).number("clipMax", clipMax).make("Clip_TRT"); });
}

nvinfer1::IPluginV2* createBatchedNMSPlugin(nvinfer1::plugin::NMSParameters param) {
  return made([&] {
    FieldsOf fields;
    fields.integer("shareLocation", param.shareLocation ? 1 : 0).integer("backgroundLabelId", param.backgroundLabelId);
    fields.integer("numClasses", param.numClasses).integer("topK", param.topK).integer("keepTopK", param.keepTopK);
    fields.number("scoreThreshold", param.scoreThreshold).number("iouThreshold", param.iouThreshold);
    return fields.integer("isNormalized", param.isNormalized ? 1 : 0).make("BatchedNMS_TRT");
  });
}

nvinfer1::IPluginV2* createInstanceNormalizationPlugin(float epsilon, Weights scaleWeights, Weights biasWeights) {
  return made([&] {
    FieldsOf fields;
    return fields.number("epsilon", epsilon)
        .weights("scales", scaleWeights)
        .weights("bias", biasWeights)
        .make("InstanceNormalization_TRT");
  });
}

}  // extern "C"
