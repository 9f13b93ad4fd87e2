// The plugin HSwish and a network with it: made by calls, or read from ONNX where a node is called HSwish, which is
// what PyTorch writes of a module whose symbolic() says g.op("HSwish", x).
//
//   hswish [MODEL.onnx]
//
// Builds, writes a plan, loads it, runs a batch of 2 and compares with the formula; ends with 1 where they differ.
// Compiled by nvcc (nvcc -x cu) the plugin computes on the GPU, by any other compiler on the processor; as a shared
// library
// (-shared -fPIC) it is what IPluginRegistry::loadLibrary and --plugins load.

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "NvOnnxParser.h"
#include "common.h"

using namespace nvinfer1;

namespace {

// y = x * min(max(x + 3, 0), 6) / 6 for `count` numbers on the stream; a CUDA error number, 0: none.
#ifdef __CUDACC__
__global__ void hswish_kernel(const float* x, float* y, size_t count) {
  const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    y[i] = x[i] * fminf(fmaxf(x[i] + 3, 0.0F), 6.0F) / 6;
}

int hswish(const float* x, float* y, size_t count, cudaStream_t stream) {
  constexpr size_t kThreads = 256, kMostBlocks = 4096;
  const size_t blocks = (count + kThreads - 1) / kThreads;
  if (count > 0)
    hswish_kernel<<<static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, 0, stream>>>(x, y,
                                                                                                               count);
  return static_cast<int>(cudaGetLastError());
}
#else
int hswish(const float* x, float* y, size_t count, cudaStream_t) {
  for (size_t i = 0; i < count; ++i) y[i] = x[i] * std::fmin(std::fmax(x[i] + 3, 0.0F), 6.0F) / 6;
  return 0;
}
#endif

class HSwish : public IPluginV2DynamicExt {
 public:
  IPluginV2DynamicExt* clone() const noexcept override {
    auto* copy = new (std::nothrow) HSwish;
    if (copy != nullptr) copy->setPluginNamespace(space_.c_str());
    return copy;
  }
  DimsExprs getOutputDimensions(int32_t, DimsExprs const* inputs, int32_t, IExprBuilder&) noexcept override {
    return inputs[0];
  }
  bool supportsFormatCombination(int32_t position, PluginTensorDesc const* all, int32_t, int32_t) noexcept override {
    return all[position].type == DataType::kFLOAT && all[position].format == TensorFormat::kLINEAR;
  }
  void configurePlugin(DynamicPluginTensorDesc const*, int32_t, DynamicPluginTensorDesc const*,
                       int32_t) noexcept override {}
  size_t getWorkspaceSize(PluginTensorDesc const*, int32_t, PluginTensorDesc const*, int32_t) const noexcept override {
    return 0;
  }
  int32_t enqueue(PluginTensorDesc const* in, PluginTensorDesc const*, void const* const* inputs, void* const* outputs,
                  void*, cudaStream_t stream) noexcept override {
    size_t count = 1;
    for (int i = 0; i < in[0].dims.nbDims; ++i) count *= static_cast<size_t>(in[0].dims.d[i]);
    return hswish(static_cast<const float*>(inputs[0]), static_cast<float*>(outputs[0]), count, stream);
  }
  DataType getOutputDataType(int32_t, DataType const* types, int32_t) const noexcept override { return types[0]; }
  char const* getPluginType() const noexcept override { return "HSwish"; }
  char const* getPluginVersion() const noexcept override { return "1"; }
  int32_t getNbOutputs() const noexcept override { return 1; }
  int32_t initialize() noexcept override { return 0; }
  void terminate() noexcept override {}
  size_t getSerializationSize() const noexcept override { return 0; }
  void serialize(void*) const noexcept override {}
  void destroy() noexcept override { delete this; }
  void setPluginNamespace(char const* space) noexcept override { space_ = space == nullptr ? "" : space; }
  char const* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  std::string space_;
};

class HSwishCreator : public IPluginCreator {
 public:
  char const* getPluginName() const noexcept override { return "HSwish"; }
  char const* getPluginVersion() const noexcept override { return "1"; }
  PluginFieldCollection const* getFieldNames() noexcept override {
    static const PluginFieldCollection none{0, nullptr};
    return &none;
  }
  IPluginV2* createPlugin(char const*, PluginFieldCollection const*) noexcept override { return made(); }
  IPluginV2* deserializePlugin(char const*, void const*, size_t size) noexcept override {
    return size == 0 ? made() : nullptr;
  }
  void setPluginNamespace(char const* space) noexcept override { space_ = space == nullptr ? "" : space; }
  char const* getPluginNamespace() const noexcept override { return space_.c_str(); }

