// Engines that are given other weights, by layer, by name and from a model; plans without weights; networks with
// plugins; a model beside layers by calls; weights rearranged. Argument: an ONNX model of one input and one output of
// 10 numbers.

#include <atomic>
#include <cstring>
#include <thread>

#include "NvOnnxParser.h"
#include "NvUtils.h"
#include "layer_check.h"

using namespace layer_check;

REGISTER_TENSORRT_PLUGIN(ScaleDynamicCreator);

namespace {

void check(bool ok, const char* what) {
  if (ok) return;
  ++failures;
  std::printf("%s\n", what);
}

bool near(const std::vector<float>& found, const std::vector<float>& right) {
  bool same = found.size() == right.size();
  for (size_t i = 0; same && i < right.size(); ++i) same = std::fabs(found[i] - right[i]) < 1e-3F;
  return same;
}

// A batch of one where it is dynamic.
Dims with_batch(Dims dims) {
  for (int axis = 0; axis < dims.nbDims; ++axis)
    if (dims.d[axis] < 0) dims.d[axis] = 1;
  return dims;
}

size_t count_of(const Dims& dims) {
  size_t count = 1;
  for (int axis = 0; axis < dims.nbDims; ++axis) count *= static_cast<size_t>(dims.d[axis]);
  return count;
}

std::vector<float> execute(ICudaEngine& engine, IExecutionContext& context, float first) {
  const char *input = engine.getIOTensorName(0), *output = engine.getIOTensorName(1);
  const Dims dims = with_batch(engine.getTensorShape(input));
  if (!context.setInputShape(input, dims)) return {};
  std::vector<float> in(count_of(dims)), out(count_of(context.getTensorShape(output)));
  for (size_t i = 0; i < in.size(); ++i) in[i] = first + static_cast<float>(i % 7);
  void* bindings[2] = {in.data(), out.data()};
  return context.executeV2(bindings) ? out : std::vector<float>{};
}

using Flags = std::vector<BuilderFlag>;

std::unique_ptr<IHostMemory> build(INetworkDefinition& network, IBuilder& builder,
                                   const Flags& flags = {BuilderFlag::kREFIT}) {
  std::unique_ptr<IBuilderConfig> config(builder.createBuilderConfig());
  config->setBuilderOptimizationLevel(0);
  config->clearFlag(BuilderFlag::kTF32);
  for (BuilderFlag flag : flags) config->setFlag(flag);
  IOptimizationProfile* profile = builder.createOptimizationProfile();
  const ITensor& input = *network.getInput(0);
  for (OptProfileSelector select : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
    profile->setDimensions(input.getName(), select, with_batch(input.getDimensions()));
  config->addOptimizationProfile(profile);
  return std::unique_ptr<IHostMemory>(builder.buildSerializedNetwork(network, *config));
}

void by_layer() {
  static const std::vector<float> kernel = {2}, bias = {1}, other = {3}, names_other = {5};
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 1, 1, 7});
  IConvolutionLayer* layer = network->addConvolutionNd(*x, 1, Dims2{1, 1}, weights_of(kernel), weights_of(bias));
  layer->setName("affine");
  network->setWeightsName(weights_of(bias), "offset");
  layer->getOutput(0)->setName("y");
  network->markOutput(*layer->getOutput(0));
  const auto plan = build(*network, *builder);
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  check(engine != nullptr && engine->isRefittable(), "an engine that can be refitted");
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  check(near(execute(*engine, *context, 0), {1, 3, 5, 7, 9, 11, 13}), "before refitting");
  std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
  const char* layers[4] = {};
  WeightsRole roles[4] = {};
  check(refitter->getAll(4, layers, roles) == 2 && std::strcmp(layers[0], "affine") == 0 &&
            roles[0] == WeightsRole::kKERNEL && roles[1] == WeightsRole::kBIAS,
        "weights by layer and role");
  const char* names[2] = {};
  check(refitter->getAllWeights(2, names) == 1 && std::strcmp(names[0], "offset") == 0, "weights by name");
  check(!refitter->setWeights("affine", WeightsRole::kKERNEL, weights_of({1, 2})), "too many weights");
  check(!refitter->setWeights("nobody", WeightsRole::kKERNEL, weights_of(other)), "a layer that is not there");
  check(refitter->setWeights("affine", WeightsRole::kKERNEL, weights_of(other)), "a new kernel");
  check(refitter->setNamedWeights("offset", weights_of(names_other)), "a new bias");
  check(refitter->getMissing(0, nullptr, nullptr) == 0 && refitter->refitCudaEngine(), "refitting");
  check(near(execute(*engine, *context, 0), {5, 8, 11, 14, 17, 20, 23}), "a context of before, after refitting");
  std::unique_ptr<IHostMemory> again(engine->serialize());
  std::unique_ptr<ICudaEngine> second(runtime->deserializeCudaEngine(again->data(), again->size()));
  std::unique_ptr<IExecutionContext> fresh(second->createExecutionContext());
  check(near(execute(*second, *fresh, 0), {5, 8, 11, 14, 17, 20, 23}), "the refitted plan");
}

