#pragma once
// Streams, events, graphs and memory of the CUDA runtime, owned.

#include <cuda_runtime_api.h>

#include <utility>

#include "trtexec/logger.h"

namespace planish::trtexec {

inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) fail("{}: {}", what, cudaGetErrorString(status));
}

template <class Handle, cudaError_t (*release)(Handle)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  ~Owned() {
    if (handle_ != nullptr) release(handle_);
  }
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};
using Stream = Owned<cudaStream_t, cudaStreamDestroy>;
using Event = Owned<cudaEvent_t, cudaEventDestroy>;
using GraphExec = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;
using DeviceMemory = Owned<void*, cudaFree>;
using HostMemory = Owned<void*, cudaFreeHost>;

inline Stream make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
  return Stream(stream);
}
inline Event make_event(bool spin) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, spin ? cudaEventDefault : cudaEventBlockingSync), "an event");
  return Event(event);
}
inline DeviceMemory device_memory(size_t bytes, bool managed = false) {
  void* memory = nullptr;
  const size_t some = bytes > 0 ? bytes : 1;
  if ((managed ? cudaMallocManaged(&memory, some) : cudaMalloc(&memory, some)) != cudaSuccess)
    fail("{} bytes of device memory are not to be had", bytes);
  return DeviceMemory(memory);
}
inline HostMemory host_memory(size_t bytes) {
  void* memory = nullptr;
  if (cudaMallocHost(&memory, bytes > 0 ? bytes : 1) != cudaSuccess)
    fail("{} bytes of host memory are not to be had", bytes);
  return HostMemory(memory);
}

}  // namespace planish::trtexec
