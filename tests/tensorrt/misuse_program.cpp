// What goes wrong with programs: null pointers, counts and dimensions that do not fit, plans of others, and classes of
// the caller's that throw or fail, in every call. Each ends with a line in the log, the recorder told, and null or
// false. misuse_program DIGITS.onnx; says what was not so and ends with 1.

#include "NvOnnxParser.h"
#include "NvUffParser.h"
#include "faulty.h"
#include "refused.h"

REGISTER_TENSORRT_PLUGIN(ScaleDynamicCreator);

namespace {

std::unique_ptr<IHostMemory> good_plan(bool refittable = false) {
  Built built;
  if (refittable) built.config->setFlag(BuilderFlag::kREFIT);
  return std::unique_ptr<IHostMemory>(
      built.build(built.network->addActivation(*built.x, ActivationType::kRELU)->getOutput(0)));
}

void null_pointers_and_counts() {
  Built built;
  INetworkDefinition& network = *built.network;
  const std::vector<float> few(5);
  REFUSED(network.addInput(nullptr, DataType::kFLOAT, Dims2{1, 2}));
  REFUSED(network.addInput("", DataType::kFLOAT, Dims2{1, 2}));
  REFUSED(network.addInput("x", DataType::kFLOAT, Dims2{1, 2}));  // a second one
  REFUSED(network.addInput("rank", DataType::kFLOAT, dims_of({1, 2}, 9)));
  REFUSED(network.addInput("rank", DataType::kFLOAT, dims_of({1, 2}, -2)));
  REFUSED(network.addInput("extent", DataType::kFLOAT, dims_of({1, -7})));
  REFUSED(network.addInput("type", static_cast<DataType>(99), Dims2{1, 2}));
  REFUSED(network.addConcatenation(nullptr, 2));
  ITensor* none[] = {built.x, nullptr};
  REFUSED(network.addConcatenation(none, 2));
  REFUSED(network.addConcatenation(none, 0));
  REFUSED(network.addConcatenation(none, -1));
  ScaleDynamic plugin(3);
  REFUSED(network.addPluginV2(nullptr, 1, plugin));
  REFUSED(network.addPluginV2(none, 2, plugin));
  REFUSED(network.addPluginV2(none, -1, plugin));
  const auto rank = [&](ILayer* layer) { return layer != nullptr && layer->getOutput(0)->getDimensions().nbDims >= 0; };
  REFUSED(rank(network.addConstant(Dims2{2, 3}, Weights{DataType::kFLOAT, nullptr, 6})));
  REFUSED(rank(network.addConstant(Dims2{2, 3}, weights_of(few))));
  REFUSED(rank(network.addConvolutionNd(*built.x, 3, Dims2{3, 3}, weights_of(few), kNone)));
  REFUSED(rank(network.addConvolutionNd(*built.x, -3, Dims2{3, 3}, weights_of(few), kNone)));
  REFUSED(rank(network.addConvolutionNd(*built.x, 3, dims_of({3, 3, 3, 3}), weights_of(few), kNone)));
  REFUSED(rank(network.addConvolutionNd(*built.x, 3, Dims2{0, 3}, weights_of(few), kNone)));
  REFUSED(rank(network.addPoolingNd(*built.x, PoolingType::kMAX, Dims2{9, 9})));
  REFUSED(rank(network.addPoolingNd(*built.x, static_cast<PoolingType>(77), Dims2{2, 2})));
  REFUSED(rank(network.addActivation(*built.x, static_cast<ActivationType>(77))));
  REFUSED(rank(network.addReduce(*built.x, ReduceOperation::kSUM, 1U << 7, true)));
  IShuffleLayer* shuffle = network.addShuffle(*built.x);
  shuffle->setReshapeDimensions(Dims2{5, 5});
  REFUSED(rank(shuffle));
  EXPECT(network.getLayer(1000) == nullptr && network.getInput(-1) == nullptr && network.getOutput(0) == nullptr);
  Built other;
  REFUSED(network.addActivation(*other.x, ActivationType::kRELU));  // of another network
}

// A slice of x from `first` on along its last axis: whether it builds.
bool slices(int first, int size, int stride) {
  Built built;
  ISliceLayer* slice =
      built.network->addSlice(*built.x, Dims4{0, 0, 0, first}, Dims4{1, 2, 3, size}, Dims4{1, 1, 1, stride});
  return std::unique_ptr<IHostMemory>(built.build(slice->getOutput(0))) != nullptr;
}

void slices_outside() {
  EXPECT(slices(0, 4, 1) && slices(3, 4, -1) && slices(1, 2, 2));
  EXPECT(!slices(1, 4, 1) && !slices(-1, 2, 1) && !slices(0, 2, 4) && !slices(0, 2, INT32_MAX));
}

void parsers(const std::string& model) {
  Built built;
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*built.network, logger));
  const auto refused = [&](bool parsed) {
    const bool said = !logger.lines.empty() && parser->getNbErrors() == 1 && parser->getError(0)->desc()[0] != 0;
    logger.lines.clear();
    parser->clearErrors();
    return !parsed && said;
  };
  EXPECT(refused(parser->parse(nullptr, 100)));
  EXPECT(refused(parser->parse(model.data(), 0)));
  EXPECT(refused(parser->parse(model.data(), model.size() / 2)));
  EXPECT(refused(parser->parseFromFile(nullptr, 0)));
  EXPECT(refused(parser->parseFromFile("nowhere.onnx", 0)));
  EXPECT(parser->getError(0) == nullptr && parser->getError(-1) == nullptr);

  // What was parsed stays when its parser is gone, and the other way round.
  Built second;
  second.network.reset(explicit_network(*second.builder).release());
  parser.reset(nvonnxparser::createParser(*second.network, logger));
  EXPECT(parser->parse(model.data(), model.size()));
  parser.reset();
  IOptimizationProfile* profile = second.builder->createOptimizationProfile();
  for (auto select : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
    profile->setDimensions("image", select, Dims4{1, 1, 8, 8});
  second.config->addOptimizationProfile(profile);
  std::unique_ptr<ICudaEngine> engine(second.builder->buildEngineWithConfig(*second.network, *second.config));
  EXPECT(engine != nullptr);
  parser.reset(nvonnxparser::createParser(*second.network, logger));
  second.network.reset();
  EXPECT(parser->getNbErrors() == 0);
  parser.reset();
  // Objects go in any order.
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  second.builder.reset();
  second.config.reset();
  engine.reset();
  context.reset();
}

