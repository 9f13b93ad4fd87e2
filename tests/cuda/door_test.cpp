// TensorRT's interface where there is a driver (fake/driver.h), its CUDA runtime forwarded to a toolkit's: plans are
// built for the GPU, plugins get its memory and the caller's stream, all memory comes from the caller's allocator.
//
//   cuda_door gpu | cpu     who is to run engines; PLANISH_DEVICE=cpu in the environment makes it the processor

#include <cuda_runtime_api.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "cuda/fake/driver.h"
#include "planish/planish_build.h"
#include "tensorrt/copy_plugin.h"
#include "tensorrt/implementers.h"

using namespace nvinfer1;

namespace {

constexpr int kCount = 48;
constexpr size_t kBytes = kCount * sizeof(float);
int failures = 0;
implementers::Logger logger;

void expect(bool held, const char* what) {
  if (held) return;
  ++failures;
  std::printf("FAILED: %s\n", what);
}

struct Call {
  const void* input = nullptr;
  void* output = nullptr;
  void* workspace = nullptr;
  cudaStream_t stream = nullptr;
  int count = 0;
} last;

// By way of its workspace.
struct StreamCopy {
  static constexpr size_t kWorkspace = 512;
  static int32_t run(const void* from, void* to, size_t bytes, void* workspace, cudaStream_t stream) {
    last = {from, to, workspace, stream, last.count + 1};
    if (cudaMemcpyAsync(workspace, from, bytes, cudaMemcpyDeviceToDevice, stream) != cudaSuccess) return 1;
    return cudaMemcpyAsync(to, workspace, bytes, cudaMemcpyDeviceToDevice, stream) != cudaSuccess ? 2 : 0;
  }
};
using StreamCopyCreator = CopyCreator<StreamCopy>;
REGISTER_TENSORRT_PLUGIN(StreamCopyCreator);

class Allocator : public IGpuAsyncAllocator {
 public:
  void* allocateAsync(uint64_t size, uint64_t, AllocatorFlags, cudaStream_t) noexcept override {
    void* memory = nullptr;
    if (cudaMalloc(&memory, size) != cudaSuccess) return nullptr;
    sizes[memory] = size;
    return memory;
  }
  bool deallocateAsync(void* memory, cudaStream_t) noexcept override {
    cudaFree(memory);
    return sizes.erase(memory) == 1;
  }
  std::map<void*, uint64_t> sizes;
};

// y = copy(copy(x))
std::unique_ptr<IHostMemory> build() {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 3, 4, 4});
  CopyPlugin<StreamCopy> plugin;
  ITensor* first = network->addPluginV2(&x, 1, plugin)->getOutput(0);
  ITensor* y = network->addPluginV2(&first, 1, plugin)->getOutput(0);
  y->setName("y");
  network->markOutput(*y);
  return std::unique_ptr<IHostMemory>(builder->buildSerializedNetwork(*network, *config));
}

bool holds(const void* memory, float first) {
  std::array<float, kCount> values{};
  fake_cuda_peek(values.data(), memory, kBytes);
  for (int i = 0; i < kCount; ++i)
    if (values[static_cast<size_t>(i)] != first + static_cast<float>(i)) return false;
  return true;
}

void send(void* memory, float first, cudaStream_t stream) {
  std::array<float, kCount> values{};
  for (int i = 0; i < kCount; ++i) values[static_cast<size_t>(i)] = first + static_cast<float>(i);
  cudaMemcpyAsync(memory, values.data(), kBytes, cudaMemcpyHostToDevice, stream);
}

void run_on_gpu(IExecutionContext& context, void* x, void* y) {
  cudaStream_t stream = nullptr;
  expect(cudaStreamCreate(&stream) == cudaSuccess, "a stream");
  expect(context.setTensorAddress("x", x) && context.setTensorAddress("y", y), "addresses");
  send(x, 3, stream);
  const int64_t waits = fake_cuda_count("waits");
  expect(context.enqueueV3(stream), "enqueueV3");
  expect(fake_cuda_count("waits") == waits, "enqueueV3 does not wait");
  expect(last.stream == stream && last.count == 2, "plugins get the caller's stream");
  expect(last.output == y, "results are written in place");
  expect(!holds(y, 3), "nothing has run yet");
  expect(cudaStreamSynchronize(stream) == cudaSuccess && holds(y, 3), "the result is right");

  send(x, 70, nullptr);
  expect(context.enqueueV3(nullptr), "enqueueV3 on the default stream");
  expect(cudaDeviceSynchronize() == cudaSuccess && holds(y, 70), "its result");
  send(x, 500, nullptr);
  void* bindings[] = {x, y};
  expect(context.executeV2(bindings) && holds(y, 500), "executeV2 waits");
  expect(cudaStreamDestroy(stream) == cudaSuccess, "the stream ends");
}

