// Numbers of 64 bits in a model: majors below 10 know integers of 32, and clamp weights that are larger; no major knows
// f64. integers_program FOLDER, which examples/make_data.py has filled; says what was not so and ends with 1.

#include "NvOnnxParser.h"
#include "program.h"

namespace {

#if NV_TENSORRT_MAJOR < 10
using Number = int32_t;
constexpr DataType kShown = DataType::kINT32;
constexpr int64_t kLargest = INT32_MAX;
#else
using Number = int64_t;
constexpr DataType kShown = DataType::kINT64;
constexpr int64_t kLargest = int64_t{1} << 40;
#endif

bool said(const char* what) {
  for (const std::string& line : logger.lines)
    if (line.find(what) != std::string::npos) return true;
  return false;
}

// f64 is FLOAT at both ends; what the sum goes over is known while it is parsed.
void doubles(const std::string& folder) {
  const std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  EXPECT(parser->parseFromFile((folder + "/doubles.onnx").c_str(), 2));
  EXPECT(said("'x' is of f64") && said("'y' is of f64"));
  if (network->getNbInputs() != 1 || network->getNbOutputs() != 1) return EXPECT(false);
  EXPECT(network->getInput(0)->getType() == DataType::kFLOAT && network->getOutput(0)->getType() == DataType::kFLOAT);
  const Dims shape = network->getOutput(0)->getDimensions();
  EXPECT(shape.nbDims == 1 && shape.d[0] == 2);
  const std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  const std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  if (engine == nullptr) return EXPECT(false);
  EXPECT(engine->getBindingDataType(engine->getBindingIndex("y")) == DataType::kFLOAT);
  const std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  float x[6] = {0, 1, 2, 3, 4, 5}, y[2] = {};
  void* bindings[2];
  bindings[engine->getBindingIndex("x")] = x;
  bindings[engine->getBindingIndex("y")] = y;
  EXPECT(context->executeV2(bindings) && near(y[0], 5) && near(y[1], 50));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const auto network = explicit_network(*builder);
  const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  EXPECT(parser->parseFromFile((std::string(arguments[1]) + "/integers.onnx").c_str(), 2));
  EXPECT(said("'more': weights outside the range of INT32 were clamped") == (NV_TENSORRT_MAJOR < 10));
  EXPECT(said("the model has INT64 weights") == (NV_TENSORRT_MAJOR < 10));
  EXPECT(network->getNbInputs() == 2 && network->getNbOutputs() == 2);
  EXPECT(network->getInput(0)->getType() == kShown && network->getOutput(0)->getType() == kShown);
  const std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  const std::unique_ptr<ICudaEngine> engine(builder->buildEngineWithConfig(*network, *config));
  EXPECT(engine != nullptr);
  if (engine == nullptr) return 1;
  EXPECT(engine->getBindingDataType(engine->getBindingIndex("sum")) == kShown);
  EXPECT(engine->getBindingDataType(engine->getBindingIndex("ids")) == kShown);
  const std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  Number ids[2] = {-10, 1}, sum[2] = {};
  float x[6] = {0, 1, 2, 3, 4, 5}, rest[4] = {};
  void* bindings[4];
  bindings[engine->getBindingIndex("ids")] = ids;
  bindings[engine->getBindingIndex("x")] = x;
  bindings[engine->getBindingIndex("sum")] = sum;
  bindings[engine->getBindingIndex("rest")] = rest;
  EXPECT(context->executeV2(bindings));
  EXPECT(sum[0] == kLargest - 10 && sum[1] == 8);
  doubles(arguments[1]);
  EXPECT(near(rest[0], 1) && near(rest[1], 2) && near(rest[2], 4) && near(rest[3], 5));
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
