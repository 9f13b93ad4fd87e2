// What TensorRT's interface costs: the same plan enqueued through IExecutionContext and as itself, taking turns.
//
//   bench_door PLAN [SECONDS [THREADS]]
//
// For each way: when the call returned, and when the result was waited for, minimum and median in microseconds. Both
// run on as many threads: those of the processors that the process is kept to.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>
#include <sched.h>

#include "NvInfer.h"
#include "planish/planish.hpp"
#include "ways.h"

namespace {

using ways::Clock;
using ways::Way;

class Logger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, char const* text) noexcept override {
    if (severity <= Severity::kERROR) std::fprintf(stderr, "%s\n", text);
  }
};

// 0: all of them.
void keep_to(int processors) {
  cpu_set_t given, kept;
  CPU_ZERO(&kept);
  if (processors <= 0 || sched_getaffinity(0, sizeof given, &given) != 0) return;
  for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&kept) < processors; ++i)
    if (CPU_ISSET(i, &given)) CPU_SET(i, &kept);
  sched_setaffinity(0, sizeof kept, &kept);
}

int run(const char* path, double seconds) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> plan((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const planish::Device device;
  planish::Engine engine(path, {.device = &device});
  planish::Context context(engine);
  Logger logger;
  const std::unique_ptr<nvinfer1::IRuntime> runtime(nvinfer1::createInferRuntime(logger));
  const std::unique_ptr<nvinfer1::ICudaEngine> same(runtime->deserializeCudaEngine(plan.data(), plan.size()));
  if (same == nullptr) return 1;
  const std::unique_ptr<nvinfer1::IExecutionContext> door(same->createExecutionContext());
  std::map<std::string, std::vector<char>> memory;
  for (const planish::Binding& binding : engine.bindings()) {
    auto& bytes = memory[binding.name];
    bytes.resize(static_cast<size_t>(context.bytes(binding.name)), 1);
    context.bind(binding.name, static_cast<void*>(bytes.data()), bytes.size());
    door->setTensorAddress(binding.name.c_str(), bytes.data());
  }
  context.run();
  planish::Stream own(device);
  cudaStream_t stream = nullptr;
  if (cudaStreamCreate(&stream) != cudaSuccess || !door->enqueueV3(stream)) return 1;
  cudaStreamSynchronize(stream);
  Way native, through;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    native.measure([&] { context.enqueue(own); }, [&] { own.synchronize(); });
    through.measure([&] { door->enqueueV3(stream); }, [&] { cudaStreamSynchronize(stream); });
  }
  native.print("native stream");
  through.print("enqueueV3");
  return cudaStreamDestroy(stream) == cudaSuccess ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "bench_door PLAN [SECONDS [THREADS]]\n"), 2;
  keep_to(argc > 3 ? std::atoi(argv[3]) : 0);
  try {
    return run(argv[1], argc > 2 ? std::atof(argv[2]) : 3);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
