// A program in the style of the major that it is compiled for: networks by calls, from ONNX, plugins of every
// generation, misuse. era_program DIGITS.onnx; says what went wrong and ends with 1.

#include "NvOnnxParser.h"
#include "program.h"

namespace {

std::vector<float> ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11) / 8;
  return values;
}

#if NV_TENSORRT_MAJOR <= 7
// 2x4x4 -> convolution 3x3 (3 maps, padding 1) -> ReLU -> pooling 2x2 -> full connection (2) -> softmax.
struct Reference {
  std::vector<float> kernel = ramp(3 * 2 * 3 * 3), bias = {0.5F, -0.25F, 0.125F}, full = ramp(2 * 12);
  std::vector<float> run(const float* x) const {
    std::vector<float> pooled;
    for (int k = 0; k < 3; ++k) {
      float map[4][4];
      for (int y = 0; y < 4; ++y)
        for (int z = 0; z < 4; ++z) {
          float sum = bias[static_cast<size_t>(k)];
          for (int c = 0; c < 2; ++c)
            for (int i = -1; i <= 1; ++i)
              for (int j = -1; j <= 1; ++j)
                if (y + i >= 0 && y + i < 4 && z + j >= 0 && z + j < 4)
                  sum += x[c * 16 + (y + i) * 4 + z + j] *
                         kernel[static_cast<size_t>(((k * 2 + c) * 3 + i + 1) * 3 + j + 1)];
          map[y][z] = sum > 0 ? sum : 0;
        }
      for (int y = 0; y < 4; y += 2)
        for (int z = 0; z < 4; z += 2) {
          float most = map[y][z];
          for (int i = 0; i < 2; ++i)
            for (int j = 0; j < 2; ++j) most = map[y + i][z + j] > most ? map[y + i][z + j] : most;
          pooled.push_back(most);
        }
    }
    float logits[2] = {0, 0};
    for (size_t o = 0; o < 2; ++o)
      for (size_t i = 0; i < 12; ++i) logits[o] += full[o * 12 + i] * pooled[i];
    const float most = logits[0] > logits[1] ? logits[0] : logits[1];
    const float a = std::exp(logits[0] - most), b = std::exp(logits[1] - most);
    return {a / (a + b), b / (a + b)};
  }
};

void version_3() {
  const Reference reference;
  IBuilder* builder = createInferBuilder(logger);
  INetworkDefinition* network = builder->createNetwork();
  ITensor* data = network->addInput("data", DataType::kFLOAT, DimsCHW{2, 4, 4});
  IConvolutionLayer* conv =
      network->addConvolution(*data, 3, DimsHW{3, 3}, weights_of(reference.kernel), weights_of(reference.bias));
  conv->setPadding(DimsHW{1, 1});
  conv->setName("conv");
  IActivationLayer* relu = network->addActivation(*conv->getOutput(0), ActivationType::kRELU);
  IPoolingLayer* pool = network->addPooling(*relu->getOutput(0), PoolingType::kMAX, DimsHW{2, 2});
  pool->setStride(DimsHW{2, 2});
  EXPECT(pool->getOutput(0)->getDimensions().nbDims == 3 && pool->getOutput(0)->getDimensions().d[0] == 3);
  EXPECT(pool->getOutput(0)->getDimensions().d[1] == 2);
  ScaleV1 doubled(2.0F);
  ITensor* pooled = pool->getOutput(0);
  IPluginLayer* plugin = network->addPlugin(&pooled, 1, doubled);
  EXPECT(plugin != nullptr);
  plugin->setName("double");
  std::vector<float> half(reference.full);
  for (float& value : half) value /= 2;
  IFullyConnectedLayer* full = network->addFullyConnected(*plugin->getOutput(0), 2, weights_of(half), kNone);
  ISoftMaxLayer* soft = network->addSoftMax(*full->getOutput(0));
  soft->getOutput(0)->setName("prob");
  network->markOutput(*soft->getOutput(0));
  builder->setMaxBatchSize(3);
  builder->setMaxWorkspaceSize(1 << 20);
  ICudaEngine* built = builder->buildCudaEngine(*network);
  EXPECT(built != nullptr);
  if (built == nullptr) return;
  network->destroy();
  builder->destroy();
  IHostMemory* plan = built->serialize();

  FactoryV1 factory;
  IRuntime* runtime = createInferRuntime(logger);
  ICudaEngine* loaded = runtime->deserializeCudaEngine(plan->data(), plan->size(), &factory);
  EXPECT(loaded != nullptr);
  plan->destroy();
  for (ICudaEngine* engine : {built, loaded}) {
    if (engine == nullptr) continue;
    EXPECT(engine->getNbBindings() == 2 && engine->getMaxBatchSize() == 3);
    const int in = engine->getBindingIndex("data"), out = engine->getBindingIndex("prob");
    EXPECT(in == 0 && out == 1 && engine->bindingIsInput(in) && !engine->bindingIsInput(out));
    EXPECT(engine->getBindingDimensions(in).nbDims == 3);
    IExecutionContext* context = engine->createExecutionContext();
    for (int batch = 1; batch <= 3; ++batch) {
      std::vector<float> x = ramp(static_cast<size_t>(batch) * 32), y(static_cast<size_t>(batch) * 2, -1);
      void* bindings[2] = {x.data(), y.data()};
      EXPECT(batch == 2 ? context->execute(batch, bindings) : context->enqueue(batch, bindings, nullptr, nullptr));
      for (int n = 0; n < batch; ++n) {
        const std::vector<float> right = reference.run(x.data() + n * 32);
        for (size_t o = 0; o < 2; ++o) EXPECT(near(y[static_cast<size_t>(n) * 2 + o], right[o]));
      }
    }
    float none = 0;
    void* bindings[2] = {&none, &none};
    EXPECT(!context->enqueue(4, bindings, nullptr, nullptr));
    context->destroy();
    engine->destroy();
  }
  runtime->destroy();
}
#endif

