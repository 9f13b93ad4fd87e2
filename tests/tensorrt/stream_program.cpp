// An engine in streams of the CUDA runtime that stands beside the libraries: a plugin copies on the stream that it is
// given, whichever way the engine is started.

#include <cuda_runtime_api.h>

#include <array>
#include <cstdio>
#include <memory>

#include "copy_plugin.h"
#include "implementers.h"

using namespace nvinfer1;
using namespace implementers;

namespace {

constexpr int kCount = 48;
int failures = 0;
Logger logger;

void expect(bool held, const char* what) {
  if (held) return;
  ++failures;
  std::printf("FAILED: %s\n", what);
}

// Once, and waits for it.
struct StreamCopy {
  static constexpr size_t kWorkspace = 0;
  static int32_t run(const void* from, void* to, size_t bytes, void*, cudaStream_t stream) {
    if (cudaMemsetAsync(to, 0xff, bytes, stream) != cudaSuccess) return 1;
    if (cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream) != cudaSuccess) return 2;
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;  // what is captured cannot be waited for
    if (cudaStreamIsCapturing(stream, &status) == cudaSuccess && status != cudaStreamCaptureStatusNone) return 0;
    return cudaStreamSynchronize(stream) == cudaSuccess ? 0 : 3;
  }
};
using StreamCopyCreator = CopyCreator<StreamCopy>;
REGISTER_TENSORRT_PLUGIN(StreamCopyCreator);

// relu(copy(x))
std::unique_ptr<IHostMemory> plan() {
  std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
  std::unique_ptr<IBuilderConfig> config(builder->createBuilderConfig());
  ITensor* x = network->addInput("x", DataType::kFLOAT, Dims4{1, 3, 4, 4});
  CopyPlugin<StreamCopy> plugin;
  ITensor* copied = network->addPluginV2(&x, 1, plugin)->getOutput(0);
  ITensor* y = network->addActivation(*copied, ActivationType::kRELU)->getOutput(0);
  y->setName("y");
  network->markOutput(*y);
  return std::unique_ptr<IHostMemory>(builder->buildSerializedNetwork(*network, *config));
}

class Buffers {
 public:
  Buffers() {
    cudaMalloc(&x_, sizeof host_);
    cudaMalloc(&y_, sizeof host_);
  }
  ~Buffers() {
    cudaFree(x_);
    cudaFree(y_);
  }
  void give(IExecutionContext& context) {
    context.setTensorAddress("x", x_);
    context.setTensorAddress("y", y_);
  }
  void send(float first, cudaStream_t stream) {
    for (int i = 0; i < kCount; ++i) host_[i] = first + static_cast<float>(i);
    cudaMemcpyAsync(x_, host_.data(), sizeof host_, cudaMemcpyHostToDevice, stream);
  }
  void expect_result(cudaStream_t stream, const char* what) {
    std::array<float, kCount> result{};
    cudaMemcpyAsync(result.data(), y_, sizeof result, cudaMemcpyDeviceToHost, stream);
    bool right = cudaStreamSynchronize(stream) == cudaSuccess;
    for (int i = 0; i < kCount; ++i) right = right && result[i] == (host_[i] > 0 ? host_[i] : 0);
    expect(right, what);
  }
  std::array<void*, 2> bindings() const { return {x_, y_}; }

 private:
  void *x_ = nullptr, *y_ = nullptr;
  std::array<float, kCount> host_{};
};

void test_streams(IExecutionContext& context, Buffers& buffers) {
  cudaStream_t stream = nullptr;
  cudaStreamCreate(&stream);
  for (cudaStream_t one : {stream, cudaStream_t{}}) {
    buffers.send(-20, one);
    expect(context.enqueueV3(one), "enqueueV3");
    buffers.expect_result(one, one == nullptr ? "enqueueV3 on the default stream" : "enqueueV3 on a stream");
  }
  buffers.send(-30, stream);
  cudaStreamSynchronize(stream);
  auto bindings = buffers.bindings();
  expect(context.executeV2(bindings.data()), "executeV2");
  buffers.expect_result(stream, "executeV2");
  cudaStreamDestroy(stream);
}

