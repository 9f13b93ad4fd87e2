// nvcaffeparser1: Caffe networks into a network. The parser is given no logger: it writes to the network's, and before
// there is one to the first of the process.

#include <limits>

#include "tensorrt/build/caffe_import.h"

namespace planish::tensorrt {
namespace {

using nvcaffeparser1::IBlobNameToTensor;

class BinaryProtoBlob final : public nvcaffeparser1::IBinaryProtoBlob {
 public:
  explicit BinaryProtoBlob(Mean mean) : mean_(std::move(mean)) {
    if (mean_.extents.size() > 4) refuse("a blob of " + std::to_string(mean_.extents.size()) + " axes; 4 are accepted");
    while (mean_.extents.size() < 4) mean_.extents.insert(mean_.extents.begin(), 1);
    for (int64_t extent : mean_.extents)
      if (extent > std::numeric_limits<int32_t>::max()) refuse("a blob of the extent " + std::to_string(extent));
  }
  void const* getData() override { return mean_.values.data(); }
  nvinfer1::DimsNCHW getDimensions() override {
    const auto at = [&](size_t axis) { return static_cast<int32_t>(mean_.extents[axis]); };
    return {at(0), at(1), at(2), at(3)};
  }
  nvinfer1::DataType getDataType() override { return nvinfer1::DataType::kFLOAT; }
  void destroy() override { delete this; }

 private:
  Mean mean_;
};

class CaffeParser final : public nvcaffeparser1::ICaffeParser {
 public:
  IBlobNameToTensor const* parse(char const* deploy, char const* model, nvinfer1::INetworkDefinition& network,
                                 nvinfer1::DataType type) override {
    return read("parse", network, type, [&](CaffeModel& found, CaffeText& weights) {
      if (deploy == nullptr) refuse("the path of the network's text is null");
      found.text = {deploy, nullptr, 0};
      if (model != nullptr && *model != '\0') weights = {model, nullptr, 0}, found.weights = &weights;
    });
  }
  IBlobNameToTensor const* parseBuffers(char const* deploy, size_t deploy_size, char const* model, size_t model_size,
                                        nvinfer1::INetworkDefinition& network, nvinfer1::DataType type) override {
    return read("parseBuffers", network, type, [&](CaffeModel& found, CaffeText& weights) {
      if (deploy == nullptr) refuse("the network's text is null");
      found.text = {"the network's text", deploy, deploy_size};
      if (model != nullptr) weights = {"the weights", model, model_size}, found.weights = &weights;
    });
  }
  IBlobNameToTensor const* parseBuffers(uint8_t const* deploy, size_t deploy_size, uint8_t const* model,
                                        size_t model_size, nvinfer1::INetworkDefinition& network,
                                        nvinfer1::DataType type) override {
    return parseBuffers(reinterpret_cast<char const*>(deploy), deploy_size, reinterpret_cast<char const*>(model),
                        model_size, network, type);
  }
  nvcaffeparser1::IBinaryProtoBlob* parseBinaryProto(char const* file) override {
    return reporter().guard("parseBinaryProto", static_cast<nvcaffeparser1::IBinaryProtoBlob*>(nullptr),
                            [&]() -> nvcaffeparser1::IBinaryProtoBlob* {
                              if (file == nullptr) refuse("the path is null");
                              return new BinaryProtoBlob(Mean::read(file));
                            });
  }
  void setProtobufBufferSize(size_t) override {}  // files are mapped
  void setPluginFactory(nvcaffeparser1::IPluginFactory* factory) override { plugins_.first = factory; }
  void setPluginFactoryExt(nvcaffeparser1::IPluginFactoryExt* factory) override { plugins_.first_ext = factory; }
  void setPluginFactoryV2(nvcaffeparser1::IPluginFactoryV2* factory) override { plugins_.second = factory; }
  void setPluginNamespace(char const* space) override { plugins_.space = space == nullptr ? "" : space; }
  void setErrorRecorder(nvinfer1::IErrorRecorder* recorder) override { recorder_.set_recorder(recorder); }
  nvinfer1::IErrorRecorder* getErrorRecorder() const override { return recorder_.recorder(); }
  void destroy() override { delete this; }

 private:
  template <class Sources>
  IBlobNameToTensor const* read(const char* call, nvinfer1::INetworkDefinition& network, nvinfer1::DataType type,
                                Sources sources) {
    auto& mine = static_cast<NetworkImpl&>(network);
    logger_ = mine.reporter().logger();
    return reporter().guard(call, static_cast<IBlobNameToTensor const*>(nullptr), [&]() -> IBlobNameToTensor const* {
      if (type != nvinfer1::DataType::kFLOAT && type != nvinfer1::DataType::kHALF)
        refuse("weights of type " + std::to_string(static_cast<int>(type)) + "; kFLOAT and kHALF are accepted");
      CaffeText weights{};
      CaffeModel model{{}, nullptr, type == nvinfer1::DataType::kHALF};
      sources(model, weights);
      if (model.weights == nullptr) reporter().warn(std::string(call) + ": no weights are given; they are random");
      blobs_.push_back(read_caffe(mine, model, plugins_, weights_));
      return blobs_.back().get();
    });
  }
  Reporter reporter() const { return Reporter(logger_ == nullptr ? first_logger() : logger_, recorder_.recorder()); }

  nvinfer1::ILogger* logger_ = nullptr;  // of the network that was read last
  Reporter recorder_{nullptr};
  CaffePlugins plugins_;
  CaffeWeights weights_;
  std::vector<std::unique_ptr<CaffeBlobs>> blobs_;
};

}  // namespace
}  // namespace planish::tensorrt

extern "C" TENSORRTAPI void* planish_door_caffe_parser() {
  return static_cast<nvcaffeparser1::ICaffeParser*>(new (std::nothrow) planish::tensorrt::CaffeParser);
}
