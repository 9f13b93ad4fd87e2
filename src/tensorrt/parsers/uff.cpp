// libnvparsers: UFF files cannot be read here; the parser keeps what it is told and says so when it is given one.

#include <new>
#include <string>

#include "NvUffParser.h"

namespace {

using nvinfer1::DataType;

class UffParser final : public nvuffparser::IUffParser {
 public:
  bool registerInput(char const* name, nvinfer1::Dims, nvuffparser::UffInputOrder) override { return name != nullptr; }
  bool registerInput(char const* name, nvinfer1::Dims) override { return name != nullptr; }
  bool registerOutput(char const* name) override { return name != nullptr; }
  bool parse(char const* file, nvinfer1::INetworkDefinition&, DataType) override { return say(file); }
  bool parseBuffer(char const*, size_t, nvinfer1::INetworkDefinition&, DataType) override { return say("a buffer"); }
  int32_t getUffRequiredVersionMajor() override { return UFF_REQUIRED_VERSION_MAJOR; }
  int32_t getUffRequiredVersionMinor() override { return UFF_REQUIRED_VERSION_MINOR; }
  int32_t getUffRequiredVersionPatch() override { return UFF_REQUIRED_VERSION_PATCH; }
  void setPluginFactory(nvuffparser::IPluginFactory*) override {}
  void setPluginFactoryExt(nvuffparser::IPluginFactoryExt*) override {}
  void setPluginNamespace(char const*) override {}
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { recorder_ = recorder; }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return recorder_; }
  void destroy() override { delete this; }

 private:
  bool say(const char* what) const {
    try {
      const std::string why = std::string(what == nullptr ? "a file without a name" : what) +
                              ": UFF is not read; convert the TensorFlow model to ONNX (python -m tf2onnx.convert) and "
                              "parse that with nvonnxparser";
      if (nvinfer1::ILogger* logger = getLogger()) logger->log(nvinfer1::ILogger::Severity::kERROR, why.c_str());
      if (recorder_ != nullptr) recorder_->reportError(nvinfer1::ErrorCode::kUNSUPPORTED_STATE, why.c_str());
    } catch (...) {  // the caller's logger or recorder
    }
    return false;
  }
  nvinfer1::IErrorRecorder* recorder_ = nullptr;
};

}  // namespace

extern "C" void* createNvUffParser_INTERNAL() {
  return static_cast<nvuffparser::IUffParser*>(new (std::nothrow) UffParser);
}
