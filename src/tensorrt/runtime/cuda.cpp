#include "tensorrt/runtime/cuda.h"

#include <dlfcn.h>

namespace planish::tensorrt {
namespace {

struct CudaFunctions {
  int (*launch_host)(cudaStream_t, void (*)(void*), void*);
  int (*synchronize)(cudaStream_t);
  int (*record)(cudaEvent_t, cudaStream_t);
  int (*capturing)(cudaStream_t, int*);
};

template <class Function>
void look_up(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

const CudaFunctions& cuda() {
  static const CudaFunctions functions = [] {
    CudaFunctions found{};
    look_up(found.launch_host, "cudaLaunchHostFunc");
    look_up(found.synchronize, "cudaStreamSynchronize");
    look_up(found.record, "cudaEventRecord");
    look_up(found.capturing, "cudaStreamIsCapturing");
    return found;
  }();
  return functions;
}

}  // namespace

bool call_in_stream(cudaStream_t stream, void (*work)(void*), void* data) noexcept {
  return cuda().launch_host != nullptr && cuda().launch_host(stream, work, data) == 0;
}

void wait_for_stream(cudaStream_t stream) noexcept {
  if (cuda().synchronize != nullptr) cuda().synchronize(stream);
}

void record_event(cudaEvent_t event, cudaStream_t stream) noexcept {
  if (event != nullptr && cuda().record != nullptr) cuda().record(event, stream);
}

bool is_capturing(cudaStream_t stream) noexcept {
  int status = 0;
  return stream != nullptr && cuda().capturing != nullptr && cuda().capturing(stream, &status) == 0 && status != 0;
}

}  // namespace planish::tensorrt
