// The way in for the TensorRT libraries: planish_cudart.h.

#include "cudart/call.h"
#include "cudart/graph.h"
#include "cudart/memory.h"
#include "cudart/planish_cudart.h"
#include "cudart/stream.h"

using namespace planish::cudart;

namespace {

using Run = cudaError_t (*)(void*);
using Release = void (*)(void*);

struct ForeignWork {
  ForeignWork(Run run, Release release, void* user) : run(run), release(release), user(user) {}
  ~ForeignWork() {
    if (release != nullptr) release(user);
  }
  ForeignWork(const ForeignWork&) = delete;
  ForeignWork& operator=(const ForeignWork&) = delete;

  cudaError_t operator()() {
    started = true;
    return run(user);
  }

  const Run run;
  Release release;
  void* const user;
  std::atomic<bool> started{false};
};

// On a GPU the driver calls it; it must not call CUDA then.
void run_and_release(void* user) {
  const std::unique_ptr<ForeignWork> work(static_cast<ForeignWork*>(user));
  (*work)();
}

cudaError_t enqueue_on_cuda(cudaStream_t stream, Run run, Release release, void* user) {
  auto work = std::make_unique<ForeignWork>(run, release, user);
  const cudaError_t error = cudaLaunchHostFunc(stream, run_and_release, work.get());
  if (error != cudaSuccess) work->release = nullptr;
  if (error == cudaSuccess) static_cast<void>(work.release());
  return error;
}

cudaError_t enqueue_work(cudaStream_t handle, Run run, Release release, void* user) {
  if (run == nullptr) return cudaErrorInvalidValue;
  if (on_cuda()) return enqueue_on_cuda(handle, run, release, user);
  return call([&] {
    const auto stream = streams().find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const auto work = std::make_shared<ForeignWork>(run, release, user);
    const cudaError_t error = enqueue(handle, cudaGraphNodeTypeHost, [work, own = stream.get()] {
      const Enter enter({own, true, false});
      return (*work)();
    });
    if (error != cudaSuccess && !work->started) work->release = nullptr;
    return error;
  });
}

cudaError_t enqueue_once(cudaStream_t handle, Run run, void* user) {
  if (run == nullptr) return cudaErrorInvalidValue;
  if (on_cuda()) return cudaErrorNotSupported;
  bool captured = false;
  const cudaError_t error = call([&] {
    if (inside().callback) return cudaErrorNotPermitted;
    if (is_inside(handle)) return run(user);
    const auto stream = streams().find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    captured = stream->is_captured();
    if (captured) return cudaSuccess;
    if (const cudaError_t refused = is_default(handle) ? refuse_implicit_capture() : cudaSuccess) return refused;
    stream->push(run, user);
    return cudaSuccess;
  });
  return captured ? cudaErrorNotSupported : error;
}

cudaError_t execute_work(Run run, void* user) {
  if (run == nullptr) return cudaErrorInvalidValue;
  if (on_cuda()) {
    const cudaError_t error = cudaDeviceSynchronize();
    return error != cudaSuccess ? error : run(user);
  }
  return call([&] {
    return run_synchronously([&] {
      const Enter enter({inside().stream, true, false});
      return run(user);
    });
  });
}

size_t extent(const void* pointer) {
  const auto block = memory().find(pointer);
  return block ? block->bytes_from(pointer) : 0;
}

}  // namespace

extern "C" const planish_cudart* planish_cudart_interface() {
  static const planish_cudart functions{
      sizeof(planish_cudart), [] { return on_cuda() ? 1 : 0; }, enqueue_work, execute_work, extent, enqueue_once};
  return &functions;
}
