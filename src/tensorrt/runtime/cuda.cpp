#include "tensorrt/runtime/cuda.h"

#include <dlfcn.h>

#include <exception>
#include <string>

#include "cudart/planish_cudart.h"
#include "planish/error.hpp"

namespace planish::tensorrt {
namespace {

struct CudaFunctions {
  const planish_cudart* own;  // null: the runtime is a toolkit's
  int (*launch_host)(cudaStream_t, void (*)(void*), void*);
  int (*synchronize)(cudaStream_t);
  int (*record)(cudaEvent_t, cudaStream_t);
  int (*capturing)(cudaStream_t, int*);
  int (*current)(int*);
};

template <class Function>
void look_up(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

const CudaFunctions& cuda() {
  static const CudaFunctions functions = [] {
    CudaFunctions found{};
    found.own = planish_cudart_find();
    look_up(found.launch_host, "cudaLaunchHostFunc");
    look_up(found.synchronize, "cudaStreamSynchronize");
    look_up(found.record, "cudaEventRecord");
    look_up(found.capturing, "cudaStreamIsCapturing");
    look_up(found.current, "cudaGetDevice");
    return found;
  }();
  return functions;
}

}  // namespace

bool streams::call_in_stream(cudaStream_t stream, int (*run)(void*), void (*call)(void*), void* data) noexcept {
  if (cuda().own != nullptr)
    return cuda().own->enqueue(stream, reinterpret_cast<cudaError_t (*)(void*)>(run), nullptr, data) == cudaSuccess;
  return cuda().launch_host != nullptr && cuda().launch_host(stream, call, data) == 0;
}

void call_here(const std::function<void()>& work) {
  if (cuda().own == nullptr) return work();
  struct Call {
    const std::function<void()>& work;
    std::exception_ptr failure;
  } call{work, nullptr};
  const auto run = [](void* given) {
    auto& own = *static_cast<Call*>(given);
    try {
      own.work();
    } catch (...) {
      own.failure = std::current_exception();
    }
    return cudaSuccess;
  };
  if (const cudaError_t error = cuda().own->execute(run, &call); error != cudaSuccess)
    throw Error(Code::invalid_state, "the CUDA runtime refuses to run in this thread, error " + std::to_string(error));
  if (call.failure) std::rethrow_exception(call.failure);
}

void wait_for_stream(cudaStream_t stream) noexcept {
  if (cuda().synchronize != nullptr) cuda().synchronize(stream);
}

void record_event(cudaEvent_t event, cudaStream_t stream) noexcept {
  if (event != nullptr && cuda().record != nullptr) cuda().record(event, stream);
}

int current_gpu() noexcept {
  if (cuda().own != nullptr && cuda().own->on_cuda() == 0) return -1;
  int gpu = 0;
  if (cuda().current == nullptr) return planish_device_is_there("cuda") != 0 ? 0 : -1;
  return cuda().current(&gpu) == 0 && planish_device_is_there("cuda") != 0 ? gpu : -1;
}

bool is_capturing(cudaStream_t stream) noexcept {
  int status = 0;
  return stream != nullptr && cuda().capturing != nullptr && cuda().capturing(stream, &status) == 0 && status != 0;
}

}  // namespace planish::tensorrt
