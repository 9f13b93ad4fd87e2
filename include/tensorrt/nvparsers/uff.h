// Reading UFF models: declared so that programs compile; UFF files cannot be read here, and the parser says so.
#ifndef PLANISH_TENSORRT_UFF_H
#define PLANISH_TENSORRT_UFF_H

#include "nvinfer/builder.h"

#define UFF_REQUIRED_VERSION_MAJOR 0
#define UFF_REQUIRED_VERSION_MINOR 6
#define UFF_REQUIRED_VERSION_PATCH 9

namespace nvuffparser {

enum class UffInputOrder : int32_t { kNCHW = 0, kNHWC = 1, kNC = 2 };
enum class FieldType : int32_t { kFLOAT = 0, kINT32 = 1, kCHAR = 2, kDIMS = 4, kDATATYPE = 5, kUNKNOWN = 6 };

class FieldMap {
 public:
  FieldMap(char const* field, void const* values, FieldType kind, int32_t count = 1)
      : name(field), data(values), type(kind), length(count) {}
  char const* name;
  void const* data;
  FieldType type = FieldType::kUNKNOWN;
  int32_t length = 1;
};

struct FieldCollection {
  int32_t nbFields;
  FieldMap const* fields;
};

class IPluginFactory {
 public:
  virtual ~IPluginFactory() = default;
  virtual bool isPlugin(char const* layerName) = 0;
  virtual nvinfer1::IPlugin* createPlugin(char const* layerName, nvinfer1::Weights const* weights, int nbWeights,
                                          FieldCollection const fc) = 0;
};

class IPluginFactoryExt : public IPluginFactory {
 public:
  virtual int getVersion() const { return NV_TENSORRT_VERSION; }
  virtual bool isPluginExt(char const* layerName) = 0;
};

class IUffParser {
 public:
  virtual ~IUffParser() = default;
  virtual bool registerInput(char const* inputName, nvinfer1::Dims inputDims, UffInputOrder inputOrder) = 0;
  virtual bool registerInput(char const* inputName, nvinfer1::Dims inputDims) = 0;
  virtual bool registerOutput(char const* outputName) = 0;
  virtual bool parse(char const* file, nvinfer1::INetworkDefinition& network,
                     nvinfer1::DataType weightsType = nvinfer1::DataType::kFLOAT) = 0;
  virtual bool parseBuffer(char const* buffer, size_t size, nvinfer1::INetworkDefinition& network,
                           nvinfer1::DataType weightsType = nvinfer1::DataType::kFLOAT) = 0;
  virtual int32_t getUffRequiredVersionMajor() = 0;
  virtual int32_t getUffRequiredVersionMinor() = 0;
  virtual int32_t getUffRequiredVersionPatch() = 0;
  virtual void setPluginFactory(IPluginFactory* factory) = 0;
  virtual void setPluginFactoryExt(IPluginFactoryExt* factory) = 0;
  virtual void setPluginNamespace(char const* libNamespace) = 0;
  virtual void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) = 0;
  virtual nvinfer1::IErrorRecorder* getErrorRecorder() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvuffparser

extern "C" TENSORRTAPI void* createNvUffParser_INTERNAL();

namespace nvuffparser {
inline IUffParser* createUffParser() { return static_cast<IUffParser*>(createNvUffParser_INTERNAL()); }
inline void shutdownProtobufLibrary() {}
}  // namespace nvuffparser

#endif
