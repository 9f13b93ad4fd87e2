// Caffe networks as a program of its major reads them: blobs, implicit batches, weights in half, means, plugins of each
// generation, several networks, and what is wrong. caffe_program FOLDER, which examples/make_data.py has filled; says
// what went wrong and ends with 1.

#include <functional>
#include <stdexcept>

#include "NvCaffeParser.h"
#include "program.h"

using namespace nvcaffeparser1;

namespace {

std::string folder;
constexpr int kMost = kHidesBatch ? 3 : 1;  // pictures at once

struct Destroy {
  template <class T>
  void operator()(T* object) const {
    delete object;
  }
  void operator()(ICaffeParser* object) const { object->destroy(); }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

// A parser and a network to read into.
struct Reading {
  Owned<IBuilder> builder{createInferBuilder(logger)};
  Owned<INetworkDefinition> network{builder->createNetworkV2(0)};
  Owned<ICaffeParser> parser{createCaffeParser()};
  const IBlobNameToTensor* blobs = nullptr;

  bool parse(const char* deploy = "digits.prototxt", const char* model = "digits.caffemodel",
             DataType type = DataType::kFLOAT) {
    blobs = parser->parse((folder + "/" + deploy).c_str(), model == nullptr ? nullptr : (folder + "/" + model).c_str(),
                          *network, type);
    return blobs != nullptr;
  }
  bool parse_text(const std::string& deploy, bool weights = true) {
    const std::string model = read_file(folder + "/digits.caffemodel");
    blobs = parser->parseBuffers(deploy.data(), deploy.size(), weights ? model.data() : nullptr, model.size(), *network,
                                 DataType::kFLOAT);
    return blobs != nullptr;
  }
  void mark(const char* name) {
    ITensor* tensor = blobs->find(name);
    EXPECT(tensor != nullptr);
    if (tensor != nullptr) network->markOutput(*tensor);
  }
  // Scores of the pictures, read by an engine that is built for as many; the batch is set after parsing.
  std::vector<float> run(const std::vector<float>& pictures, int outputs = 10) {
    const int count = static_cast<int>(pictures.size() / 64);
    if (kHidesBatch) builder->setMaxBatchSize(kMost);
    Owned<IBuilderConfig> config(builder->createBuilderConfig());
    Owned<IHostMemory> plan(builder->buildSerializedNetwork(*network, *config));
    EXPECT(plan != nullptr);
    std::vector<float> scores(static_cast<size_t>(count * outputs), -1);
    if (plan == nullptr) return scores;
    Owned<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
    Owned<IExecutionContext> context(engine->createExecutionContext());
    void* bindings[] = {const_cast<float*>(pictures.data()), scores.data()};
    EXPECT(engine->getNbBindings() == 2 && engine->bindingIsInput(0));
    EXPECT(kHidesBatch ? context->execute(count, bindings) : context->executeV2(bindings));
    return scores;
  }
};

std::vector<float> pictures() {
  std::vector<float> values;
  for (char digit : {'1', '7', '9'}) {
    const std::string bytes = read_file(folder + "/" + digit + ".pgm");
    for (size_t i = bytes.size() - 64; i < bytes.size(); ++i)
      values.push_back(static_cast<float>(static_cast<unsigned char>(bytes[i])));
    if (!kHidesBatch) break;
  }
  return values;
}

float difference(const std::vector<float>& a, const std::vector<float>& b) {
  float most = a.size() == b.size() ? 0.0F : 1.0F;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) most = std::fmax(most, std::fabs(a[i] - b[i]));
  return most;
}

std::vector<float> reference() {
  Reading reading;
  EXPECT(reading.parse());
  EXPECT(reading.network->getNbInputs() == 1 && reading.network->getNbLayers() >= 8);
  EXPECT(std::string(reading.network->getLayer(0)->getName()) == "scale");
  const Dims in = reading.network->getInput(0)->getDimensions(), out = reading.blobs->find("prob")->getDimensions();
  EXPECT(in.nbDims == (kHidesBatch ? 3 : 4) && in.d[in.nbDims - 1] == 8);
  EXPECT(kHidesBatch ? out.nbDims == 3 && out.d[0] == 10 && out.d[1] == 1 : out.nbDims == 2 && out.d[1] == 10);
  EXPECT(reading.blobs->find("image") == reading.network->getInput(0));
  EXPECT(reading.blobs->find("conv1") != nullptr && reading.blobs->find("conv1") == reading.blobs->find("conv1"));
  EXPECT(reading.blobs->find("nobody") == nullptr && reading.blobs->find(nullptr) == nullptr);
  EXPECT(std::string(reading.blobs->find("prob")->getName()) == "prob");
  reading.mark("prob");
  const std::vector<float> scores = reading.run(pictures());
  const int digits[] = {1, 7, 9};
  for (int n = 0; n < kMost; ++n) EXPECT(scores[static_cast<size_t>(10 * n + digits[n])] > 0.9F);
  return scores;
}

void other_ways(const std::vector<float>& right) {
  Reading text;
  EXPECT(text.parse_text(read_file(folder + "/digits.prototxt")));
  text.mark("prob");
  EXPECT(difference(text.run(pictures()), right) < 1e-6F);

  Reading half;
  EXPECT(half.parse("digits.prototxt", "digits.caffemodel", DataType::kHALF));
  half.mark("prob");
  const float far = difference(half.run(pictures()), right);
  EXPECT(far > 0 && far < 5e-3F);

  Reading random;
  EXPECT(random.parse("digits.prototxt", nullptr) && logged("random"));
  random.mark("prob");
  float sum = 0;
  for (float score : random.run(pictures())) sum += score;
  EXPECT(std::fabs(sum - static_cast<float>(kMost)) < 1e-4F);

  Reading inner;  // a blob that ReLU rewrites in place is what ReLU gives
  EXPECT(inner.parse());
  inner.mark("conv1");
  float least = 1;
  for (float value : inner.run(pictures(), 16 * 64)) least = std::fmin(least, value);
  EXPECT(least == 0);
}

// As samples do: the first layer reads the picture without its mean.
void means(const std::vector<float>& right) {
  Reading reading;
  EXPECT(reading.parse());
  reading.mark("prob");
  IBinaryProtoBlob* mean = reading.parser->parseBinaryProto((folder + "/digits_mean.binaryproto").c_str());
  EXPECT(mean != nullptr);
  if (mean == nullptr) return;
  EXPECT(mean->getDimensions().h() == 8 && mean->getDimensions().n() == 1 && mean->getDataType() == DataType::kFLOAT);
  EXPECT(static_cast<const float*>(mean->getData())[63] == 0);
  std::vector<float> values(64, -40);
  Dims dims = reading.network->getInput(0)->getDimensions();
  ITensor* added = reading.network->addConstant(dims, {DataType::kFLOAT, values.data(), 64})->getOutput(0);
  ITensor* input = reading.network->getInput(0);
  ITensor* moved = reading.network->addElementWise(*input, *added, ElementWiseOperation::kSUB)->getOutput(0);
  EXPECT(moved->getDimensions().nbDims == dims.nbDims);
  reading.network->getLayer(0)->setInput(0, *moved);
  std::vector<float> darker = pictures();
  for (float& value : darker) value -= 40;
  EXPECT(difference(reading.run(darker), right) < 1e-5F);
  mean->destroy();
  EXPECT(reading.parser->parseBinaryProto((folder + "/nowhere").c_str()) == nullptr && logged("nowhere"));
  EXPECT(reading.parser->parseBinaryProto(nullptr) == nullptr);
}

// Other extents than the file's: a picture of 16 x 16, whose conv2 has 8 x 8; and a batch, where it is shown.
void other_extents(const std::vector<float>& right) {
  Reading reading;
  EXPECT(reading.parse());
  reading.mark("prob");
  Dims dims = reading.network->getInput(0)->getDimensions();
  const Dims before = dims;
  dims.d[dims.nbDims - 1] = dims.d[dims.nbDims - 2] = 16;
  reading.network->getInput(0)->setDimensions(dims);
  EXPECT(logged("fc"));  // its weights are those of 8 x 8
  EXPECT(reading.blobs->find("conv2") != nullptr);
  reading.network->getInput(0)->setDimensions(before);
  EXPECT(difference(reading.run(pictures()), right) < 1e-6F);

  const std::string text = read_file(folder + "/digits.prototxt");
  std::ofstream(folder + "/digits_inner.prototxt") << text.substr(0, text.find("layer {\n  name: \"fc\""));
  Reading inner;
  EXPECT(inner.parse("digits_inner.prototxt"));
  inner.mark("pool2");
  const ILayer* first = inner.network->getLayer(0);
  inner.network->getInput(0)->setDimensions(dims);
  const Dims pooled = inner.blobs->find("pool2")->getDimensions();
  EXPECT(pooled.d[pooled.nbDims - 1] == 4 && inner.network->getLayer(0) == first);
#if NV_TENSORRT_MAJOR >= 10
  Dims dynamic = before;
  dynamic.d[0] = -1;
  Reading batches;
  EXPECT(batches.parse());
  batches.mark("prob");
  batches.network->getInput(0)->setDimensions(dynamic);
  EXPECT(batches.blobs->find("prob")->getDimensions().d[0] == -1);
  Owned<IBuilderConfig> config(batches.builder->createBuilderConfig());
  IOptimizationProfile* profile = batches.builder->createOptimizationProfile();
  profile->setDimensions("image", OptProfileSelector::kMIN, Dims4{1, 1, 8, 8});
  profile->setDimensions("image", OptProfileSelector::kOPT, Dims4{2, 1, 8, 8});
  profile->setDimensions("image", OptProfileSelector::kMAX, Dims4{4, 1, 8, 8});
  config->addOptimizationProfile(profile);
  Owned<ICudaEngine> engine(batches.builder->buildEngineWithConfig(*batches.network, *config));
  EXPECT(engine != nullptr);
  if (engine == nullptr) return;
  Owned<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> twice = pictures(), scores(20, -1);
  twice.insert(twice.end(), twice.begin(), twice.end());
  EXPECT(context->setInputShape("image", Dims4{2, 1, 8, 8}));
  void* bindings[] = {twice.data(), scores.data()};
  EXPECT(context->executeV2(bindings));
  EXPECT(difference({scores.begin() + 10, scores.end()}, right) < 1e-6F);
#endif
}

void two_networks() {
  Reading reading;
  EXPECT(reading.parse());
  reading.mark("prob");
  EXPECT(!reading.parse() && logged("an input 'image' already"));
  std::string other = read_file(folder + "/digits.prototxt");
  for (size_t at = 0; (at = other.find("\"image\"", at)) != std::string::npos; at += 7)
    other.replace(at, 7, "\"photo\"");
  const int before = reading.network->getNbLayers();
  EXPECT(reading.parse_text(other));
  EXPECT(reading.network->getNbInputs() == 2 && reading.network->getNbLayers() == 2 * before - (kHidesBatch ? 1 : 0));
  reading.mark("scores");
  Owned<IBuilderConfig> config(reading.builder->createBuilderConfig());
  Owned<ICudaEngine> engine(reading.builder->buildEngineWithConfig(*reading.network, *config));
  EXPECT(engine != nullptr && engine->getNbBindings() == 4 && engine->getBindingIndex("scores") == 3);
}

// Makes the layer "scale", or lets one go wrong.
class FactoryV2 : public nvcaffeparser1::IPluginFactoryV2 {
 public:
  explicit FactoryV2(std::string layer) : layer_(std::move(layer)) {}
  bool isPluginV2(const char* name) NX override { return layer_ == name; }
  IPluginV2* createPlugin(const char*, const Weights* weights, int32_t count, const char* space) NX override {
    counts.clear();
    for (int32_t i = 0; i < count; ++i) counts.push_back(weights[i].count);
    last = count > 0 ? static_cast<const float*>(weights[count - 1].values)[0] : 0;
    given = space;
    if (layer_ == "fc") return nullptr;
#if NV_TENSORRT_MAJOR >= 10
    return &dynamic;
#else
    return &fixed;
#endif
  }
  std::vector<int64_t> counts;
  std::string given;
  float last = 0;