void from_model(const std::string& model) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  // A layer is there before the parser comes.
  ITensor* own = network->addInput("own", DataType::kFLOAT, Dims2{1, 3});
  ITensor* negated = network->addUnary(*own, UnaryOperation::kNEG)->getOutput(0);
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  check(parser->parse(model.data(), model.size()), "a model beside layers");
  check(network->getNbInputs() == 2 && network->getNbOutputs() == 1 && network->getNbLayers() > 1, "what was parsed");
  check(negated->getDimensions().nbDims == 2, "a layer of before");

  const auto alone = explicit_network(*builder);
  std::unique_ptr<nvonnxparser::IParser> second(nvonnxparser::createParser(*alone, logger));
  check(second->parse(model.data(), model.size()), "the model");
  const auto plan = build(*alone, *builder);
  if (plan == nullptr) return check(false, "building the model");
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  const std::vector<float> before = execute(*engine, *context, 1);
  std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
  const int32_t count = refitter->getAllWeights(0, nullptr);
  check(count > 0, "the model's weights have names");
  std::vector<const char*> names(static_cast<size_t>(count));
  refitter->getAllWeights(count, names.data());
  std::vector<std::vector<float>> zeros;
  for (const char* name : names) {
    const Weights like = refitter->getWeightsPrototype(name);
    if (like.type != DataType::kFLOAT) continue;
    zeros.emplace_back(static_cast<size_t>(like.count), 0.0F);
    check(refitter->setNamedWeights(name, weights_of(zeros.back())), name);
  }
  check(refitter->refitCudaEngine(), "refitting with zeros");
  check(!near(execute(*engine, *context, 1), before), "other weights, other results");
  std::unique_ptr<nvonnxparser::IParserRefitter> restore(nvonnxparser::createParserRefitter(*refitter, logger));
  check(restore->refitFromBytes(model.data(), model.size()) && refitter->refitCudaEngine(), "refitting from the model");
  check(near(execute(*engine, *context, 1), before), "the model's weights again");
}

std::unique_ptr<ICudaEngine> loaded(IRuntime& runtime, const IHostMemory& plan) {
  return std::unique_ptr<ICudaEngine>(runtime.deserializeCudaEngine(plan.data(), plan.size()));
}

// A convolution of 64 to 96 maps: 221 kB of weights.
struct Wide {
  std::vector<float> kernel = std::vector<float>(96 * 64 * 9), bias = std::vector<float>(96);
  Wide() {
    for (size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<float>(i * 37 % 61) / 61 - 0.4F;
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = static_cast<float>(i % 5);
  }
  std::unique_ptr<IHostMemory> plan(IBuilder& builder, const Flags& flags, bool mark_bias = false) const {
    const auto network = explicit_network(builder);
    ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 64, 6, 6});
    IConvolutionLayer* layer = network->addConvolutionNd(*x, 96, Dims2{3, 3}, weights_of(kernel), weights_of(bias));
    layer->setName("wide");
    network->setWeightsName(weights_of(kernel), "kernel");
    network->setWeightsName(weights_of(bias), "bias");
    if (mark_bias) check(network->markWeightsRefittable("bias"), "weights are marked");
    layer->getOutput(0)->setName("y");
    network->markOutput(*layer->getOutput(0));
    return build(*network, builder, flags);
  }
};

