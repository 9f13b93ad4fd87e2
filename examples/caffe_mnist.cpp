// A digit's class by a Caffe network, in the style of TensorRT 3: build, plan file, runtime, context, four
// asynchronous calls.
//
//   caffe_mnist NET.prototxt NET.caffemodel INPUT OUTPUT DIGIT.pgm...
//
// INPUT and OUTPUT are names of blobs. The class of DIGIT.pgm is told by the first letter of its name; the program ends
// with 1 where another one is found. Pictures reach the network as values 0 to 255.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "NvCaffeParser.h"
#include "NvInfer.h"
#include "common.h"

using namespace nvinfer1;
using namespace nvcaffeparser1;

namespace {

// 1. Network and weights become an engine, and the engine a plan.
void write_plan(const char* deploy, const char* model, const char* output, int batch, const char* path) {
  IBuilder* builder = createInferBuilder(logger);
  INetworkDefinition* network = builder->createNetwork();
  ICaffeParser* parser = createCaffeParser();
  const IBlobNameToTensor* blobs = parser->parse(deploy, model, *network, DataType::kFLOAT);
  if (blobs == nullptr || blobs->find(output) == nullptr) fail(std::string("no blob is called ") + output);
  network->markOutput(*blobs->find(output));
  builder->setMaxBatchSize(batch);
  builder->setMaxWorkspaceSize(1 << 20);
  ICudaEngine* engine = builder->buildCudaEngine(*network);
  if (engine == nullptr) fail("the engine could not be built");
  network->destroy();
  parser->destroy();
  IHostMemory* plan = engine->serialize();
  std::ofstream(path, std::ios::binary).write(static_cast<const char*>(plan->data()), static_cast<long>(plan->size()));
  plan->destroy();
  engine->destroy();
  builder->destroy();
  shutdownProtobufLibrary();
}

int elements(Dims dims) {
  int count = 1;
  for (int i = 0; i < dims.nbDims; ++i) count *= static_cast<int>(dims.d[i]);
  return count;
}

// 2. Two copies, the network, and a copy back, on one stream.
void infer(IExecutionContext& context, int input, int output, const std::vector<float>& picture,
           std::vector<float>& scores) {
  void* buffers[2];
  const size_t in = picture.size() * sizeof(float), out = scores.size() * sizeof(float);
  check(cudaMalloc(&buffers[input], in));
  check(cudaMalloc(&buffers[output], out));
  cudaStream_t stream;
  check(cudaStreamCreate(&stream));
  check(cudaMemcpyAsync(buffers[output], scores.data(), out, cudaMemcpyHostToDevice, stream));
  check(cudaMemcpyAsync(buffers[input], picture.data(), in, cudaMemcpyHostToDevice, stream));
  if (!context.enqueue(1, buffers, stream, nullptr)) fail("the network could not be enqueued");
  check(cudaMemcpyAsync(scores.data(), buffers[output], out, cudaMemcpyDeviceToHost, stream));
  check(cudaStreamSynchronize(stream));
  check(cudaStreamDestroy(stream));
  check(cudaFree(buffers[input]));
  check(cudaFree(buffers[output]));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 6) fail("caffe_mnist NET.prototxt NET.caffemodel INPUT OUTPUT DIGIT.pgm...");
  const char *input_name = arguments[3], *output_name = arguments[4];
  const std::string path = "caffe_mnist.plan";
  write_plan(arguments[1], arguments[2], output_name, 1, path.c_str());

  const std::vector<char> plan = read_file(path);
  IRuntime* runtime = createInferRuntime(logger);
  ICudaEngine* engine = runtime->deserializeCudaEngine(plan.data(), plan.size(), nullptr);
  if (engine == nullptr) fail(path + " is no plan of this machine");
  const int input = engine->getBindingIndex(input_name), output = engine->getBindingIndex(output_name);
  if (engine->getNbBindings() != 2 || input < 0 || output < 0) fail("the engine has other bindings");
  IExecutionContext* context = engine->createExecutionContext();
  const Dims dims = engine->getBindingDimensions(input);
  std::vector<float> scores(static_cast<size_t>(elements(engine->getBindingDimensions(output))));

  int wrong = 0;
  for (int i = 5; i < count; ++i) {
    const std::string digit = arguments[i];
    const auto bytes = read_pixels(digit, "P5", static_cast<int>(dims.d[1]), static_cast<int>(dims.d[2]));
    infer(*context, input, output, std::vector<float>(bytes.begin(), bytes.end()), scores);
    const auto best = std::max_element(scores.begin(), scores.end());
    const auto found = static_cast<int>(best - scores.begin());
    std::printf("%s: %d (%.4f)\n", digit.c_str(), found, static_cast<double>(*best));
    if (found != digit_of(digit)) ++wrong;
  }
  context->destroy();
  engine->destroy();
  runtime->destroy();
  if (wrong > 0) std::printf("%d of %d are wrong\n", wrong, count - 5);
  return wrong > 0 ? 1 : 0;
}
