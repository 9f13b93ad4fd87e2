// Engines that are given other weights, by layer, by name and from a model; a model beside layers by calls; weights
// rearranged. Argument: an ONNX model of one input and one output of 10 numbers.

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "NvOnnxParser.h"
#include "NvUtils.h"
#include "layer_check.h"

using namespace layer_check;

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

std::unique_ptr<IHostMemory> build(INetworkDefinition& network, IBuilder& builder) {
  std::unique_ptr<IBuilderConfig> config(builder.createBuilderConfig());
  config->setBuilderOptimizationLevel(0);
  config->clearFlag(BuilderFlag::kTF32);
  config->setFlag(BuilderFlag::kREFIT);
  IOptimizationProfile* profile = builder.createOptimizationProfile();
  const ITensor& input = *network.getInput(0);
  for (OptProfileSelector select : {OptProfileSelector::kMIN, OptProfileSelector::kOPT, OptProfileSelector::kMAX})
    profile->setDimensions(input.getName(), select, with_batch(input.getDimensions()));
  config->addOptimizationProfile(profile);
  return std::unique_ptr<IHostMemory>(builder.buildSerializedNetwork(network, *config));
}

std::unique_ptr<INetworkDefinition> network_of(IBuilder& builder) {
  return std::unique_ptr<INetworkDefinition>(builder.createNetworkV2(NV_TENSORRT_MAJOR >= 10 ? 0 : 1U));
}

void by_layer() {
  static const std::vector<float> kernel = {2}, bias = {1}, other = {3}, names_other = {5};
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = network_of(*builder);
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
  const auto network = network_of(*builder);
  // A layer is there before the parser comes.
  ITensor* own = network->addInput("own", DataType::kFLOAT, Dims2{1, 3});
  ITensor* negated = network->addUnary(*own, UnaryOperation::kNEG)->getOutput(0);
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  check(parser->parse(model.data(), model.size()), "a model beside layers");
  check(network->getNbInputs() == 2 && network->getNbOutputs() == 1 && network->getNbLayers() > 1, "what was parsed");
  check(negated->getDimensions().nbDims == 2, "a layer of before");

  const auto alone = network_of(*builder);
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
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  const std::string model((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  by_layer();
  from_model(model);
  rearranged();
  for (size_t i = 0; failures > 0 && i < logger.lines.size(); ++i) std::printf("  log: %s\n", logger.lines[i].c_str());
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