// A format that is gone: said in a sentence that names the way out.
void uff() {
  Built built;
  nvuffparser::IUffParser* parser = nvuffparser::createUffParser();
  parser->setErrorRecorder(&recorder);
  EXPECT(parser->registerInput("in", Dims3(1, 2, 3), nvuffparser::UffInputOrder::kNCHW));
  EXPECT(parser->registerOutput("out") && !parser->registerOutput(nullptr));
  REFUSED(parser->parse("net.uff", *built.network, DataType::kFLOAT));
  EXPECT(logged("net.uff: UFF is not read") && logged("ONNX"));
  REFUSED(parser->parse(nullptr, *built.network, DataType::kFLOAT));
  REFUSED(parser->parseBuffer("uff", 3, *built.network, DataType::kFLOAT));
  parser->destroy();
}

// Whatever bits flip, wherever it ends: refused, or a plan that does the same.
void flipped(IRuntime& runtime, const std::string& bytes) {
  unsigned state = 11;
  const auto random = [&](size_t below) {
    state = state * 1664525U + 1013904223U;
    return static_cast<size_t>(state >> 8) % below;
  };
  for (int i = 0; i < 500; ++i) {
    std::string other = bytes;
    if (random(8) == 0) other.resize(random(other.size()));
    for (size_t flips = 1 + random(4); flips > 0 && !other.empty(); --flips)
      other[random(other.size())] ^= static_cast<char>(1U << random(8));
    std::unique_ptr<ICudaEngine> engine(runtime.deserializeCudaEngine(other.data(), other.size()));
    std::unique_ptr<IExecutionContext> context(engine == nullptr ? nullptr : engine->createExecutionContext());
    if (context == nullptr) continue;
    float x[24], y[24];
    std::fill_n(x, 24, -1.0F);
    std::fill_n(y, 24, 1.0F);
    void* both[] = {x, y};
    EXPECT(engine->getNbIOTensors() == 2 && context->executeV2(both) && y[0] == 0 && y[23] == 0);
  }
}

