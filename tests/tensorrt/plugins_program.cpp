// Plugins of a library, and those that ship with ours, in a program of major 10:
//   plugins_program LIBRARY MODEL…   each model has one input x and one output y of 2 x 3 x 4 elements of fp32

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "NvInferPlugin.h"
#include "NvOnnxParser.h"
#include "implementers.h"

using namespace nvinfer1;

namespace {

implementers::Logger logger;
int failures = 0;

void expect(bool right, const std::string& what) {
  if (right) return;
  ++failures;
  std::printf("WRONG: %s\n", what.c_str());
  for (const std::string& line : logger.lines) std::printf("  log: %s\n", line.c_str());
}

using Floats = std::vector<float>;

// A plan that is written, read again, and run.
std::vector<Floats> run(IHostMemory* plan, const std::vector<Floats>& inputs, const std::vector<size_t>& results) {
  if (plan == nullptr) return {};
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  if (engine == nullptr) return {};
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<Floats> out;
  for (size_t count : results) out.emplace_back(count);
  size_t in_at = 0, out_at = 0;
  for (int32_t i = 0; i < engine->getNbIOTensors(); ++i) {
    const char* name = engine->getIOTensorName(i);
    const bool is_input = engine->getTensorIOMode(name) == TensorIOMode::kINPUT;
    context->setTensorAddress(name, is_input ? const_cast<float*>(inputs[in_at++].data()) : out[out_at++].data());
  }
  return context->enqueueV3(nullptr) ? out : std::vector<Floats>();
}

struct Built {
  std::unique_ptr<IBuilder> builder{createInferBuilder(logger)};
  std::unique_ptr<INetworkDefinition> network{builder->createNetworkV2(0)};
  std::unique_ptr<IHostMemory> plan() {
    std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
    return std::unique_ptr<IHostMemory>(builder->buildSerializedNetwork(*network, *config));
  }
};

float hard_swish(float x) { return x * std::min(std::max(x + 3, 0.0F), 6.0F) / 6; }

void check_model(const char* path) {
  Built built;
  std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*built.network, logger));
  if (!parser->parseFromFile(path, 2)) return expect(false, std::string(path) + " is not parsed");
  Floats x(24);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.5F - 6;
  const auto y = run(built.plan().get(), {x}, {24});
  if (y.empty()) return expect(false, std::string(path) + " does not run");
  const bool swish = std::string(path).find("swish") != std::string::npos;
  for (size_t i = 0; i < x.size(); ++i) {
    const float right = swish ? hard_swish(x[i]) : 2.5F * x[i] + 7.75F;
    expect(std::fabs(y[0][i] - right) < 1e-5F, std::string(path) + " element " + std::to_string(i));
  }
}

PluginField field(const char* name, const int32_t* value, int32_t count = 1) {
  return {name, value, PluginFieldType::kINT32, count};
}
PluginField field(const char* name, const float* value, int32_t count = 1) {
  return {name, value, PluginFieldType::kFLOAT32, count};
}

// Three boxes of which the second hides behind the first.
void check_efficient_nms() {
  IPluginCreator* creator = getPluginRegistry()->getPluginCreator("EfficientNMS_TRT", "1");
  if (creator == nullptr) return expect(false, "there is no creator of EfficientNMS_TRT");
  expect(creator->getFieldNames()->nbFields == 7, "EfficientNMS_TRT has 7 fields");
  const float score = 0.1F, iou = 0.5F;
  const int32_t most = 2;
  const PluginField fields[] = {field("score_threshold", &score), field("iou_threshold", &iou),
                                field("max_output_boxes", &most)};
  const PluginFieldCollection given{3, fields};
  std::unique_ptr<IPluginV2> plugin(creator->createPlugin("nms", &given));
  if (plugin == nullptr) return expect(false, "EfficientNMS_TRT is not made");
  expect(plugin->getNbOutputs() == 4, "EfficientNMS_TRT has 4 results");
  std::vector<char> bytes(plugin->getSerializationSize());
  plugin->serialize(bytes.data());
  std::unique_ptr<IPluginV2> again(creator->deserializePlugin("nms", bytes.data(), bytes.size()));
  expect(again != nullptr && again->getSerializationSize() == bytes.size(), "EfficientNMS_TRT comes from its bytes");
  Built built;
  ITensor* operands[] = {built.network->addInput("boxes", DataType::kFLOAT, Dims3{1, 3, 4}),
                         built.network->addInput("scores", DataType::kFLOAT, Dims3{1, 3, 2})};
  IPluginV2Layer* layer = built.network->addPluginV2(operands, 2, *plugin);
  if (layer == nullptr) return expect(false, "EfficientNMS_TRT is not added");
  expect(layer->getOutput(1)->getDimensions().d[1] == 2, "two rows of boxes");
  for (int32_t i : {1, 2}) built.network->markOutput(*layer->getOutput(i));
  const Floats boxes = {0, 0, 10, 10, 1, 0, 11, 10, 20, 20, 30, 30}, scores = {0.9F, 0, 0.8F, 0, 0.7F, 0};
  const auto y = run(built.plan().get(), {boxes, scores}, {8, 2});
  expect(y.size() == 2 && y[0] == Floats({0, 0, 10, 10, 20, 20, 30, 30}) && y[1] == Floats({0.9F, 0.7F}),
         "EfficientNMS_TRT keeps boxes 0 and 2");
}

