// A digit's class by a network that is made by calls, its weights read from a text file.
//
//   mnist_api DIGITS.wts DIGIT.pgm...
//
// DIGITS.wts: the number of entries, then a line for each: name, type (0: float), count, numbers as hexadecimal words.
// Ends with 1 where a class is not the one that the picture's name begins with.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "common.h"

using namespace nvinfer1;

namespace {

using WeightMap = std::map<std::string, std::vector<float>>;

WeightMap read_weights(const char* path) {
  std::ifstream file(path);
  size_t entries = 0;
  if (!(file >> entries)) fail(std::string(path) + " cannot be read");
  WeightMap map;
  for (; entries > 0; --entries) {
    std::string name;
    int type = 0;
    size_t count = 0;
    if (!(file >> name >> std::dec >> type >> count) || type != 0) fail(std::string(path) + ": an entry is not floats");
    std::vector<float>& values = map[name];
    for (; count > 0; --count) {
      uint32_t word = 0;
      if (!(file >> std::hex >> word)) fail(std::string(path) + " ends in " + name);
      float value = 0;
      std::memcpy(&value, &word, sizeof value);
      values.push_back(value);
    }
  }
  return map;
}

Weights find(const WeightMap& map, const char* name) {
  const auto at = map.find(name);
  if (at == map.end()) fail(std::string("there are no weights ") + name);
  return {DataType::kFLOAT, at->second.data(), static_cast<int64_t>(at->second.size())};
}

// Convolution 3x3, ReLU, max pooling 2x2.
ITensor* stage(INetworkDefinition& network, ITensor& x, const WeightMap& map, const std::string& name, int maps) {
  auto* convolution = network.addConvolutionNd(x, maps, Dims2{3, 3}, find(map, (name + ".weight").c_str()),
                                               find(map, (name + ".bias").c_str()));
  convolution->setPaddingNd(Dims2{1, 1});
  convolution->setName(name.c_str());
  auto* relu = network.addActivation(*convolution->getOutput(0), ActivationType::kRELU);
  auto* pooling = network.addPoolingNd(*relu->getOutput(0), PoolingType::kMAX, Dims2{2, 2});
  pooling->setStrideNd(Dims2{2, 2});
  return pooling->getOutput(0);
}

std::unique_ptr<IHostMemory> build(const WeightMap& map) {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
  ITensor* x = network->addInput("image", DataType::kFLOAT, Dims4{1, 1, 8, 8});
  const float factor = 1.0F / 255;
  x = network->addScale(*x, ScaleMode::kUNIFORM, {}, {DataType::kFLOAT, &factor, 1}, {})->getOutput(0);
  x = stage(*network, *x, map, "conv1", 16);
  x = stage(*network, *x, map, "conv2", 32);
  auto* flat = network->addShuffle(*x);
  flat->setReshapeDimensions(Dims2{1, 128});
  ITensor* weights = network->addConstant(Dims2{10, 128}, find(map, "fc.weight"))->getOutput(0);
  ITensor* bias = network->addConstant(Dims2{1, 10}, find(map, "fc.bias"))->getOutput(0);
  x = network->addMatrixMultiply(*flat->getOutput(0), MatrixOperation::kNONE, *weights, MatrixOperation::kTRANSPOSE)
          ->getOutput(0);
  x = network->addElementWise(*x, *bias, ElementWiseOperation::kSUM)->getOutput(0);
  auto* softmax = network->addSoftMax(*x);
  softmax->setAxes(1U << 1);
  softmax->getOutput(0)->setName("prob");
  network->markOutput(*softmax->getOutput(0));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  return std::unique_ptr<IHostMemory>(builder->buildSerializedNetwork(*network, *config));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) fail("mnist_api DIGITS.wts DIGIT.pgm...");
  const std::unique_ptr<IHostMemory> plan = build(read_weights(arguments[1]));
  if (plan == nullptr) fail("the network could not be built");
  const std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  const std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  const std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::vector<float> scores(10);
  void *in = nullptr, *out = nullptr;
  check(cudaMalloc(&in, 64 * sizeof(float)));
  check(cudaMalloc(&out, 10 * sizeof(float)));
  context->setTensorAddress("image", in);
  context->setTensorAddress("prob", out);
  cudaStream_t stream;
  check(cudaStreamCreate(&stream));
  int wrong = 0;
  for (int i = 2; i < count; ++i) {
    const auto bytes = read_pixels(arguments[i], "P5", 8, 8);
    const std::vector<float> picture(bytes.begin(), bytes.end());
    check(cudaMemcpyAsync(in, picture.data(), 64 * sizeof(float), cudaMemcpyHostToDevice, stream));
    if (!context->enqueueV3(stream)) fail("the network could not be enqueued");
    check(cudaMemcpyAsync(scores.data(), out, 10 * sizeof(float), cudaMemcpyDeviceToHost, stream));
    check(cudaStreamSynchronize(stream));
    const auto best = std::max_element(scores.begin(), scores.end());
    const auto found = static_cast<int>(best - scores.begin());
    std::printf("%s: %d (%.4f)\n", arguments[i], found, static_cast<double>(*best));
    if (found != digit_of(arguments[i])) ++wrong;
  }
  check(cudaStreamDestroy(stream));
  check(cudaFree(in));
  check(cudaFree(out));
  return wrong > 0 ? 1 : 0;
}
