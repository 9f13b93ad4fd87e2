// nvonnxparser: ONNX models into a network.

#include <memory>
#include <string>
#include <vector>

#include "NvOnnxConfig.h"
#include "NvOnnxParser.h"
#include "tensorrt/build/layer.h"
#include "tensorrt/build/onnx_model.h"
#include "tensorrt/build/refitter.h"

namespace planish::tensorrt {
namespace {

class OnnxParser final : public nvonnxparser::IParser {
 public:
  OnnxParser(NetworkImpl& network, nvinfer1::ILogger* logger) : network_(network), errors_(logger) {}

  bool parse(void const* bytes, size_t size, char const* path) override {
    return attempt("parse", [&] {
      if (bytes == nullptr || size == 0) refuse("the model is empty");
      network_.adopt(read_model(path, bytes, size));
    });
  }
  bool parseFromFile(char const* file, int) override {
    return attempt("parseFromFile", [&] {
      if (file == nullptr) refuse("the path is null");
      network_.adopt(read_model(file, nullptr, 0));
    });
  }
  bool parseWithWeightDescriptors(void const* bytes, size_t size) override { return parse(bytes, size, nullptr); }
  bool parseWithWeightDescriptors(void const* bytes, size_t size, uint32_t count,
                                  onnxTensorDescriptorV1 const*) override {
    return attempt("parseWithWeightDescriptors", [&] {
      if (count > 0) throw Error(Code::unsupported, "weights beside the model are not taken; put them into it");
      network_.adopt(read_model(nullptr, bytes, size));
    });
  }
  bool supportsModel(void const* bytes, size_t size) override { return supportsModelV2(bytes, size, nullptr); }
  bool supportsModel(void const* bytes, size_t size, SubGraphCollection_t& parts, char const* path) override {
    const bool whole = supportsModelV2(bytes, size, path);
    parts.clear();
    if (!nodes_.empty()) parts.emplace_back(std::vector<size_t>(nodes_.begin(), nodes_.end()), whole);
    return whole;
  }
  bool supportsModelV2(void const* bytes, size_t size, char const* path) override {
    nodes_.clear();
    return supported_ = attempt("supportsModel", [&] {
             if (bytes == nullptr || size == 0) refuse("the model is empty");
             const Network model = read_model(path, bytes, size);
             for (size_t i = 0, count = model.nodes().size(); i < count; ++i) nodes_.push_back(static_cast<int64_t>(i));
           });
  }
  int64_t getNbSubgraphs() override { return nodes_.empty() ? 0 : 1; }
  bool isSubgraphSupported(int64_t index) override { return index == 0 && supported_; }
  int64_t* getSubgraphNodes(int64_t index, int64_t& length) override {
    length = index == 0 ? static_cast<int64_t>(nodes_.size()) : 0;
    return index == 0 ? nodes_.data() : nullptr;
  }
  bool supportsOperator(char const* name) const override {
    return name != nullptr && planish_network_imports(name) != 0;
  }
  void destroy() override { delete this; }
  int getNbErrors() const override { return errors_.count(); }
  nvonnxparser::IParserError const* getError(int index) const override { return errors_.at(index); }
  void clearErrors() override { errors_.clear(); }
  char const* const* getUsedVCPluginLibraries(int64_t& count) const override {
    count = 0;
    return nullptr;
  }
  void setFlags(nvonnxparser::OnnxParserFlags flags) override { flags_ = flags; }
  nvonnxparser::OnnxParserFlags getFlags() const override { return flags_; }
  void clearFlag(nvonnxparser::OnnxParserFlag flag) override {
    attempt("clearFlag", [&] { flags_ &= ~bit(flag); });
  }
  void setFlag(nvonnxparser::OnnxParserFlag flag) override {
    attempt("setFlag", [&] { flags_ |= bit(flag); });
  }
  bool getFlag(nvonnxparser::OnnxParserFlag flag) const override {
    return static_cast<uint32_t>(flag) < kFlags && (flags_ & bit(flag)) != 0;
  }
  nvinfer1::ITensor const* getLayerOutputTensor(char const* name, int64_t i) override {
    if (name == nullptr) return nullptr;
    for (const auto& layer : network_.layers())
      if (layer->name == name) return layer->layer().getOutput(static_cast<int32_t>(i));
    return nullptr;
  }
  int getRefitMap(char const**, char const**, nvinfer1::WeightsRole*) override { return 0; }
  bool loadModelProto(void const* bytes, size_t size, char const* path) override {
    model_.assign(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
    path_ = path == nullptr ? "" : path;
    return !model_.empty();
  }
  bool loadInitializer(char const*, void const*, size_t) override {
    return attempt("loadInitializer",
                   [] { throw Error(Code::unsupported, "weights beside the model are not taken; put them into it"); });
  }
  bool parseModelProto() override {
    return parse(model_.data(), model_.size(), path_.empty() ? nullptr : path_.c_str());
  }
  bool setBuilderConfig(nvinfer1::IBuilderConfig const*) override { return true; }

 private:
  static constexpr int32_t kFlags = 5;
  static uint32_t bit(nvonnxparser::OnnxParserFlag flag) {
    require_value(static_cast<int64_t>(flag), kFlags, "OnnxParserFlag");
    return 1U << static_cast<uint32_t>(flag);
  }
  template <class Body>
  bool attempt(const char* call, Body body) {
    return errors_.attempt(call, body);
  }

  NetworkImpl& network_;
  ParserErrors errors_;
  std::vector<int64_t> nodes_;
  bool supported_ = false;
  nvonnxparser::OnnxParserFlags flags_ = PLANISH_TENSORRT_LAYOUT == 10 ? 1 : 0;
  std::string model_, path_;
};

class OnnxRefitter final : public nvonnxparser::IParserRefitter {
 public:
  OnnxRefitter(RefitterImpl& refitter, nvinfer1::ILogger* logger) : refitter_(refitter), errors_(logger) {}
  bool refitFromBytes(void const* bytes, size_t size, char const* path) override {
    return errors_.attempt("refitFromBytes", [&] {
      if (bytes == nullptr || size == 0) refuse("the model is empty");
      take(read_model(path, bytes, size));
    });
  }
  bool refitFromFile(char const* file) override {
    return errors_.attempt("refitFromFile", [&] {
      if (file == nullptr) refuse("the path is null");
      take(read_model(file, nullptr, 0));
    });
  }
  int32_t getNbErrors() const override { return errors_.count(); }
  nvonnxparser::IParserError const* getError(int32_t index) const override { return errors_.at(index); }
  void clearErrors() override { errors_.clear(); }
  bool loadModelProto(void const* bytes, size_t size, char const* path) override {
    model_.assign(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
    path_ = path == nullptr ? "" : path;
    return !model_.empty();
  }
  bool loadInitializer(char const*, void const*, size_t) override {
    return errors_.attempt("loadInitializer", [] {
      throw Error(Code::unsupported, "weights beside the model are not taken; put them into it");
    });
  }
  bool refitModelProto() override {
    return refitFromBytes(model_.data(), model_.size(), path_.empty() ? nullptr : path_.c_str());
  }

 private:
  void take(Network model) {
    if (!refitter_.take(std::move(model))) throw Error(Code::invalid_model, "the model lacks weights of the engine");
  }
  RefitterImpl& refitter_;
  ParserErrors errors_;
  std::string model_, path_;
};

class OnnxConfig final : public nvonnxparser::IOnnxConfig {
 public:
  void setModelDtype(nvinfer1::DataType const type) override { type_ = type; }
  nvinfer1::DataType getModelDtype() const override { return type_; }
  char const* getModelFileName() const override { return model_.c_str(); }
  void setModelFileName(char const* name) override { model_ = name == nullptr ? "" : name; }
  Verbosity getVerbosityLevel() const override { return verbosity_; }
  void addVerbosity() override { ++verbosity_; }
  void reduceVerbosity() override { --verbosity_; }
  void setVerbosityLevel(Verbosity level) override { verbosity_ = level; }
  char const* getTextFileName() const override { return text_.c_str(); }
  void setTextFileName(char const* name) override { text_ = name == nullptr ? "" : name; }
  char const* getFullTextFileName() const override { return full_text_.c_str(); }
  void setFullTextFileName(char const* name) override { full_text_ = name == nullptr ? "" : name; }
  bool getPrintLayerInfo() const override { return print_; }
  void setPrintLayerInfo(bool on) override { print_ = on; }
  void destroy() override { delete this; }

