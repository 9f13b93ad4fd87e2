// Reading Caffe models into a network.
#ifndef PLANISH_TENSORRT_CAFFE_H
#define PLANISH_TENSORRT_CAFFE_H

#include "nvinfer/builder.h"

namespace nvcaffeparser1 {

class IBlobNameToTensor {
 public:
  virtual ~IBlobNameToTensor() = default;
  virtual nvinfer1::ITensor* find(char const* name) const = 0;
};

class IBinaryProtoBlob {
 public:
  virtual ~IBinaryProtoBlob() = default;
  virtual void const* getData() = 0;
  virtual nvinfer1::DimsNCHW getDimensions() = 0;
  virtual nvinfer1::DataType getDataType() = 0;
  virtual void destroy() = 0;
};

// Implemented by callers: makes plugins of the layers that it names.
class IPluginFactory {
 public:
  virtual ~IPluginFactory() = default;
  virtual bool isPlugin(char const* layerName) = 0;
  virtual nvinfer1::IPlugin* createPlugin(char const* layerName, nvinfer1::Weights const* weights, int nbWeights) = 0;
};

class IPluginFactoryExt : public IPluginFactory {
 public:
  virtual int getVersion() const { return NV_TENSORRT_VERSION; }
  virtual bool isPluginExt(char const* layerName) = 0;
};

class IPluginFactoryV2 {
 public:
  virtual ~IPluginFactoryV2() = default;
  virtual bool isPluginV2(char const* layerName) = 0;
  virtual nvinfer1::IPluginV2* createPlugin(char const* layerName, nvinfer1::Weights const* weights, int32_t nbWeights,
                                            char const* libNamespace = "") = 0;
};

class ICaffeParser {
 public:
  virtual ~ICaffeParser() = default;
  virtual IBlobNameToTensor const* parse(char const* deploy, char const* model, nvinfer1::INetworkDefinition& network,
                                         nvinfer1::DataType weightType) = 0;
  virtual IBlobNameToTensor const* parseBuffers(char const* deployBuffer, size_t deployLength, char const* modelBuffer,
                                                size_t modelLength, nvinfer1::INetworkDefinition& network,
                                                nvinfer1::DataType weightType) = 0;
  virtual IBlobNameToTensor const* parseBuffers(uint8_t const* deployBuffer, size_t deployLength,
                                                uint8_t const* modelBuffer, size_t modelLength,
                                                nvinfer1::INetworkDefinition& network,
                                                nvinfer1::DataType weightType) = 0;
  virtual IBinaryProtoBlob* parseBinaryProto(char const* fileName) = 0;
  virtual void setProtobufBufferSize(size_t size) = 0;
  virtual void setPluginFactory(IPluginFactory* factory) = 0;
  virtual void setPluginFactoryExt(IPluginFactoryExt* factory) = 0;
  virtual void setPluginFactoryV2(IPluginFactoryV2* factory) = 0;
  virtual void setPluginNamespace(char const* libNamespace) = 0;
  virtual void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) = 0;
  virtual nvinfer1::IErrorRecorder* getErrorRecorder() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvcaffeparser1

extern "C" TENSORRTAPI void* createNvCaffeParser_INTERNAL();

namespace nvcaffeparser1 {
inline ICaffeParser* createCaffeParser() { return static_cast<ICaffeParser*>(createNvCaffeParser_INTERNAL()); }
inline void shutdownProtobufLibrary() {}
}  // namespace nvcaffeparser1

#endif