 private:
  std::string layer_;
#if NV_TENSORRT_MAJOR >= 10
  ScaleDynamic dynamic{1.0F / 255};
#else
  ScaleIOExt fixed{1.0F / 255};
#endif
};

#if NV_TENSORRT_MAJOR < 8
class FactoryOfFirst : public nvcaffeparser1::IPluginFactoryExt {
 public:
  bool isPlugin(const char* name) override {
    if (throws) throw std::runtime_error("the factory is out of order");
    return std::string(name) == "scale";
  }
  bool isPluginExt(const char*) override { return false; }
  nvinfer1::IPlugin* createPlugin(const char*, const Weights*, int count) override {
    EXPECT(count == 0);
    return &plugin;
  }
  bool throws = false;

 private:
  ScaleV1 plugin{1.0F / 255};
};

// Makes "scale" as a plugin that is configured with its format.
class ScaleExt : public IPluginExt {
 public:
  bool supportsFormat(DataType type, PluginFormat format) const override {
    return type == DataType::kFLOAT && format == PluginFormat::kNCHW;
  }
  void configureWithFormat(const Dims*, int, const Dims*, int, DataType, PluginFormat, int most) override {
    largest = most;
  }
  int getNbOutputs() const override { return 1; }
  Dims getOutputDimensions(int, const Dims* inputs, int) override { return inputs[0]; }
  int initialize() override { return 0; }
  void terminate() override {}
  size_t getWorkspaceSize(int) const override { return 0; }
  int enqueue(int batch, const void* const* inputs, void** outputs, void*, cudaStream_t) override {
    for (int i = 0; i < 64 * batch; ++i)
      static_cast<float*>(outputs[0])[i] = static_cast<const float*>(inputs[0])[i] / 255;
    return 0;
  }
  size_t getSerializationSize() override { return 0; }
  void serialize(void*) override {}
  int largest = 0;
};

class FactoryOfExt : public nvcaffeparser1::IPluginFactoryExt {
 public:
  bool isPlugin(const char* name) override { return isPluginExt(name); }
  bool isPluginExt(const char* name) override { return std::string(name) == "scale"; }
  nvinfer1::IPlugin* createPlugin(const char*, const Weights*, int) override { return &plugin; }
  ScaleExt plugin;
};

void extended_plugins(const std::vector<float>& right) {
  FactoryOfExt factory;
  Reading reading;
  reading.parser->setPluginFactoryExt(&factory);
  EXPECT(reading.parse());
  reading.mark("prob");
  EXPECT(difference(reading.run(pictures()), right) < 1e-6F);
  EXPECT(factory.plugin.largest == kMost);
}

void first_plugins(const std::vector<float>& right) {
  FactoryOfFirst factory;
  for (int way = 0; way < 2; ++way) {
    Reading reading;
    if (way == 0)
      reading.parser->setPluginFactory(&factory);
    else
      reading.parser->setPluginFactoryExt(&factory);
    factory.throws = true;
    EXPECT(!reading.parse() && logged("out of order") && reading.network->getNbLayers() == 0);
    factory.throws = false;
    EXPECT(reading.parse());
    EXPECT(reading.network->getLayer(0)->getType() == LayerType::kPLUGIN);
    reading.mark("prob");
    EXPECT(difference(reading.run(pictures()), right) < 1e-6F);
  }
}
#endif

void plugins(const std::vector<float>& right) {
  FactoryV2 factory("scale");
  Reading reading;
  reading.parser->setPluginFactoryV2(&factory);
  reading.parser->setPluginNamespace("mine");
  std::string text = read_file(folder + "/digits.prototxt");
  text.replace(text.find("\"Power\""), 7, "\"Nobody\"");
  EXPECT(reading.parse_text(text));
  EXPECT(factory.given == "mine" && factory.counts.empty());
  ILayer* layer = reading.network->getLayer(0);
  EXPECT(layer->getType() == LayerType::kPLUGIN_V2 && std::string(layer->getName()) == "scale");
  EXPECT(std::string(layer->getOutput(0)->getName()) == "scale" && reading.blobs->find("scale") == layer->getOutput(0));
  reading.mark("prob");
  EXPECT(difference(reading.run(pictures()), right) < 1e-6F);

  FactoryV2 broken("fc");
  Reading refused;
  refused.parser->setPluginFactoryV2(&broken);
  EXPECT(!refused.parse() && logged("made no plugin"));
  EXPECT(broken.counts == (std::vector<int64_t>{1280, 10}));
  EXPECT(refused.network->getNbLayers() == 0 && refused.network->getNbInputs() == 0);
  refused.parser->setPluginFactoryV2(nullptr);
  EXPECT(refused.parse());
}

void misuse() {
  Recorder recorder;
  Reading reading;
  reading.parser->setErrorRecorder(&recorder);
  EXPECT(reading.parser->getErrorRecorder() == &recorder && recorder.references > 0);
  reading.parser->setProtobufBufferSize(8 << 20);
  EXPECT(reading.parser->parse(nullptr, nullptr, *reading.network, DataType::kFLOAT) == nullptr && logged("null"));
  EXPECT(!reading.parse("nowhere.prototxt") && logged("nowhere.prototxt: cannot open"));
  EXPECT(!reading.parse("digits.prototxt", "nowhere.caffemodel") && logged("nowhere.caffemodel"));
  EXPECT(!reading.parse("digits.prototxt", "digits.prototxt") && logged("not a Caffe model"));
  EXPECT(!reading.parse("digits.prototxt", "digits.caffemodel", DataType::kINT8) && logged("kFLOAT and kHALF"));
  std::string text = read_file(folder + "/digits.prototxt");
  const size_t at = text.find("pad:");
  text.insert(at + 3, "ding");
  EXPECT(!reading.parse_text(text) && logged("20:38: ConvolutionParameter has no field 'padding'"));
  EXPECT(recorder.errors.size() == 6 && recorder.errors.back().find("20:38") != std::string::npos);
  EXPECT(reading.parser->parseBuffers(static_cast<const char*>(nullptr), 0, nullptr, 0, *reading.network,
                                      DataType::kFLOAT) == nullptr);
  EXPECT(reading.network->getNbLayers() == 0 && reading.network->getNbInputs() == 0);
  reading.parser->setErrorRecorder(nullptr);
  EXPECT(recorder.references == 0);
  EXPECT(reading.parse());
  shutdownProtobufLibrary();
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  folder = arguments[1];
  const std::vector<float> right = reference();
  other_ways(right);
  means(right);
  other_extents(right);
  two_networks();
  plugins(right);
#if NV_TENSORRT_MAJOR < 8
  first_plugins(right);
  extended_plugins(right);
#endif
  misuse();
  for (const std::string& line : logger.lines)
    if (failures > 0) std::printf("  %s\n", line.c_str());
  return failures > 0 ? 1 : 0;
}