std::vector<float> picture() {
  std::vector<float> x(64);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) / 7;
  return x;
}
// Of the bundled network for that picture.
bool right_scores(const std::vector<float>& y) {
  return near(y[0], -4.6248F) && near(y[1], -3.6565F) && near(y[2], -5.15263F) && near(y[3], -4.15052F);
}

IHostMemory* plan_of(IBuilder& builder, INetworkDefinition& network, IBuilderConfig& config) {
#if NV_TENSORRT_MAJOR >= 8
  return builder.buildSerializedNetwork(network, config);
#else
  ICudaEngine* engine = builder.buildEngineWithConfig(network, config);
  IHostMemory* plan = engine == nullptr ? nullptr : engine->serialize();
  if (engine != nullptr) engine->destroy();
  return plan;
#endif
}

uint32_t explicit_batch() {
  return NV_TENSORRT_MAJOR >= 10 ? 0 : 1U << static_cast<uint32_t>(NetworkDefinitionCreationFlag::kEXPLICIT_BATCH);
}

void from_onnx(const char* file) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(explicit_batch()));
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  EXPECT(parser->parseFromFile(file, static_cast<int>(ILogger::Severity::kWARNING)));
  EXPECT(network->getNbInputs() == 1 && network->getNbOutputs() == 1);
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  config->setMaxWorkspaceSize(1 << 20);
  config->clearFlag(BuilderFlag::kTF32);
  EXPECT(network->getInput(0)->getDimensions().d[0] == -1);
  IOptimizationProfile* profile = builder->createOptimizationProfile();
  for (auto select : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
    EXPECT(profile->setDimensions("image", select, Dims4{select == OptProfileSelector::kMIN ? 1 : 4, 1, 8, 8}));
  EXPECT(config->addOptimizationProfile(profile) == 0);
  std::unique_ptr<IHostMemory> plan(plan_of(*builder, *network, *config));
  EXPECT(plan != nullptr);
  if (plan == nullptr) return;
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  EXPECT(engine != nullptr);
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  EXPECT(context->setInputShape("image", Dims4{1, 1, 8, 8}));
  Profiler profiler;
  context->setProfiler(&profiler);
  std::vector<float> x = picture(), y(10);
  void* bindings[2] = {x.data(), y.data()};
  EXPECT(context->executeV2(bindings) && right_scores(y));
  EXPECT(!profiler.layers.empty() && profiler.layers.size() == static_cast<size_t>(engine->getNbLayers()));
  context->setProfiler(nullptr);
  y.assign(10, 0);
  EXPECT(context->enqueueV2(bindings, nullptr, nullptr) && right_scores(y));
  y.assign(10, 0);
  EXPECT(context->setTensorAddress("image", x.data()) && context->setTensorAddress("scores", y.data()));
  EXPECT(context->enqueueV3(nullptr) && right_scores(y));
  EXPECT(!context->setTensorAddress("nobody", x.data()));
  std::unique_ptr<IEngineInspector> inspector(engine->createEngineInspector());
  EXPECT(std::strstr(inspector->getEngineInformation(LayerInformationFormat::kJSON), "\"Layers\"") != nullptr);
}

