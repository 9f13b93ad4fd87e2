// Values that no enumeration has, inputs that a layer does not take, numbers that mean nothing, values of inputs that
// hold extents, and networks that are deeper than a stack. Says what was not so and ends with 1.

#include "NvOnnxParser.h"
#include "refused.h"

namespace {

template <class Enum>
Enum none() {
  return static_cast<Enum>(77);
}

// No result, or one without a shape.
bool shaped(ILayer* layer) { return layer != nullptr && layer->getOutput(0)->getDimensions().nbDims >= 0; }

// A call without a result: a line that says `what`, told to the recorder once.
template <class Call>
bool says(Call call, const std::string& what) {
  const size_t told = recorder.errors.size();
  call();
  if (recorder.errors.size() == told + 1 && logged(what)) return true;
  std::printf("%s: %zu errors, %s\n", what.c_str(), recorder.errors.size() - told,
              logger.lines.empty() ? "" : logger.lines.back().c_str());
  return false;
}

void enumerations() {
  Built built;
  INetworkDefinition& network = *built.network;
  ITensor& x = *built.x;
  REFUSED(network.addActivation(x, none<ActivationType>()));
  EXPECT(logged("ActivationType 77; 0 to 13 are known"));
  REFUSED(network.addElementWise(x, x, none<ElementWiseOperation>()));
  REFUSED(network.addUnary(x, none<UnaryOperation>()));
  REFUSED(network.addReduce(x, none<ReduceOperation>(), 2, true));
  REFUSED(network.addTopK(x, none<TopKOperation>(), 1, 2));
  REFUSED(network.addMatrixMultiply(x, none<MatrixOperation>(), x, MatrixOperation::kNONE));
  REFUSED(network.addScale(x, none<ScaleMode>(), kNone, kNone, kNone));
  REFUSED(network.addPoolingNd(x, none<PoolingType>(), Dims2{2, 2}));
  REFUSED(network.addFill(dims_of({4}), none<FillOperation>()));
  REFUSED(network.addCast(x, none<DataType>()));
  IActivationLayer* relu = network.addActivation(x, ActivationType::kTANH);
  EXPECT(says([&] { relu->setActivationType(none<ActivationType>()); }, "ActivationType 77"));
  EXPECT(relu->getActivationType() == ActivationType::kTANH);
  EXPECT(says([&] { relu->setPrecision(none<DataType>()); }, "DataType 77"));
  EXPECT(says([&] { relu->getOutput(0)->setLocation(none<TensorLocation>()); }, "TensorLocation 77"));
  IResizeLayer* resize = network.addResize(x);
  EXPECT(says([&] { resize->setResizeMode(none<ResizeMode>()); }, "InterpolationMode 77"));
  EXPECT(says([&] { resize->setNearestRounding(static_cast<ResizeRoundMode>(-1)); }, "ResizeRoundMode -1"));
  EXPECT(says([&] { built.config->setFlag(static_cast<BuilderFlag>(33)); }, "BuilderFlag 33"));
  EXPECT(says([&] { built.config->getFlag(static_cast<BuilderFlag>(-1)); }, "BuilderFlag -1"));
  EXPECT(says([&] { built.config->setMemoryPoolLimit(none<MemoryPoolType>(), 1); }, "MemoryPoolType 77"));
  EXPECT(says([&] { built.config->setProfilingVerbosity(none<ProfilingVerbosity>()); }, "ProfilingVerbosity 77"));
  EXPECT(built.config->getProfilingVerbosity() == ProfilingVerbosity::kLAYER_NAMES_ONLY);
  IOptimizationProfile* profile = built.builder->createOptimizationProfile();
  REFUSED(profile->setDimensions("x", none<OptProfileSelector>(), Dims4{1, 2, 3, 4}));
}

void inputs_and_numbers() {
  Built built;
  INetworkDefinition& network = *built.network;
  ITensor& x = *built.x;
  ILayer* relu = network.addActivation(x, ActivationType::kRELU);
  EXPECT(says([&] { relu->setInput(5, x); }, "input 5 of layer '(Unnamed Layer* 0) [Activation]'; 1 are accepted"));
  EXPECT(says([&] { relu->setInput(1, x); }, "1 are accepted") && relu->getNbInputs() == 1);
  EXPECT(says([&] { relu->setInput(-1, x); }, "1 are accepted"));
  IShuffleLayer* shuffle = network.addShuffle(x);
  EXPECT(says([&] { shuffle->setInput(2, x); }, "2 are accepted"));
  shuffle->setInput(1, *network.addShape(x)->getOutput(0));
  EXPECT(shuffle->getNbInputs() == 2 && shaped(shuffle));

  REFUSED(shaped(network.addReduce(x, ReduceOperation::kSUM, 0, true)));
  EXPECT(logged("mask of axes"));
  const std::vector<float> few(108, 0.5F);
  IConvolutionLayer* conv = network.addConvolutionNd(x, 6, Dims2{3, 3}, Weights{DataType::kFLOAT, nullptr, 108}, kNone);
  REFUSED(shaped(conv));
  EXPECT(logged("the pointer to 108 weights is null"));
  conv->setKernelWeights(weights_of(few));
  EXPECT(shaped(conv));
  EXPECT(says([&] { conv->setStrideNd(dims_of({1}, 99)); }, "rank 99"));
  conv->setStrideNd(Dims2{0, 1});
  REFUSED(shaped(conv));
  EXPECT(logged("the stride is 0x1"));
  conv->setStrideNd(Dims2{1, 1});
  conv->setNbOutputMaps(0);
  REFUSED(shaped(conv));
  EXPECT(logged("0 output channels"));
  IPoolingLayer* pool = network.addPoolingNd(x, PoolingType::kMAX, Dims2{2, 2});
  pool->setStrideNd(Dims2{1, -1});
  REFUSED(shaped(pool));
  EXPECT(logged("the stride is 1x-1"));
}

#if NV_TENSORRT_MAJOR >= 8
// A scale of 0 divides by nothing: the build ends and says which layer.
void scales() {
  for (float scale : {0.0F, -0.1F, NAN}) {
    const std::vector<float> number = {scale};
    Built built;
    ITensor* factor = built.network->addConstant(dims_of({}), weights_of(number))->getOutput(0);
    IQuantizeLayer* layer = built.network->addQuantize(*built.x, *factor);
    layer->setName("to bytes");
    ITensor* y = built.network->addDequantize(*layer->getOutput(0), *factor)->getOutput(0);
    REFUSED(built.build(y));
    EXPECT(logged("layer 'to bytes': scale") && logged("above 0"));
  }
}
#endif

// y = x in the extents that s holds.
std::unique_ptr<ICudaEngine> reshaping() {
  Built built;
  ITensor* extents = built.network->addInput("s", DataType::kINT32, dims_of({2}));
  IShuffleLayer* layer = built.network->addShuffle(*built.x);
  layer->setInput(1, *extents);
  layer->getOutput(0)->setName("y");
  built.network->markOutput(*layer->getOutput(0));
  for (int i = 0; i < 2; ++i) {
    IOptimizationProfile* profile = built.builder->createOptimizationProfile();
    const int32_t least[] = {1, 1}, usual[] = {4, 6}, most[] = {24, i == 0 ? 24 : 12};
    profile->setShapeValues("s", OptProfileSelector::kMIN, least, 2);
    profile->setShapeValues("s", OptProfileSelector::kOPT, usual, 2);
    profile->setShapeValues("s", OptProfileSelector::kMAX, most, 2);
    built.config->addOptimizationProfile(profile);
  }
  return std::unique_ptr<ICudaEngine>(built.builder->buildEngineWithConfig(*built.network, *built.config));
}

bool is(const Dims& dims, int a, int b) { return dims.nbDims == 2 && dims.d[0] == a && dims.d[1] == b; }

void extents_by_value() {
  const auto engine = reshaping();
  if (engine == nullptr) return EXPECT(engine != nullptr);
  engine->setErrorRecorder(&recorder);
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  const int s = engine->getBindingIndex("s"), y = engine->getBindingIndex("y"), x = engine->getBindingIndex("x");
  const int second = engine->getNbBindings() / 2;
  EXPECT(engine->isShapeBinding(s) && !engine->isShapeBinding(y) && engine->isShapeInferenceIO("s"));
  float in[24], out[24] = {};
  for (int i = 0; i < 24; ++i) in[i] = static_cast<float>(i);
  int32_t given[] = {4, 6}, read[2] = {};
  const int32_t wide[] = {2, 25}, other[] = {6, 4}, third[] = {3, 8}, flat[] = {1, 24};
  EXPECT(!context->allInputShapesSpecified());
  REFUSED(context->setInputShapeBinding(s, nullptr));
  REFUSED(context->setInputShapeBinding(x, given));
  REFUSED(context->setInputShapeBinding(s + second, given));  // of the other profile
  REFUSED(context->setInputShapeBinding(s, wide));
  EXPECT(logged("element 1 of 's' is 25, profile 0 accepts 1 to 24"));
  EXPECT(context->setInputShapeBinding(s, given) && context->allInputShapesSpecified());
  EXPECT(context->getShapeBinding(s, read) && read[0] == 4 && read[1] == 6);

  // By bindings; what lies at the place of s does not count.
  void* bindings[6] = {};
  bindings[x] = in, bindings[y] = out;
  EXPECT(context->enqueueV2(bindings, nullptr, nullptr) && out[23] == 23);
  EXPECT(is(context->getBindingDimensions(y), 4, 6));
  EXPECT(context->setInputShapeBinding(s, other));
  EXPECT(is(context->getBindingDimensions(y), -1, -1));  // until it has run so
  // By names; the values hold until an address takes their place, which is read as it is enqueued.
  EXPECT(context->setTensorAddress("x", in) && context->setTensorAddress("y", out));
  EXPECT(context->enqueueV3(nullptr) && is(context->getTensorShape("y"), 6, 4));
  EXPECT(context->setInputTensorAddress("s", third) && is(context->getTensorShape("y"), -1, -1));
  EXPECT(context->enqueueV3(nullptr) && is(context->getTensorShape("y"), 3, 8));
  EXPECT(context->setInputTensorAddress("s", wide));
  REFUSED(context->enqueueV3(nullptr));
  EXPECT(logged("profile 0 accepts 1 to 24"));
  EXPECT(context->setInputShapeBinding(s, flat) && context->enqueueV3(nullptr));
  EXPECT(is(context->getTensorShape("y"), 1, 24));

  // Another profile begins without values.
  EXPECT(context->setOptimizationProfileAsync(1, nullptr));
  EXPECT(context->setInputTensorAddress("s", nullptr) && !context->allInputShapesSpecified());
  REFUSED(context->enqueueV3(nullptr));
  REFUSED(context->setInputShapeBinding(s + second, flat));
  EXPECT(logged("profile 1 accepts 1 to 12"));
  EXPECT(context->setInputShapeBinding(s + second, given) && context->enqueueV3(nullptr));
  REFUSED(context->getShapeBinding(x + second, read));
  engine->setErrorRecorder(nullptr);
}

void profiles_and_plans() {
  const auto engine = reshaping();
  if (engine == nullptr) return EXPECT(engine != nullptr);
  engine->setErrorRecorder(&recorder);
  for (int profile : {-1, 2, 1000}) {
    REFUSED(engine->getTensorBytesPerComponent("x", profile) != -1);
    REFUSED(engine->getTensorComponentsPerElement("x", profile) != -1);
    REFUSED(engine->getTensorFormatDesc("x", profile)[0] != 0);
    REFUSED(engine->getTensorVectorizedDim("x", profile) != -1);
    EXPECT(says([&] { engine->getTensorFormat("x", profile); }, "profile " + std::to_string(profile) + " of 2"));
    REFUSED(engine->getProfileShapeValues(profile, engine->getBindingIndex("s"), OptProfileSelector::kMIN));
  }
  EXPECT(engine->getTensorBytesPerComponent("x", 1) == 4 && engine->getTensorComponentsPerElement("x", 1) == 1);
  REFUSED(engine->getProfileShape("x", 0, none<OptProfileSelector>()).nbDims >= 0);
  REFUSED(engine->getProfileTensorValues("s", 0, none<OptProfileSelector>()));
  REFUSED(engine->createExecutionContext(none<ExecutionContextAllocationStrategy>()));
  REFUSED(engine->getEngineStat(none<EngineStat>()) >= 0);
  std::unique_ptr<ISerializationConfig> config(engine->createSerializationConfig());
  REFUSED(config->setFlag(none<SerializationFlag>()));
  REFUSED(config->getFlag(static_cast<SerializationFlag>(-1)));
  std::unique_ptr<IEngineInspector> inspector(engine->createEngineInspector());
  inspector->setErrorRecorder(&recorder);
  REFUSED(inspector->getEngineInformation(none<LayerInformationFormat>()));
  engine->setErrorRecorder(nullptr);
}

// A dynamic input needs a profile that sets it.
void no_profile() {
  Built built;
  ITensor* open = built.network->addInput("open", DataType::kFLOAT, dims_of({-1, 4}));
  ITensor* y = built.network->addActivation(*open, ActivationType::kRELU)->getOutput(0);
  REFUSED(built.build(y));
  EXPECT(logged("input 'open' has dynamic dimensions (-1x4) and there is no optimization profile"));
  IOptimizationProfile* profile = built.builder->createOptimizationProfile();
  profile->setDimensions("other", OptProfileSelector::kMIN, dims_of({1, 4}));
  profile->setDimensions("other", OptProfileSelector::kOPT, dims_of({1, 4}));
  profile->setDimensions("other", OptProfileSelector::kMAX, dims_of({1, 4}));
  built.config->addOptimizationProfile(profile);
  REFUSED(std::unique_ptr<ICudaEngine>(built.builder->buildEngineWithConfig(*built.network, *built.config)) != nullptr);
  EXPECT(logged("profile 0 does not set them"));
}

class OtherVersion : public ScaleDynamicCreator {
 public:
  const char* getPluginVersion() const NX override { return "7"; }
};

// A plan whose plugin no creator makes: what was looked for, and what there is.
void no_creator() {
  static OtherVersion other;
  getPluginRegistry()->registerCreator(other, "");
  Built built;
  ScaleDynamic plugin(3);
  std::unique_ptr<IHostMemory> plan(built.build(built.network->addPluginV2(&built.x, 1, plugin)->getOutput(0)));
  EXPECT(plan != nullptr);
  if (plan == nullptr) return;
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  runtime->setErrorRecorder(&recorder);
  REFUSED(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  EXPECT(logged("plugin 'ScaleDynamic', version '1', namespace ''") && logged("::ScaleDynamic:7"));
  runtime->setErrorRecorder(nullptr);
}

// What is said once is said once of each object.
void once_each() {
  for (int i = 0; i < 2; ++i) {
    const auto engine = reshaping();
    const size_t lines = logger.lines.size();
    EXPECT(!engine->setWeightStreamingBudgetV2(1) && !engine->setWeightStreamingBudgetV2(2));
    EXPECT(logger.lines.size() == lines + 1);
    Built built;
    built.config->setDLACore(0);
    built.config->setDLACore(1);
    EXPECT(logger.lines.size() == lines + 2);
  }
}

// A field of a message on the wire: a number, or bytes.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7U) bytes += static_cast<char>(value | 128U);
  return bytes + static_cast<char>(value);
}
std::string field(uint64_t number, uint64_t value) { return varint(number << 3U) + varint(value); }
std::string field(uint64_t number, const std::string& bytes) {
  return varint(number << 3U | 2U) + varint(bytes.size()) + bytes;
}

// An ONNX model: y is what `count` nodes in a row make of x [1, 8].
std::string chain_model(int count) {
  const auto value = [&](int i) { return i == 0 ? "x" : i == count ? "y" : "v" + std::to_string(i); };
  const std::string shape = field(1, field(1, 1)) + field(1, field(1, 8));
  const std::string type = field(2, field(1, field(1, 1) + field(2, shape)));
  std::string graph;
  for (int i = 0; i < count; ++i)
    graph += field(1, field(1, value(i)) + field(2, value(i + 1)) + field(4, i % 2 == 0 ? "Softsign" : "Tanh"));
  graph += field(2, "chain") + field(11, field(1, "x") + type) + field(12, field(1, "y") + type);
  return field(1, 8) + field(7, graph) + field(8, field(2, 13));
}

void long_model() {
  Built built;
  const auto network = explicit_network(*built.builder);
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  const std::string model = chain_model(30000);
  EXPECT(parser->parse(model.data(), model.size()) && network->getNbLayers() == 30000);
  EXPECT(std::unique_ptr<ICudaEngine>(built.builder->buildEngineWithConfig(*network, *built.config)) != nullptr);
}

// Layers in a row, many times deeper than a stack has room for calls.
void long_chain() {
  constexpr int kLayers = 30000;
  Built built;
  ITensor* last = built.x;
  for (int i = 0; i < kLayers; ++i) {
    ILayer* layer = built.network->addActivation(*last, i % 2 == 0 ? ActivationType::kSOFTSIGN : ActivationType::kTANH);
    layer->setName("one name");
    last = layer->getOutput(0);
  }
  EXPECT(last->getDimensions().d[3] == 4);
  std::unique_ptr<IHostMemory> plan(built.build(last));
  EXPECT(plan != nullptr);
  // The first layer reads what the last one gives.
  built.network->getLayer(0)->setInput(0, *last);
  REFUSED(last->getDimensions().nbDims >= 0);
  EXPECT(logged("depends on itself"));
}

}  // namespace

int main() {
  enumerations();
  inputs_and_numbers();
#if NV_TENSORRT_MAJOR >= 8
  scales();
#endif
  extents_by_value();
  profiles_and_plans();
  no_profile();
  no_creator();
  once_each();
  long_chain();
  long_model();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