void without_weights() {
  const Wide wide;
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  const auto whole = wide.plan(*builder, {}), small = wide.plan(*builder, {BuilderFlag::kSTRIP_PLAN});
  if (whole == nullptr || small == nullptr) return check(false, "plans with and without weights");
  check(whole->size() > 221000 && small->size() < 8192, "a plan without weights is small");
  const auto reference = loaded(*runtime, *whole), engine = loaded(*runtime, *small);
  if (engine == nullptr) return check(false, "an engine without weights");
  std::unique_ptr<IExecutionContext> right(reference->createExecutionContext());
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  check(engine->isRefittable() && engine->getNbIOTensors() == 2, "what it is can be asked");
  check(engine->getEngineStat(EngineStat::kSTRIPPED_WEIGHTS_SIZE) == (96 * 64 * 9 + 96) * 4, "what was left out");
  check(execute(*engine, *context, 1).empty() && logged("kSTRIP_PLAN"), "it is not run without weights");
  std::unique_ptr<IHostMemory> same(engine->serialize());
  check(same->size() == small->size(), "it is written as it came");

  std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
  const char* names[4] = {};
  const char* layers[4] = {};
  check(refitter->getMissingWeights(4, names) == 2 && refitter->getMissing(4, layers, nullptr) == 2, "all are missing");
  check(refitter->setNamedWeights("kernel", weights_of(wide.kernel)) && refitter->getMissingWeights(4, names) == 1 &&
            std::strcmp(names[0], "bias") == 0,
        "one is missing");
  check(!refitter->refitCudaEngine() && logged("'bias'"), "an engine that lacks weights is not refitted");
  check(refitter->setNamedWeights("bias", weights_of(wide.bias)) && refitter->refitCudaEngine(), "with all it is");
  check(execute(*engine, *context, 1) == execute(*reference, *right, 1), "the same results, bit for bit");

  std::unique_ptr<ISerializationConfig> config(engine->createSerializationConfig());
  config->setFlag(SerializationFlag::kEXCLUDE_WEIGHTS);
  std::unique_ptr<IHostMemory> again(engine->serializeWithConfig(*config));
  check(again != nullptr && again->size() == small->size(), "weights are left out again");
  config->setFlags(0);
  std::unique_ptr<IHostMemory> final_plan(engine->serializeWithConfig(*config));
  const auto fixed = loaded(*runtime, *final_plan);
  check(!fixed->isRefittable(), "without kINCLUDE_REFIT what is written is not refittable");
  std::unique_ptr<IExecutionContext> fixed_context(fixed->createExecutionContext());
  check(execute(*fixed, *fixed_context, 1) == execute(*reference, *right, 1), "and gives the same");
  config->setFlag(SerializationFlag::kEXCLUDE_WEIGHTS);
  check(std::unique_ptr<IHostMemory>(reference->serializeWithConfig(*config)) == nullptr && logged("not refittable"),
        "weights of an engine that is not refittable stay");

  std::string damaged(static_cast<const char*>(small->data()), small->size());
  damaged[40] = 127;
  check(runtime->deserializeCudaEngine(damaged.data(), damaged.size()) == nullptr, "a damaged plan without weights");
  for (size_t size : {30, 200, 2000})
    check(runtime->deserializeCudaEngine(small->data(), size) == nullptr, "a part of a plan without weights");
}

void one_by_one() {
  const Wide wide;
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  const auto plan = wide.plan(*builder, {BuilderFlag::kREFIT_INDIVIDUAL, BuilderFlag::kSTRIP_PLAN}, true);
  const auto engine = plan == nullptr ? nullptr : loaded(*runtime, *plan);
  if (engine == nullptr) return check(false, "a plan with weights that are marked");
  check(plan->size() > 221000, "what is not marked stays");
  std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
  const char* names[4] = {};
  check(refitter->getAllWeights(4, names) == 1 && std::strcmp(names[0], "bias") == 0, "one can be set");
  check(!refitter->setNamedWeights("kernel", weights_of(wide.kernel)), "the other cannot");
  check(refitter->setNamedWeights("bias", weights_of(wide.bias)) && refitter->refitCudaEngine(), "it is set");
}

// y = 3 (2 x + 1), the product by a plugin of the caller's.
void with_plugin() {
  static const std::vector<float> kernel = {2}, bias = {1}, other = {5};
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 1, 1, 7});
  IConvolutionLayer* layer = network->addConvolutionNd(*x, 1, Dims2{1, 1}, weights_of(kernel), weights_of(bias));
  layer->setName("affine");
  ScaleDynamic triple(3);
  ITensor* sum = layer->getOutput(0);
  IPluginV2Layer* scale = network->addPluginV2(&sum, 1, triple);
  if (scale == nullptr) return check(false, "a layer with a plugin");
  scale->getOutput(0)->setName("y");
  network->markOutput(*scale->getOutput(0));
  const auto plan = build(*network, *builder);
  if (plan == nullptr) return check(false, "a refittable plan with a plugin");
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  const auto engine = loaded(*runtime, *plan);
  if (engine == nullptr) return check(false, "an engine with a plugin");
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  check(near(execute(*engine, *context, 0), {3, 9, 15, 21, 27, 33, 39}), "a plugin, before refitting");
  std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
  check(refitter != nullptr && refitter->setWeights("affine", WeightsRole::kKERNEL, weights_of(other)) &&
            refitter->refitCudaEngine(),
        "a network with a plugin is refitted");
  check(near(execute(*engine, *context, 0), {3, 18, 33, 48, 63, 78, 93}), "a plugin, after refitting");
}