void plans_of_others() {
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  runtime->setErrorRecorder(&recorder);
  const auto plan = good_plan();
  const std::string bytes(static_cast<const char*>(plan->data()), plan->size());
  const auto refused = [&](const std::string& given) {
    REFUSED(runtime->deserializeCudaEngine(given.data(), given.size()));
  };
  REFUSED(runtime->deserializeCudaEngine(nullptr, 10));
  REFUSED(runtime->deserializeCudaEngine(bytes.data(), 0));
  refused(std::string(1000, 'x'));
  refused("ftrt" + std::string(1000, 'x'));
  EXPECT(logged("NVIDIA"));
  for (size_t part : {size_t{3}, size_t{64}, bytes.size() / 2, bytes.size() - 1}) refused(bytes.substr(0, part));
  for (size_t at : {size_t{0}, size_t{8}, size_t{20}, bytes.size() / 2, bytes.size() - 1}) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 0x55);
    refused(other);
  }
  flipped(*runtime, bytes);
  const auto refittable = good_plan(true);
  flipped(*runtime, std::string(static_cast<const char*>(refittable->data()), refittable->size()));
  runtime->setErrorRecorder(nullptr);
}

void contexts() {
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  runtime->setErrorRecorder(&recorder);
  const auto plan = good_plan();
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  REFUSED(engine->getIOTensorName(2) != nullptr);
  REFUSED(engine->getTensorShape(nullptr).nbDims >= 0);
  REFUSED(engine->getTensorShape("nobody").nbDims >= 0);
  REFUSED(engine->getProfileShape("x", 4, OptProfileSelector::kMIN).nbDims >= 0);
  REFUSED(engine->getBindingName(-1) != nullptr);
  REFUSED(context->setTensorAddress(nullptr, nullptr));
  REFUSED(context->setTensorAddress("nobody", nullptr));
  REFUSED(context->setInputShape("x", Dims2{1, 2}));
  REFUSED(context->setInputShape("x", Dims4{1, 2, 3, 5}));
  REFUSED(context->setInputShape("y", Dims4{1, 2, 3, 4}));
  REFUSED(context->setInputShape("x", dims_of({}, 99)));
  REFUSED(context->setOptimizationProfileAsync(3, nullptr));
  REFUSED(context->enqueueV3(nullptr));  // no addresses
  REFUSED(context->executeV2(nullptr));
  float memory[24] = {};
  void* half[] = {memory, nullptr};
  REFUSED(context->executeV2(half));
  REFUSED(context->execute(1, half));
  // A batch beside shapes that say it: any but theirs is an error that says so.
  float x[24], y[24] = {};
  std::fill_n(x, 24, 2.0F);
  void* both[] = {x, y};
  REFUSED(context->execute(3, both));
  EXPECT(logged("a batch of 3"));
  REFUSED(context->enqueue(3, both, nullptr, nullptr));
  EXPECT(y[0] == 0 && context->execute(1, both) && y[23] == 2);
  float wide[25] = {};
  void* odd[] = {reinterpret_cast<char*>(wide) + 1, memory};
  REFUSED(context->executeV2(odd));  // not aligned to its elements
  context.reset();
  engine.reset();
  runtime->setErrorRecorder(nullptr);
}

// Objects that outlive those that made them.
void orders() {
  const auto plan = good_plan();
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  EXPECT(&context->getEngine() == engine.get());
  runtime.reset();
  engine.reset();
  float x[24] = {-1, 2}, y[24] = {};
  void* bindings[] = {x, y};
  EXPECT(context->executeV2(bindings) && y[0] == 0 && y[1] == 2);
  EXPECT(context->setTensorAddress("x", x) && context->getTensorShape("y").d[3] == 4);
  EXPECT(!context->setTensorAddress("nobody", x));
  EXPECT(context->getEngine().getNbIOTensors() == 2 && context->getEngine().getTensorShape("x").d[3] == 4);

  Built built;
  std::unique_ptr<IBuilder> other(createInferBuilder(logger));
  std::unique_ptr<IBuilderConfig> config(other->createBuilderConfig());
  IOptimizationProfile* profile = other->createOptimizationProfile();
  ITensor* open = built.network->addInput("open", DataType::kFLOAT, dims_of({-1, 4}));
  for (OptProfileSelector select : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
    profile->setDimensions("open", select, dims_of({3, 4}));
  EXPECT(config->addOptimizationProfile(profile) == 0);
#if NV_TENSORRT_MAJOR >= 8
  EXPECT(config->setCalibrationProfile(profile));
#endif
  other.reset();
  config->setFlag(BuilderFlag::kFP16);
  built.network->markOutput(*built.network->addActivation(*built.x, ActivationType::kRELU)->getOutput(0));
  built.network->markOutput(*built.network->addActivation(*open, ActivationType::kRELU)->getOutput(0));
  std::unique_ptr<ICudaEngine> made(built.builder->buildEngineWithConfig(*built.network, *config));
  EXPECT(made != nullptr);
}

// Builds, loads from bytes and runs y = plugin(x); true: all of it went well.
template <class Add>
bool whole_way(Add add, IPluginFactory* factory = nullptr) {
  Built built;
  std::unique_ptr<IHostMemory> plan(built.build(add(*built.network, built.x)));
  if (plan == nullptr) return false;
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size(), factory));
  if (engine == nullptr) return false;
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> in(24), out(24);
  void* bindings[] = {in.data(), out.data()};
  return context != nullptr && context->executeV2(bindings);
}

