#include "tensorrt/runtime/cuda.h"

#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
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

// The CUDA runtime of this process: linked by the program (RTLD_DEFAULT, which may be null), or loaded by itself, as
// Python's ctypes does.
std::optional<void*> runtime_library() {
  if (dlsym(RTLD_DEFAULT, "cudaLaunchHostFunc") != nullptr) return RTLD_DEFAULT;
  for (const char* name : {"libcudart.so.12", "libcudart.so.13", "libcudart.so.11.0", "libcudart.so"})
    if (void* library = dlopen(name, RTLD_LAZY | RTLD_NOLOAD)) return library;
  return std::nullopt;
}

// How many libraries this process has loaded so far.
unsigned long long libraries_loaded() {
  unsigned long long count = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* result) {
        *static_cast<unsigned long long*>(result) = info->dlpi_adds;
        return 1;
      },
      &count);
  return count;
}

template <class Function>
void look_up(void* library, Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(library, name));
}

// Found once. Until then it is looked for again when libraries were loaded: a program may bring the runtime late.
const CudaFunctions& cuda() {
  static std::atomic<const CudaFunctions*> kept{nullptr};
  if (const CudaFunctions* functions = kept.load(std::memory_order_acquire)) return *functions;
  static const CudaFunctions none{};
  static std::mutex mutex;
  static CudaFunctions found{};
  static unsigned long long seen = 0;
  const std::lock_guard lock(mutex);
  const unsigned long long loaded = libraries_loaded();
  if (loaded == seen) return none;
  seen = loaded;
  const std::optional<void*> library = runtime_library();
  if (!library) return none;
  found.own = planish_cudart_find_in(*library);
  look_up(*library, found.launch_host, "cudaLaunchHostFunc");
  look_up(*library, found.synchronize, "cudaStreamSynchronize");
  look_up(*library, found.record, "cudaEventRecord");
  look_up(*library, found.capturing, "cudaStreamIsCapturing");
  look_up(*library, found.current, "cudaGetDevice");
  kept.store(&found, std::memory_order_release);
  return found;
}

Placed placed(int error) {
  return error == cudaSuccess                      ? Placed::placed
         : error == cudaErrorInvalidResourceHandle ? Placed::no_stream
                                                   : Placed::refused;
}

}  // namespace

// A toolkit's runtime that refuses for another reason than the stream has no device.
Placed streams::call_in_stream(cudaStream_t stream, int (*run)(void*), void (*call)(void*), void* data) noexcept {
  if (cuda().own != nullptr)
    return placed(cuda().own->enqueue(stream, reinterpret_cast<cudaError_t (*)(void*)>(run), nullptr, data));
  const Placed answer =
      cuda().launch_host == nullptr ? Placed::nowhere : placed(cuda().launch_host(stream, call, data));
  return answer == Placed::refused ? Placed::nowhere : answer;
}

Placed streams::call_once(cudaStream_t stream, int (*run)(void*), void (*call)(void*), void* data) noexcept {
  const planish_cudart* own = cuda().own;
  if (own != nullptr && own->struct_size > offsetof(planish_cudart, enqueue_once)) {
    const cudaError_t error = own->enqueue_once(stream, reinterpret_cast<cudaError_t (*)(void*)>(run), data);
    if (error != cudaErrorNotSupported) return placed(error);
  }
  if (is_capturing(stream)) return Placed::captured;
  return call_in_stream(stream, run, call, data);
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

bool wait_for_stream(cudaStream_t stream) noexcept {
  return cuda().synchronize == nullptr || cuda().synchronize(stream) != cudaErrorInvalidResourceHandle;
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