// Takes a buffer that is ready for the output `y`.
class Allocator : public IOutputAllocator {
 public:
  explicit Allocator(void* memory) : memory_(memory) {}
  void* reallocateOutputAsync(const char*, void*, uint64_t size, uint64_t, cudaStream_t stream) noexcept override {
    bytes = size;
    given = stream;
    return memory_;
  }
  void notifyShape(const char*, const Dims& dims) noexcept override { rank = dims.nbDims; }
  uint64_t bytes = 0;
  int32_t rank = 0;
  cudaStream_t given = nullptr;

 private:
  void* memory_;
};

// What allocators are told is known when enqueueV3 returns, though work waits on the stream.
void test_allocator(IExecutionContext& context, Buffers& buffers) {
  cudaStream_t stream = nullptr;
  cudaStreamCreate(&stream);
  Allocator allocator(buffers.bindings()[1]);
  expect(context.setOutputAllocator("y", &allocator), "setOutputAllocator");
  buffers.send(-15, stream);
  expect(context.enqueueV3(stream), "enqueueV3 with an allocator");
  expect(allocator.bytes >= kCount * sizeof(float) && allocator.rank == 4 && allocator.given == stream,
         "the allocator has been told when enqueueV3 returns");
  buffers.expect_result(stream, "enqueueV3 with an allocator");
  context.setOutputAllocator("y", nullptr);
  cudaStreamDestroy(stream);
}

void test_graph(IExecutionContext& context, Buffers& buffers) {
  cudaStream_t stream = nullptr;
  cudaStreamCreate(&stream);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
  expect(context.enqueueV3(stream), "enqueueV3 while the stream is captured");
  expect(cudaStreamEndCapture(stream, &graph) == cudaSuccess, "the end of the capture");
  expect(cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess, "the graph");
  for (float first : {-10.F, -40.F}) {
    buffers.send(first, stream);
    cudaGraphLaunch(exec, stream);
    buffers.expect_result(stream, "a launch of the graph");
  }
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
}

// A stream that was destroyed, or never was one: the call says so, and nothing runs.
void test_no_stream(IExecutionContext& context, Buffers& buffers) {
  cudaStream_t stream = nullptr;
  cudaStreamCreate(&stream);
  buffers.send(-10.F, stream);
  expect(context.enqueueV3(stream), "enqueueV3 on a stream");
  cudaStreamSynchronize(stream);
  cudaStreamDestroy(stream);
  for (bool synchronous : {false, true}) {
    context.setDebugSync(synchronous);
    const size_t lines = logger.lines.size();
    expect(!context.enqueueV3(stream), "enqueueV3 on a destroyed stream");
    expect(!context.enqueueV3(reinterpret_cast<cudaStream_t>(static_cast<uintptr_t>(64))), "enqueueV3 on no stream");
    expect(logger.lines.size() == lines + 2, "a line for each");
    expect(logger.lines.back().find("no such stream") != std::string::npos, "what is wrong with the stream");
  }
  context.setDebugSync(false);
  logger.lines.clear();
  cudaGetLastError();
}

// What a program that looks at the result alone would take for an execution.
void test_no_address(IExecutionContext& context) {
  cudaStream_t stream = nullptr;
  cudaStreamCreate(&stream);
  void* nothing[2] = {};
  expect(!context.enqueueV2(nothing, stream, nullptr), "enqueueV2 without addresses");
  expect(!logger.lines.empty() && logger.lines.back().find("has no address") != std::string::npos, "which it is");
  cudaStreamDestroy(stream);
  logger.lines.clear();
}

}  // namespace

int main() {
  const auto bytes = plan();
  std::unique_ptr<IRuntime> runtime(createInferRuntime(logger));
  std::unique_ptr<ICudaEngine> engine(runtime->deserializeCudaEngine(bytes->data(), bytes->size()));
  std::unique_ptr<IExecutionContext> context(engine->createExecutionContext());
  Buffers buffers;
  buffers.give(*context);
  test_streams(*context, buffers);
  test_allocator(*context, buffers);
  test_graph(*context, buffers);
  test_no_stream(*context, buffers);
  test_no_address(*context);
  for (const std::string& line : logger.lines) std::printf("log: %s\n", line.c_str());
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
