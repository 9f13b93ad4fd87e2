// A Caffe network through TensorRT's interface, in the style of major 7, fed from a pipe.
//
//   caffe_stream NET.prototxt NET.caffemodel BATCH INPUT OUTPUT…
//
// Reads floats of BATCH pictures from standard input, as often as there are some, and writes the outputs' floats.

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "NvCaffeParser.h"

using namespace nvinfer1;

namespace {

class Logger : public ILogger {
  void log(Severity severity, char const* text) override {
    if (severity < Severity::kINFO) std::fprintf(stderr, "%s\n", text);
  }
} logger;

struct Destroy {
  template <class T>
  void operator()(T* object) const {
    object->destroy();
  }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

size_t elements(const Dims& dims) {
  size_t count = 1;
  for (int i = 0; i < dims.nbDims; ++i) count *= static_cast<size_t>(dims.d[i]);
  return count;
}

ICudaEngine* build(char** arguments, int count) {
  const Owned<IBuilder> builder(createInferBuilder(logger));
  const Owned<INetworkDefinition> network(builder->createNetworkV2(0));
  const Owned<nvcaffeparser1::ICaffeParser> parser(nvcaffeparser1::createCaffeParser());
  const auto* blobs = parser->parse(arguments[1], arguments[2], *network, DataType::kFLOAT);
  if (blobs == nullptr) return nullptr;
  for (int i = 5; i < count; ++i) {
    ITensor* output = blobs->find(arguments[i]);
    if (output == nullptr) return nullptr;
    network->markOutput(*output);
  }
  builder->setMaxBatchSize(std::stoi(arguments[3]));
  const Owned<IBuilderConfig> config(builder->createBuilderConfig());
  return builder->buildEngineWithConfig(*network, *config);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 6) return 2;
  const Owned<ICudaEngine> engine(build(arguments, count));
  if (engine == nullptr) return 1;
  const int batch = std::stoi(arguments[3]);
  std::vector<std::vector<float>> values(static_cast<size_t>(engine->getNbBindings()));
  std::vector<void*> buffers(values.size());
  std::vector<size_t> order;
  for (int i = 4; i < count; ++i) order.push_back(static_cast<size_t>(engine->getBindingIndex(arguments[i])));
  for (size_t at : order) {
    values[at].resize(static_cast<size_t>(batch) * elements(engine->getBindingDimensions(static_cast<int>(at))));
    buffers[at] = values[at].data();
  }
  const Owned<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float>& input = values[order[0]];
  while (std::fread(input.data(), sizeof(float), input.size(), stdin) == input.size()) {
    if (!context->execute(batch, buffers.data())) return 1;
    for (size_t i = 1; i < order.size(); ++i)
      std::fwrite(values[order[i]].data(), sizeof(float), values[order[i]].size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}