 private:
  nvinfer1::DataType type_ = nvinfer1::DataType::kFLOAT;
  std::string model_, text_, full_text_;
  Verbosity verbosity_ = 2;
  bool print_ = false;
};

}  // namespace
}  // namespace planish::tensorrt

extern "C" {

TENSORRTAPI void* planish_door_onnx_parser(void* network, void* logger) {
  using namespace planish::tensorrt;
  auto* given = static_cast<nvinfer1::ILogger*>(logger);
  if (network == nullptr) return nullptr;
  return Reporter(given).guard("createParser", static_cast<nvonnxparser::IParser*>(nullptr),
                               [&]() -> nvonnxparser::IParser* {
                                 auto* mine = static_cast<nvinfer1::INetworkDefinition*>(network);
                                 return new OnnxParser(static_cast<NetworkImpl&>(*mine), given);
                               });
}

TENSORRTAPI void* planish_door_onnx_refitter(void* refitter, void* logger) {
  using namespace planish::tensorrt;
  auto* given = static_cast<nvinfer1::ILogger*>(logger);
  if (refitter == nullptr) return nullptr;
  return Reporter(given).guard("createParserRefitter", static_cast<nvonnxparser::IParserRefitter*>(nullptr),
                               [&]() -> nvonnxparser::IParserRefitter* {
                                 auto* mine = static_cast<nvinfer1::IRefitter*>(refitter);
                                 return new OnnxRefitter(static_cast<RefitterImpl&>(*mine), given);
                               });
}

TENSORRTAPI void* planish_door_onnx_config() {
  return static_cast<nvonnxparser::IOnnxConfig*>(new (std::nothrow) planish::tensorrt::OnnxConfig);
}

}  // extern "C"
