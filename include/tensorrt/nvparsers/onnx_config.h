// Settings of a program that reads ONNX models.
#ifndef PLANISH_TENSORRT_ONNX_CONFIG_H
#define PLANISH_TENSORRT_ONNX_CONFIG_H

#include "nvinfer/base.h"

namespace nvonnxparser {

class IOnnxConfig {
 public:
  typedef int Verbosity;
  virtual ~IOnnxConfig() = default;
  virtual void setModelDtype(nvinfer1::DataType const) = 0;
  virtual nvinfer1::DataType getModelDtype() const = 0;
  virtual char const* getModelFileName() const = 0;
  virtual void setModelFileName(char const* onnxFilename) = 0;
  virtual Verbosity getVerbosityLevel() const = 0;
  virtual void addVerbosity() = 0;
  virtual void reduceVerbosity() = 0;
  virtual void setVerbosityLevel(Verbosity) = 0;
  virtual char const* getTextFileName() const = 0;
  virtual void setTextFileName(char const* textFileName) = 0;
  virtual char const* getFullTextFileName() const = 0;
  virtual void setFullTextFileName(char const* fullTextFileName) = 0;
  virtual bool getPrintLayerInfo() const = 0;
  virtual void setPrintLayerInfo(bool) = 0;
  virtual void destroy() = 0;
};

}  // namespace nvonnxparser

extern "C" TENSORRTAPI void* createONNXConfig_INTERNAL();

namespace nvonnxparser {
inline IOnnxConfig* createONNXConfig() { return static_cast<IOnnxConfig*>(createONNXConfig_INTERNAL()); }
}  // namespace nvonnxparser

#endif