// Every call of a plugin fails in both ways; what only tidies up may fail without more than a line.
template <class Calls, class Add>
void broken_plugins(const Calls& calls, Add add, IPluginFactory* factory = nullptr) {
  for (bool by_exception : {true, false})
    for (const char* call : calls) {
      faulty::fault = call;
      faulty::throws = by_exception;
      faulty::reached = 0;
      logger.lines.clear();
      const bool ran = whole_way(add, factory);
      faulty::fault.clear();
      const std::string name = call;
      const bool tidies = name == "terminate" || name == "destroy";
      const bool silent =
          !by_exception && (tidies || name == "serialize" || name == "configure" || name == "configurePlugin" ||
                            name == "getPluginNamespace" || name == "getFieldsToSerialize");
      if (faulty::reached == 0) std::printf("%s is never called\n", call), ++failures;
      const bool right = silent || (by_exception && tidies ? !logger.lines.empty() : !ran && !logger.lines.empty());
      if (right) continue;
      std::printf("%s %s: %s, %zu lines\n", call, by_exception ? "throws" : "fails", ran ? "ran" : "did not run",
                  logger.lines.size());
      ++failures;
    }
}

void plugins() {
  static faulty::DynamicCreator creator;
  getPluginRegistry()->registerCreator(creator, "");
  broken_plugins(faulty::kDynamicCalls, [](INetworkDefinition& network, ITensor* x) -> ITensor* {
    auto* plugin = new faulty::Dynamic;
    IPluginV2Layer* layer = network.addPluginV2(&x, 1, *plugin);
    delete plugin;
    return layer == nullptr ? nullptr : layer->getOutput(0);
  });
#if NV_TENSORRT_MAJOR >= 10
  static faulty::ThirdCreator third_creator;
  getPluginRegistry()->registerCreator(third_creator, "");
  broken_plugins(faulty::kThirdCalls, [](INetworkDefinition& network, ITensor* x) -> ITensor* {
    faulty::Third plugin;
    IPluginV3Layer* layer = network.addPluginV3(&x, 1, nullptr, 0, plugin);
    return layer == nullptr ? nullptr : layer->getOutput(0);
  });
#else
  static faulty::FirstFactory factory;
  broken_plugins(
      faulty::kFirstCalls,
      [](INetworkDefinition& network, ITensor* x) -> ITensor* {
        static faulty::First plugin;
        IPluginLayer* layer = network.addPlugin(&x, 1, plugin);
        return layer == nullptr ? nullptr : layer->getOutput(0);
      },
      &factory);
#endif
  // Creators that fail when they are registered or asked.
  for (const char* call : {"getPluginName", "creator's getPluginVersion", "creator's setPluginNamespace"}) {
    faulty::fault = call;
    faulty::throws = true;
    faulty::DynamicCreator broken;
    EXPECT(!getPluginRegistry()->registerCreator(broken, "elsewhere"));
    faulty::fault.clear();
  }
}

void calibrators() {
  for (const char* call : {"getBatchSize", "getBatch", "getBatch's address", "readCalibrationCache",
                           "writeCalibrationCache", "getAlgorithm"})
    for (bool by_exception : {true, false}) {
      Built built;
      const std::vector<float> kernel(3 * 2 * 9, 0.5F);
      faulty::BrokenCalibrator calibrator;
      built.config->setFlag(BuilderFlag::kINT8);
      built.config->setInt8Calibrator(&calibrator);
      logger.lines.clear();
      faulty::fault = call;
      faulty::throws = by_exception;
      faulty::reached = 0;
      std::unique_ptr<IHostMemory> plan(built.build(
          built.network->addConvolutionNd(*built.x, 3, Dims2{3, 3}, weights_of(kernel), kNone)->getOutput(0)));
      faulty::fault.clear();
      const std::string name = call;
      if (NV_TENSORRT_MAJOR >= 10 && name == "getBatchSize") continue;  // asked for implicit batches alone
      const bool goes_on =
          name == "writeCalibrationCache" || (name == "getAlgorithm" && !by_exception) || name == "getBatchSize";
      const bool silent = goes_on && !by_exception;
      if (((plan != nullptr) == goes_on || name == "writeCalibrationCache") &&
          (silent || !logger.lines.empty() || faulty::reached == 0))
        continue;
      std::printf("calibrator, %s %s: %s, %zu lines\n", call, by_exception ? "throws" : "fails",
                  plan == nullptr ? "no plan" : "a plan", logger.lines.size());
      ++failures;
    }
}