// input -> plugin with factor 3 -> output, of a dynamic batch; run from the engine built here and from its bytes.
template <class Add>
void plugin_network(Add add, bool implicit) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  builder->setMaxBatchSize(2);
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(implicit ? 0 : explicit_batch()));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  ITensor* x = implicit ? network->addInput("x", DataType::kFLOAT, Dims2{2, 3})
                        : network->addInput("x", DataType::kFLOAT, Dims3{-1, 2, 3});
  ILayer* layer = add(*network, x);
  EXPECT(layer != nullptr);
  if (layer == nullptr) return;
  layer->setName("triple");
  layer->getOutput(0)->setName("y");
  network->markOutput(*layer->getOutput(0));
  IOptimizationProfile* profile = builder->createOptimizationProfile();
  if (!implicit) {
    EXPECT(profile->setDimensions("x", OptProfileSelector::kMIN, Dims3{1, 2, 3}));
    EXPECT(profile->setDimensions("x", OptProfileSelector::kOPT, Dims3{2, 2, 3}));
    EXPECT(profile->setDimensions("x", OptProfileSelector::kMAX, Dims3{2, 2, 3}));
    EXPECT(config->addOptimizationProfile(profile) == 0);
  }
  std::unique_ptr<ICudaEngine> built(builder->buildEngineWithConfig(*network, *config));
  EXPECT(built != nullptr);
  if (built == nullptr) return;
  std::unique_ptr<IHostMemory> plan(built->serialize());
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> loaded(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  EXPECT(loaded != nullptr);
  for (ICudaEngine* engine : {built.get(), loaded.get()}) {
    if (engine == nullptr) continue;
    std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
    std::vector<float> in = ramp(12), out(12, 0);
    void* bindings[2] = {in.data(), out.data()};
    if (implicit) {
      EXPECT(context->enqueue(2, bindings, nullptr, nullptr));
    } else {
      EXPECT(!context->setBindingDimensions(0, Dims3{3, 2, 3}));
      EXPECT(context->setBindingDimensions(0, Dims3{2, 2, 3}) && context->allInputDimensionsSpecified());
      EXPECT(context->getBindingDimensions(1).d[0] == 2);
      EXPECT(context->enqueueV2(bindings, nullptr, nullptr));
    }
    for (size_t i = 0; i < 12; ++i) EXPECT(near(out[i], 3 * in[i]));
  }
}

void plugins() {
  static ScaleDynamicCreator dynamic_creator;
  static ScaleIOExtCreator io_creator;
  getPluginRegistry()->registerCreator(dynamic_creator, "");
  getPluginRegistry()->registerCreator(io_creator, "");
  EXPECT(getPluginRegistry()->getPluginCreator("ScaleDynamic", "1", "") == &dynamic_creator);
  EXPECT(getPluginRegistry()->getPluginCreator("ScaleDynamic", "2", "") == nullptr);
  plugin_network(
      [](INetworkDefinition& network, ITensor* x) -> ILayer* {
        ScaleDynamic plugin(3);
        return network.addPluginV2(&x, 1, plugin);
      },
      false);
#if NV_TENSORRT_MAJOR < 10
  plugin_network(
      [](INetworkDefinition& network, ITensor* x) -> ILayer* {
        ScaleIOExt plugin(3);
        return network.addPluginV2(&x, 1, plugin);
      },
      true);
#else
  static ScaleV3Creator third_creator;
  getPluginRegistry()->registerCreator(third_creator, "");
  plugin_network(
      [](INetworkDefinition& network, ITensor* x) -> ILayer* {
        ScaleV3 plugin(3);
        return network.addPluginV3(&x, 1, nullptr, 0, plugin);
      },
      false);
#endif
}

// Nothing of this ends the program; each line is heard by the logger and, where there is one, by the recorder.
void misuse() {
  EXPECT(createInferBuilder_INTERNAL(&logger, NV_TENSORRT_MAJOR >= 10 ? 8601 : 101600) == nullptr);
  EXPECT(logger.lines.back().find("compiled for version") != std::string::npos);
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  Recorder recorder;
  runtime->setErrorRecorder(&recorder);
  EXPECT(runtime->deserializeCudaEngine(nullptr, 0) == nullptr);
  const std::string junk(1000, 'x'), foreign = "ftrt" + junk;
  EXPECT(runtime->deserializeCudaEngine(junk.data(), junk.size()) == nullptr);
  EXPECT(runtime->deserializeCudaEngine(foreign.data(), foreign.size()) == nullptr);
  EXPECT(recorder.getNbErrors() == 3);
  runtime->setErrorRecorder(nullptr);
  EXPECT(recorder.references == 0 && runtime->getNbDLACores() == 0);
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(explicit_batch()));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  EXPECT(builder->buildEngineWithConfig(*network, *config) == nullptr);  // no outputs
  EXPECT(network->addInput(nullptr, DataType::kFLOAT, Dims2{1, 2}) == nullptr);
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 2, 4, 4});
  EXPECT(network->addInput("x", DataType::kFLOAT, Dims2{1, 2}) == nullptr);
  const std::vector<float> few(5);
  IConvolutionLayer* conv = network->addConvolutionNd(*x, 3, Dims2{3, 3}, weights_of(few), kNone);
  EXPECT(conv->getOutput(0)->getDimensions().nbDims == -1);
  EXPECT(logger.lines.back().find("5 weights, 54 are needed") != std::string::npos);
  EXPECT(network->addConcatenation(nullptr, 2) == nullptr);
  EXPECT(network->getLayer(7) == nullptr && network->getInput(-1) == nullptr);
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  EXPECT(!parser->parseFromFile("nowhere.onnx", 0) && parser->getNbErrors() == 1);
  EXPECT(std::strstr(parser->getError(0)->desc(), "nowhere.onnx") != nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
#if NV_TENSORRT_MAJOR <= 7
  version_3();
#endif
  from_onnx(argv[1]);
  plugins();
  misuse();
  if (failures > 0)
    for (const std::string& line : logger.lines) std::printf("log: %s\n", line.c_str());
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
