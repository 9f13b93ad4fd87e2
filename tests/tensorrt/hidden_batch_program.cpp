// ONNX models in networks that hide the batch, as programs of majors 5 to 7 read them. hidden_batch_program DIGITS.onnx
// FOLDER, which examples/make_data.py has filled; says what went wrong and ends with 1.

#include "NvOnnxParser.h"
#include "program.h"

namespace {

struct Engine {
  std::unique_ptr<ICudaEngine> engine;
  std::unique_ptr<IExecutionContext> context;

  Engine(const std::string& path, int batch) {
    const std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
    const std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
    const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
    EXPECT(parser->parseFromFile(path.c_str(), 2));
    EXPECT(network->hasImplicitBatchDimension() && network->getInput(0)->getDimensions().nbDims == 3);
    builder->setMaxBatchSize(batch);
    const std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
    engine.reset(builder->buildEngineWithConfig(*network, *config));
    EXPECT(engine != nullptr);
    if (engine != nullptr) context.reset(engine->createExecutionContext());
  }
};

// Each picture of a batch has the scores that it has alone.
void digits(const char* path) {
  const Engine made(path, 3);
  EXPECT(made.engine->getMaxBatchSize() == 3 && made.engine->getBindingDimensions(1).nbDims == 1);
  std::vector<float> x(3 * 64), all(30), one(10);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7 % 23) / 23;
  void* bindings[] = {x.data(), all.data()};
  EXPECT(made.context->execute(3, bindings) && !made.context->execute(4, bindings));
  for (size_t n = 0; n < 3; ++n) {
    void* alone[] = {x.data() + 64 * n, one.data()};
    EXPECT(made.context->execute(1, alone));
    for (size_t i = 0; i < 10; ++i) EXPECT(std::fabs(one[i] - all[10 * n + i]) < 1e-5F);
  }
}

// A model that joins constants of a batch of 1 can have no other.
void spots(const std::string& path) {
  const Engine made(path, 2);
  EXPECT(!logger.lines.empty() && logger.lines.back().find("fixes the batch at 1") != std::string::npos);
  EXPECT(made.engine->getMaxBatchSize() == 1 && made.engine->getBindingDimensions(1).nbDims == 2);
  std::vector<float> x(3 * 64 * 64, 1.0F), y(6 * 64);
  void* bindings[] = {x.data(), y.data()};
  EXPECT(made.context->execute(1, bindings) && y[4 * 64] > 0.99F && y[0] == 4);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  digits(arguments[1]);
  spots(std::string(arguments[2]) + "/spots.onnx");
  return failures > 0 ? 1 : 0;
}