// A field that does not fit is refused and logged, by name.
void check_refused_field() {
  const float slope = 0.5F;
  const PluginField wrong = field("slope", &slope);
  const PluginFieldCollection given{1, &wrong};
  logger.lines.clear();
  IPluginCreator* creator = getPluginRegistry()->getPluginCreator("LReLU_TRT", "1");
  expect(creator->createPlugin("ramp", &given) == nullptr, "LReLU_TRT has no field 'slope'");
  expect(!logger.lines.empty() && logger.lines.back().find("'slope'") != std::string::npos, "the log names the field");
  logger.lines.clear();
}

// The third generation of the interface.
void check_instance_normalization() {
  auto* creator = dynamic_cast<IPluginCreatorV3One*>(getPluginRegistry()->getCreator("InstanceNormalization_TRT", "3"));
  if (creator == nullptr) return expect(false, "there is no creator of InstanceNormalization_TRT, version 3");
  const float epsilon = 0, scales[] = {2, 1}, bias[] = {0, 5};
  const PluginField fields[] = {field("epsilon", &epsilon), field("scales", scales, 2), field("bias", bias, 2)};
  const PluginFieldCollection given{3, fields};
  std::unique_ptr<IPluginV3> plugin(creator->createPlugin("norm", &given, TensorRTPhase::kBUILD));
  if (plugin == nullptr) return expect(false, "InstanceNormalization_TRT is not made");
  Built built;
  ITensor* x = built.network->addInput("x", DataType::kFLOAT, Dims4{1, 2, 1, 2});
  IPluginV3Layer* layer = built.network->addPluginV3(&x, 1, nullptr, 0, *plugin);
  if (layer == nullptr) return expect(false, "InstanceNormalization_TRT is not added");
  built.network->markOutput(*layer->getOutput(0));
  const auto y = run(built.plan().get(), {{1, 3, -1, 7}}, {4});
  expect(y.size() == 1 && y[0].size() == 4, "InstanceNormalization_TRT runs");
  const Floats right = {-2, 2, 4, 6};
  for (size_t i = 0; i < right.size() && y.size() == 1; ++i)
    expect(std::fabs(y[0][i] - right[i]) < 1e-4F, "InstanceNormalization_TRT element " + std::to_string(i));
}

// Functions of version 5: a ramp, then each place divided by its norm.
void check_factories() {
  const float ones[] = {1, 1};
  const Weights scales{DataType::kFLOAT, ones, 2};
  std::unique_ptr<IPluginV2> ramp(createLReLUPlugin(0.5F)), norm(createNormalizePlugin(&scales, false, false, 0));
  if (ramp == nullptr || norm == nullptr) return expect(false, "createLReLUPlugin and createNormalizePlugin");
  expect(createNormalizePlugin(nullptr, false, false, 0) == nullptr, "createNormalizePlugin without weights");
  plugin::GridAnchorParameters grid{};
  float ratios[] = {1, 2, 0.5F};
  grid.minSize = 0.2F, grid.maxSize = 0.9F, grid.aspectRatios = ratios, grid.numAspectRatios = 3, grid.H = grid.W = 1;
  std::fill(grid.variance, grid.variance + 4, 0.1F);
  std::unique_ptr<IPluginV2> anchors(createAnchorGeneratorPlugin(&grid, 1));
  expect(anchors != nullptr && anchors->getNbOutputs() == 1, "createAnchorGeneratorPlugin");
  plugin::RegionParameters tree{};
  plugin::softmaxTree none{};
  tree.num = 1, tree.coords = 4, tree.classes = 2, tree.smTree = &none;
  expect(createRegionPlugin(tree) == nullptr, "a tree of classes is refused");
  logger.lines.clear();
  Built built;
  ITensor* x = built.network->addInput("x", DataType::kFLOAT, Dims4{2, 2, 1, 1});
  ITensor* y = built.network->addPluginV2(&x, 1, *ramp)->getOutput(0);
  y = built.network->addPluginV2(&y, 1, *norm)->getOutput(0);
  expect(y->getDimensions().nbDims == 4, "results have the extents of what a plugin stands for");
  built.network->markOutput(*y);
  const auto out = run(built.plan().get(), {{3, 4, -6, 4}}, {4});
  if (out.empty()) return expect(false, "the network of two plugins does not run");
  const Floats right = {0.6F, 0.8F, -0.6F, 0.8F};
  for (size_t i = 0; i < right.size(); ++i)
    expect(std::fabs(out[0][i] - right[i]) < 1e-5F, "normalised element " + std::to_string(i));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  expect(initLibNvInferPlugins(&logger, ""), "plugins that ship with the library are registered");
  expect(initLibNvInferPlugins(&logger, ""), "and again");
  expect(getPluginRegistry()->getPluginCreator("HSwish", "1") == nullptr, "HSwish is unknown before its library");
  expect(getPluginRegistry()->loadLibrary(argv[1]) != nullptr, "the library is loaded");
  expect(getPluginRegistry()->getPluginCreator("HSwish", "1") != nullptr, "HSwish is registered by a static object");
  expect(getPluginRegistry()->getPluginCreator("OffsetScale", "1") != nullptr, "OffsetScale is listed by getCreators");
  expect(getPluginRegistry()->loadLibrary("nothing.so") == nullptr, "a library that is not there");
  logger.lines.clear();
  for (int i = 2; i < argc; ++i) check_model(argv[i]);
  check_efficient_nms();
  check_refused_field();
  check_instance_normalization();
  check_factories();
  if (failures == 0) std::printf("plugins: all as it should be\n");
  return failures == 0 ? 0 : 1;
}
