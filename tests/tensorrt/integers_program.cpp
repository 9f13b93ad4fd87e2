// Integers of 64 bits in a model: majors below 10 know those of 32, and clamp weights that are larger. integers_program
// FOLDER, which examples/make_data.py has filled; says what was not so and ends with 1.

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
  EXPECT(near(rest[0], 1) && near(rest[1], 2) && near(rest[2], 4) && near(rest[3], 5));
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