// Without weights and from the model again: what the plan with them gives.
void model_without_weights(const std::string& model) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::vector<std::unique_ptr<IHostMemory>> plans;
  for (const Flags& flags : {Flags(), Flags{BuilderFlag::kSTRIP_PLAN, BuilderFlag::kREFIT_IDENTICAL}}) {
    const auto network = explicit_network(*builder);
    std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
    parser->parse(model.data(), model.size());
    plans.push_back(build(*network, *builder, flags));
    if (plans.back() == nullptr) return check(false, "a plan of the model");
  }
  const auto whole = loaded(*runtime, *plans[0]), engine = loaded(*runtime, *plans[1]);
  if (engine == nullptr) return check(false, "the model without weights");
  check(plans[1]->size() < plans[0]->size(), "the model's plan is smaller without weights");
  std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
  std::unique_ptr<nvonnxparser::IParserRefitter> reader(nvonnxparser::createParserRefitter(*refitter, logger));
  check(reader->refitFromBytes(model.data(), model.size()) && refitter->refitCudaEngine(), "the model gives them");
  std::unique_ptr<IExecutionContext> a(whole->createExecutionContext()), b(engine->createExecutionContext());
  const std::vector<float> right = execute(*whole, *a, 1);
  check(!right.empty() && execute(*engine, *b, 1) == right, "the model's results, bit for bit");
}

// Contexts that run meanwhile have the weights of before or of after, never a mixture.
void beside_running() {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  const std::vector<float> few(2 * 9, 1), many(2 * 9, 2);
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 2, 3, 3});
  IConvolutionLayer* layer = network->addConvolutionNd(*x, 1, Dims2{3, 3}, weights_of(few), kNone);
  layer->setName("conv");
  network->markOutput(*layer->getOutput(0));
  const auto plan = build(*network, *builder);
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  const auto engine = plan == nullptr ? nullptr : loaded(*runtime, *plan);
  if (engine == nullptr) return check(false, "an engine to refit while it runs");
  std::atomic<bool> ends{false};
  std::atomic<int> runs{0}, wrong{0};
  std::thread running([&] {
    std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
    std::vector<float> in(18, 1), out(1);
    void* bindings[2] = {in.data(), out.data()};
    for (; !ends; ++runs)
      if (!context->executeV2(bindings) || (out[0] != 18 && out[0] != 36) || engine->getNbLayers() < 1) ++wrong;
  });
  for (int i = 0; i < 20; ++i) {
    const int before = runs;
    std::unique_ptr<IRefitter> refitter(createInferRefitter(*engine, logger));
    check(refitter->setWeights("conv", WeightsRole::kKERNEL, weights_of(i % 2 == 0 ? many : few)) &&
              refitter->refitCudaEngine(),
          "refitting while a context runs");
    while (runs == before) std::this_thread::yield();
  }
  ends = true;
  running.join();
  check(wrong == 0, "results while the engine is refitted");
}

void rearranged() {
  const std::vector<float> matrix = {0, 1, 2, 3, 4, 5};
  const int32_t shape[2] = {2, 3}, order[2] = {1, 0}, parts[3] = {2, 0, 1};
  std::vector<float> turned(6);
  check(utils::reshapeWeights(weights_of(matrix), shape, order, turned.data(), 2) && near(turned, {0, 3, 1, 4, 2, 5}),
        "reshapeWeights");
  check(utils::reorderSubBuffers(turned.data(), parts, 3, 2 * sizeof(float)) && near(turned, {2, 5, 0, 3, 1, 4}),
        "reorderSubBuffers");
  check(utils::transposeSubBuffers(turned.data(), DataType::kFLOAT, 1, 3, 2) && near(turned, {2, 0, 1, 5, 3, 4}),
        "transposeSubBuffers");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string model = read_file(argc > 1 ? argv[1] : "");
  by_layer();
  from_model(model);
  without_weights();
  one_by_one();
  with_plugin();
  model_without_weights(model);
  beside_running();
  rearranged();
  for (size_t i = 0; failures > 0 && i < logger.lines.size(); ++i) std::printf("  log: %s\n", logger.lines[i].c_str());
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