// Where the numbers are that are not 0: as many as there are.
void late_outputs() {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  ITensor* found = network->addNonZero(*network->addInput("x", DataType::kFLOAT, Dims{1, {kCount}}))->getOutput(0);
  found->setName("y");
  network->markOutput(*found);
  std::unique_ptr<IHostMemory> plan(builder->buildSerializedNetwork(*network, *config));
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  std::array<float, kCount> values{};
  values[5] = values[7] = 1;
  void *x[2], *y[2];
  cudaStream_t streams[2];
  for (int i = 0; i < 2; ++i) {
    cudaMalloc(&x[i], kBytes), cudaMalloc(&y[i], 2 * kBytes), cudaStreamCreate(&streams[i]);
    fake_cuda_poke(x[i], values.data(), kBytes);
    values = {};
    values[20] = values[21] = 1;
  }
  for (int i = 0; i < 2; ++i) {
    context->setTensorAddress("x", x[i]), context->setTensorAddress("y", y[i]);
    expect(context->enqueueV3(streams[i]), "an execution whose result is as long as data decide");
  }
  const bool wide = engine->getTensorDataType("y") == DataType::kINT64;
  const auto at = [&](int run, int position) {
    int64_t value = 0;
    const int size = wide ? 8 : 4;
    fake_cuda_peek(&value, static_cast<char*>(y[run]) + position * size, size);
    return value;
  };
  cudaStreamSynchronize(streams[1]), cudaStreamSynchronize(streams[0]);
  expect(at(1, 0) == 20 && at(1, 1) == 21, "the second stream's result");
  expect(at(0, 0) == 5 && at(0, 1) == 7, "the first stream's result is its own");
  context.reset();
  for (int i = 0; i < 2; ++i) cudaFree(x[i]), cudaFree(y[i]), cudaStreamDestroy(streams[i]);
}

// More of them than are remembered; contexts that go wait for what is under way.
void many_streams(ICudaEngine& engine, void* x, void* y) {
  std::unique_ptr<IExecutionContext> context(engine.createExecutionContext());
  context->setTensorAddress("x", x), context->setTensorAddress("y", y);
  std::array<cudaStream_t, 70> streams{};
  for (cudaStream_t& stream : streams) {
    cudaStreamCreate(&stream);
    expect(context->enqueueV3(stream), "any number of streams");
  }
  cudaDeviceSynchronize();
  send(x, 900, streams[0]);
  expect(context->enqueueV3(streams[0]) && !holds(y, 900), "under way");
  context.reset();
  expect(holds(y, 900), "a context that goes waits");
  for (cudaStream_t stream : streams) cudaStreamDestroy(stream);
}

void on_gpu() {
  const std::unique_ptr<IHostMemory> plan = build();
  expect(plan != nullptr, "a plan");
  if (plan == nullptr) return;
  Allocator allocator;
  void *x = nullptr, *y = nullptr;
  cudaMalloc(&x, kBytes), cudaMalloc(&y, kBytes);
  {
    std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
    runtime->setGpuAllocator(&allocator);
    const int64_t before = fake_cuda_count("allocations");
    std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
    expect(engine != nullptr && engine->getDeviceMemorySizeV2() > 0, "an engine with memory of the GPU");
    if (engine == nullptr) return;
    std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
    expect(fake_cuda_count("allocations") - before == static_cast<int64_t>(allocator.sizes.size()),
           "all memory of the GPU is the allocator's");
    run_on_gpu(*context, x, y);
    many_streams(*engine, x, y);
    late_outputs();

    std::unique_ptr<IExecutionContext> lean(
        engine->createExecutionContext(ExecutionContextAllocationStrategy::kUSER_MANAGED));
    void* memory = nullptr;
    cudaMalloc(&memory, static_cast<size_t>(engine->getDeviceMemorySizeV2()));
    lean->setDeviceMemoryV2(memory, engine->getDeviceMemorySizeV2());
    last = {};
    run_on_gpu(*lean, x, y);
    expect(last.workspace >= memory && last.workspace < static_cast<char*>(memory) + engine->getDeviceMemorySizeV2(),
           "the workspace lies in the memory that was given");
    lean.reset();
    cudaFree(memory);
  }
  expect(allocator.sizes.empty(), "the allocator gets all of it back");
  cudaFree(x), cudaFree(y);
}

void on_cpu() {
  const std::unique_ptr<IHostMemory> plan = build();
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(plan->data(), plan->size()));
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  void *x = nullptr, *y = nullptr;
  expect(cudaMalloc(&x, kBytes) == cudaSuccess && cudaMalloc(&y, kBytes) == cudaSuccess, "memory");
  for (int i = 0; i < kCount; ++i) static_cast<float*>(x)[i] = static_cast<float>(i);  // of the processor
  void* bindings[] = {x, y};
  expect(context->executeV2(bindings) && std::memcmp(x, y, kBytes) == 0, "the result is right");
  expect(fake_cuda_count("allocations") == 0, "no GPU is touched");
  cudaFree(x), cudaFree(y);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string who = argc > 1 ? argv[1] : "gpu";
  planish_device* device = nullptr;
  if (who == "gpu" && planish_device_is_there("cuda") != 0) {
    planish_device_options options{};
    options.struct_size = sizeof options;
    options.kind = "cuda";
    planish_device_create(&options, &device);
  }
  if (who == "gpu" && planish_device_check_build(device) != PLANISH_OK) {
    std::printf("nothing is built: %s\n", planish_last_error());
  } else {
    who == "gpu" ? on_gpu() : on_cpu();
  }
  planish_device_destroy(device);
  for (const std::string& line : logger.lines) std::printf("%s\n", line.c_str());
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
