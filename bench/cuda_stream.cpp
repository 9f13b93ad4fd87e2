// What a cudaStream_t costs over a stream of ours: the same plan enqueued both ways, taking turns.
//
//   bench_cuda_stream PLAN [THREADS [SECONDS]]
//
// For each way: when the call returned, and when the result was waited for, minimum and median in microseconds.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "cudart/planish_cudart.h"
#include "planish/planish.hpp"
#include "ways.h"

namespace {

using ways::Clock;
using ways::Way;

cudaError_t execute(void* context) {
  return planish_context_enqueue(static_cast<planish_context*>(context), nullptr) == PLANISH_OK ? cudaSuccess
                                                                                                : cudaErrorUnknown;
}

void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s\n", cudaGetErrorString(error));
  std::exit(1);
}

int run(const char* plan, int threads, double seconds) {
  const planish::Device device(threads);
  planish::Engine engine(plan, {.device = &device});
  planish::Context context(engine);
  std::map<std::string, std::vector<char>> memory;
  for (const planish::Binding& binding : engine.bindings()) {
    auto& bytes = memory[binding.name];
    bytes.resize(static_cast<size_t>(context.bytes(binding.name)), 1);
    context.bind(binding.name, static_cast<void*>(bytes.data()), bytes.size());
  }
  context.run();
  planish::Stream own(device);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreate(&stream));
  Way native, cuda;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    native.measure([&] { context.enqueue(own); }, [&] { own.synchronize(); });
    cuda.measure([&] { check(planish_cudart_find()->enqueue(stream, execute, nullptr, context.handle())); },
                 [&] { check(cudaStreamSynchronize(stream)); });
  }
  native.print("native stream");
  cuda.print("cudaStream_t");
  return cudaStreamDestroy(stream) == cudaSuccess ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "bench_cuda_stream PLAN [THREADS [SECONDS]]\n"), 2;
  try {
    return run(argv[1], argc > 2 ? std::atoi(argv[2]) : 1, argc > 3 ? std::atof(argv[3]) : 3);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