// What is handed to engines and contexts.
void helpers() {
  const auto plan = good_plan();
  const auto attempt = [&](const char* call, bool by_exception, auto use) {
    faulty::fault = call;
    faulty::throws = by_exception;
    faulty::reached = 0;
    const bool went = use();
    faulty::fault.clear();
    if (!went && faulty::reached > 0) return;
    std::printf("%s %s: %s, reached %d times\n", call, by_exception ? "throws" : "fails", went ? "went well" : "failed",
                faulty::reached);
    ++failures;
  };
  for (bool by_exception : {true, false}) {
    attempt("allocate", by_exception, [&] {
      faulty::BrokenAllocator allocator;
      std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
      runtime->setGpuAllocator(&allocator);
      std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
      std::unique_ptr<IExecutionContext> context(engine == nullptr ? nullptr : engine->createExecutionContext());
      float memory[24] = {};
      void* bindings[] = {memory, memory};
      return context != nullptr && context->executeV2(bindings) && faulty::reached == 0;
    });
    attempt("reallocateOutput", by_exception, [&] {
      faulty::BrokenOutputs outputs;
      std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
      std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
      std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
      float memory[24] = {};
      context->setTensorAddress("x", memory);
      context->setOutputAllocator("y", &outputs);
      return context->enqueueV3(nullptr);
    });
    attempt("read", by_exception, [&] {
      faulty::BrokenReader reader;
      std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
      return std::unique_ptr<ICudaEngine>(runtime->deserializeCudaEngine(reader)) != nullptr;
    });
    attempt("stepComplete", by_exception, [&] {
      faulty::BrokenMonitor monitor;
      Built built;
      built.config->setProgressMonitor(&monitor);
      return std::unique_ptr<IHostMemory>(
                 built.build(built.network->addActivation(*built.x, ActivationType::kRELU)->getOutput(0))) != nullptr;
    });
  }
  attempt("phaseStart", true, [&] {
    faulty::BrokenMonitor monitor;
    Built built;
    built.config->setProgressMonitor(&monitor);
    return std::unique_ptr<IHostMemory>(
               built.build(built.network->addActivation(*built.x, ActivationType::kRELU)->getOutput(0))) != nullptr;
  });
  for (const char* call : {"phaseFinish", "notifyShape", "reportLayerTime"}) {  // these only hear: the work is done
    faulty::fault = call;
    faulty::throws = true;
    faulty::BrokenMonitor monitor;
    faulty::BrokenProfiler profiler;
    faulty::BrokenOutputs outputs;
    Built built;
    built.config->setProgressMonitor(&monitor);
    std::unique_ptr<ICudaEngine> engine;
    ITensor* y = built.network->addActivation(*built.x, ActivationType::kRELU)->getOutput(0);
    y->setName("y");
    built.network->markOutput(*y);
    engine.reset(built.builder->buildEngineWithConfig(*built.network, *built.config));
    if (engine == nullptr) continue;
    std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
    context->setProfiler(&profiler);
    float memory[24] = {};
    context->setTensorAddress("x", memory);
    context->setOutputAllocator("y", &outputs);
    context->enqueueV3(nullptr);
    faulty::fault.clear();
  }
}

// A logger that throws changes nothing: failure is still told by what is returned.
void loggers(const std::string& model) {
  faulty::BrokenLogger broken;
  std::unique_ptr<IBuilder> builder(createInferBuilder(broken));
  EXPECT(builder != nullptr);
  const auto network = explicit_network(*builder);
  EXPECT(network->addInput(nullptr, DataType::kFLOAT, Dims2{1, 2}) == nullptr);
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  EXPECT(builder->buildEngineWithConfig(*network, *config) == nullptr);
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, broken));
  EXPECT(!parser->parse(model.data(), model.size() / 2) && parser->getNbErrors() == 1);
  std::unique_ptr<IRuntime> runtime(createInferRuntime(broken));
  EXPECT(runtime->deserializeCudaEngine("junk", 4) == nullptr);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string model = read_file(arguments[1]);
  null_pointers_and_counts();
  slices_outside();
  parsers(model);
  uff();
  plans_of_others();
  contexts();
  orders();
  plugins();
  calibrators();
  helpers();
  loggers(model);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