 private:
  IPluginV2* made() const {
    auto* plugin = new (std::nothrow) HSwish;
    if (plugin != nullptr) plugin->setPluginNamespace(space_.c_str());
    return plugin;
  }
  std::string space_;
};

REGISTER_TENSORRT_PLUGIN(HSwishCreator);

constexpr int kChannels = 3, kMaps = 8, kBatch = 2, kPixels = 16;

// Of the convolution in front, as examples/make_data.py has them.
std::vector<float> kernel() {
  std::vector<float> values;
  for (int i = 0; i < kMaps * kChannels; ++i) values.push_back(static_cast<float>(i % 7 - 3) / 4);
  return values;
}

void by_calls(INetworkDefinition& network, const std::vector<float>& weights) {
  ITensor* x = network.addInput("x", DataType::kFLOAT, Dims4{-1, kChannels, 4, 4});
  auto* convolution = network.addConvolutionNd(
      *x, kMaps, Dims2{1, 1}, {DataType::kFLOAT, weights.data(), static_cast<int64_t>(weights.size())}, {});
  auto* creator = made(getPluginRegistry()->getPluginCreator("HSwish", "1"), "a creator of HSwish");
  const PluginFieldCollection none{0, nullptr};
  IPluginV2* plugin = made(creator->createPlugin("hswish", &none), "the plugin");
  ITensor* operand = convolution->getOutput(0);
  auto* layer = made(network.addPluginV2(&operand, 1, *plugin), "the plugin's layer");
  plugin->destroy();
  layer->getOutput(0)->setName("y");
  network.markOutput(*layer->getOutput(0));
}

std::unique_ptr<IHostMemory> build(const char* model) {
  const std::unique_ptr<IBuilder> builder(made(createInferBuilder(logger), "a builder"));
  const std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
  const std::unique_ptr<nvonnxparser::IParser> parser(nvonnxparser::createParser(*network, logger));
  const std::vector<float> weights = kernel();
  if (model == nullptr)
    by_calls(*network, weights);
  else if (!parser->parseFromFile(model, 2))
    fail(std::string(model) + " cannot be parsed");
  const std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  IOptimizationProfile* profile = builder->createOptimizationProfile();
  profile->setDimensions("x", OptProfileSelector::kMIN, Dims4{1, kChannels, 4, 4});
  profile->setDimensions("x", OptProfileSelector::kOPT, Dims4{kBatch, kChannels, 4, 4});
  profile->setDimensions("x", OptProfileSelector::kMAX, Dims4{4, kChannels, 4, 4});
  config->addOptimizationProfile(profile);
  return std::unique_ptr<IHostMemory>(made(builder->buildSerializedNetwork(*network, *config), "the plan"));
}

std::vector<float> run(ICudaEngine& engine, const std::vector<float>& x) {
  const std::unique_ptr<IExecutionContext> context(engine.createExecutionContext());
  std::vector<float> y(kBatch * kMaps * kPixels);
  void *in = nullptr, *out = nullptr;
  check(cudaMalloc(&in, x.size() * sizeof(float)));
  check(cudaMalloc(&out, y.size() * sizeof(float)));
  check(cudaMemcpy(in, x.data(), x.size() * sizeof(float), cudaMemcpyHostToDevice));
  context->setInputShape("x", Dims4{kBatch, kChannels, 4, 4});
  context->setTensorAddress("x", in);
  context->setTensorAddress("y", out);
  cudaStream_t stream;
  check(cudaStreamCreate(&stream));
  if (!context->enqueueV3(stream)) fail("the network could not be enqueued");
  check(cudaMemcpyAsync(y.data(), out, y.size() * sizeof(float), cudaMemcpyDeviceToHost, stream));
  check(cudaStreamSynchronize(stream));
  check(cudaStreamDestroy(stream));
  check(cudaFree(in));
  check(cudaFree(out));
  return y;
}

double expected(const std::vector<float>& x, const std::vector<float>& weights, int n, int map, int pixel) {
  double sum = 0;
  for (int c = 0; c < kChannels; ++c)
    sum += static_cast<double>(weights[static_cast<size_t>(map * kChannels + c)]) *
           static_cast<double>(x[static_cast<size_t>((n * kChannels + c) * kPixels + pixel)]);
  return sum * std::fmin(std::fmax(sum + 3, 0), 6) / 6;
}

}  // namespace

int main(int count, char** arguments) {
  const std::unique_ptr<IHostMemory> plan = build(count > 1 ? arguments[1] : nullptr);
  const std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  const std::unique_ptr<ICudaEngine> engine(
      made(runtime->deserializeCudaEngine(plan->data(), plan->size()), "the engine"));
  std::vector<float> x;
  for (int i = 0; i < kBatch * kChannels * kPixels; ++i) x.push_back(static_cast<float>(i * 5 % 31 - 15) / 4);
  const std::vector<float> y = run(*engine, x), weights = kernel();
  double most = 0;
  for (int n = 0; n < kBatch; ++n)
    for (int map = 0; map < kMaps; ++map)
      for (int pixel = 0; pixel < kPixels; ++pixel)
        most = std::fmax(most,
                         std::fabs(expected(x, weights, n, map, pixel) -
                                   static_cast<double>(y[static_cast<size_t>((n * kMaps + map) * kPixels + pixel)])));
  std::printf("%zu numbers, at most %.1e away from the formula\n", y.size(), most);
  return most < 1e-5 ? 0 : 1;
}
