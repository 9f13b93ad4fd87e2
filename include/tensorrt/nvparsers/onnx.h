// Reading ONNX models into a network.
#ifndef PLANISH_TENSORRT_ONNX_H
#define PLANISH_TENSORRT_ONNX_H

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "nvinfer/builder.h"

#define NV_ONNX_PARSER_MAJOR 0
#define NV_ONNX_PARSER_MINOR 1
#define NV_ONNX_PARSER_PATCH 0
#define NV_ONNX_PARSER_VERSION ((NV_ONNX_PARSER_MAJOR * 10000) + (NV_ONNX_PARSER_MINOR * 100) + NV_ONNX_PARSER_PATCH)

// Nodes of a part of the model, and whether it can be taken.
typedef std::pair<std::vector<size_t>, bool> SubGraph_t;
typedef std::vector<SubGraph_t> SubGraphCollection_t;

struct onnxTensorDescriptorV1;

namespace nvonnxparser {

enum class ErrorCode : int {
  kSUCCESS = 0,
  kINTERNAL_ERROR = 1,
  kMEM_ALLOC_FAILED = 2,
  kMODEL_DESERIALIZE_FAILED = 3,
  kINVALID_VALUE = 4,
  kINVALID_GRAPH = 5,
  kINVALID_NODE = 6,
  kUNSUPPORTED_GRAPH = 7,
  kUNSUPPORTED_NODE = 8,
  kUNSUPPORTED_NODE_ATTR = 9,
  kUNSUPPORTED_NODE_INPUT = 10,
  kUNSUPPORTED_NODE_DATATYPE = 11,
  kUNSUPPORTED_NODE_DYNAMIC = 12,
  kUNSUPPORTED_NODE_SHAPE = 13,
  kREFIT_FAILED = 14,
};

template <typename T>
constexpr int32_t EnumMax();
template <>
constexpr int32_t EnumMax<ErrorCode>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 15 : 9;
}

using OnnxParserFlags = uint32_t;
enum class OnnxParserFlag : int32_t {
  kNATIVE_INSTANCENORM = 0,
  kENABLE_UINT8_AND_ASYMMETRIC_QUANTIZATION_DLA = 1,
  kREPORT_CAPABILITY_DLA = 2,
  kENABLE_PLUGIN_OVERRIDE = 3,
  kADJUST_FOR_DLA = 4,
};
template <>
constexpr int32_t EnumMax<OnnxParserFlag>() {
  return PLANISH_TENSORRT_LAYOUT == 10 ? 5 : 1;
}

class IParserError {
 public:
  virtual ~IParserError() = default;
  virtual ErrorCode code() const = 0;
  virtual char const* desc() const = 0;
  virtual char const* file() const = 0;
  virtual int line() const = 0;
  virtual char const* func() const = 0;
  virtual int node() const = 0;
  virtual char const* nodeName() const = 0;
  virtual char const* nodeOperator() const = 0;
  virtual char const* const* localFunctionStack() const = 0;
  virtual int32_t localFunctionStackSize() const = 0;
};

class IParser {
 public:
  virtual ~IParser() = default;
  virtual bool parse(void const* serialized_onnx_model, size_t serialized_onnx_model_size,
                     char const* model_path = nullptr) = 0;
  virtual bool parseFromFile(char const* onnxModelFile, int verbosity) = 0;
  virtual bool parseWithWeightDescriptors(void const* serialized_onnx_model, size_t serialized_onnx_model_size) = 0;
  virtual bool parseWithWeightDescriptors(void const* serialized_onnx_model, size_t serialized_onnx_model_size,
                                          uint32_t weight_count, onnxTensorDescriptorV1 const* weight_descriptors) = 0;
  virtual bool supportsModel(void const* serialized_onnx_model, size_t serialized_onnx_model_size) = 0;
  virtual bool supportsModel(void const* serialized_onnx_model, size_t serialized_onnx_model_size,
                             SubGraphCollection_t& sub_graph_collection, char const* model_path = nullptr) = 0;
  virtual bool supportsModelV2(void const* serializedOnnxModel, size_t serializedOnnxModelSize,
                               char const* modelPath = nullptr) = 0;
  virtual int64_t getNbSubgraphs() = 0;
  virtual bool isSubgraphSupported(int64_t index) = 0;
  virtual int64_t* getSubgraphNodes(int64_t index, int64_t& subgraphLength) = 0;
  virtual bool supportsOperator(char const* op_name) const = 0;
  virtual void destroy() = 0;
  virtual int getNbErrors() const = 0;
  virtual IParserError const* getError(int index) const = 0;
  virtual void clearErrors() = 0;
  virtual char const* const* getUsedVCPluginLibraries(int64_t& nbPluginLibs) const = 0;
  virtual void setFlags(OnnxParserFlags onnxParserFlags) = 0;
  virtual OnnxParserFlags getFlags() const = 0;
  virtual void clearFlag(OnnxParserFlag onnxParserFlag) = 0;
  virtual void setFlag(OnnxParserFlag onnxParserFlag) = 0;
  virtual bool getFlag(OnnxParserFlag onnxParserFlag) const = 0;
  virtual nvinfer1::ITensor const* getLayerOutputTensor(char const* name, int64_t i) = 0;
  virtual int getRefitMap(char const** weightNames, char const** layerNames, nvinfer1::WeightsRole* roles) = 0;
  virtual bool loadModelProto(void const* serializedOnnxModel, size_t serializedOnnxModelSize,
                              char const* modelPath = nullptr) = 0;
  virtual bool loadInitializer(char const* name, void const* data, size_t size) = 0;
  virtual bool parseModelProto() = 0;
  virtual bool setBuilderConfig(nvinfer1::IBuilderConfig const* const builderConfig) = 0;
};

class IParserRefitter {
 public:
  virtual ~IParserRefitter() = default;
  virtual bool refitFromBytes(void const* serializedOnnxModel, size_t serializedOnnxModelSize,
                              char const* modelPath = nullptr) = 0;
  virtual bool refitFromFile(char const* onnxModelFile) = 0;
  virtual int32_t getNbErrors() const = 0;
  virtual IParserError const* getError(int32_t index) const = 0;
  virtual void clearErrors() = 0;
  virtual bool loadModelProto(void const* serializedOnnxModel, size_t serializedOnnxModelSize,
                              char const* modelPath = nullptr) = 0;
  virtual bool loadInitializer(char const* name, void const* data, size_t size) = 0;
  virtual bool refitModelProto() = 0;
};

}  // namespace nvonnxparser

extern "C" {
TENSORRTAPI void* createNvOnnxParser_INTERNAL(void* network, void* logger, int version);
TENSORRTAPI void* createNvOnnxParserRefitter_INTERNAL(void* refitter, void* logger, int32_t version);
TENSORRTAPI int getNvOnnxParserVersion();
}

namespace nvonnxparser {

inline IParser* createParser(nvinfer1::INetworkDefinition& network, nvinfer1::ILogger& logger) {
  return static_cast<IParser*>(createNvOnnxParser_INTERNAL(&network, &logger, NV_ONNX_PARSER_VERSION));
}
inline IParserRefitter* createParserRefitter(nvinfer1::IRefitter& refitter, nvinfer1::ILogger& logger) {
  return static_cast<IParserRefitter*>(createNvOnnxParserRefitter_INTERNAL(&refitter, &logger, NV_ONNX_PARSER_VERSION));
}

}  // namespace nvonnxparser

#endif
