// The toolkit's CUDA runtime over the fake driver, as far as the tests' programs call it: the primary context, always.

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

extern "C" {
int cuDeviceGetCount(int* count);
int cuDevicePrimaryCtxRetain(void** context, int device);
int cuCtxPushCurrent_v2(void* context);
int cuCtxPopCurrent_v2(void** context);
int cuCtxSynchronize();
int cuMemAlloc_v2(uint64_t* address, size_t bytes);
int cuMemFree_v2(uint64_t address);
int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void* stream);
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void* stream);
int cuStreamCreate(void** stream, unsigned flags);
int cuStreamDestroy_v2(void* stream);
int cuStreamSynchronize(void* stream);
int cuStreamIsCapturing(void* stream, int* state);
}

namespace {

int& chosen() {
  thread_local int device = 0;
  return device;
}

// Calls the driver in the primary context of the current device.
template <class Call>
cudaError_t on_device(Call call) {
  void *context = nullptr, *popped = nullptr;
  cuDevicePrimaryCtxRetain(&context, chosen());
  cuCtxPushCurrent_v2(context);
  const int result = call();
  cuCtxPopCurrent_v2(&popped);
  return static_cast<cudaError_t>(result);
}

uint64_t address(const void* memory) { return reinterpret_cast<uint64_t>(memory); }

}  // namespace

extern "C" {

cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return static_cast<cudaError_t>(cuDeviceGetCount(count)); }
cudaError_t cudaGetDevice(int* device) { return *device = chosen(), cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return chosen() = device, cudaSuccess; }
cudaError_t cudaDeviceSynchronize() {
  return on_device([] { return cuCtxSynchronize(); });
}
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return on_device([&] { return cuMemAlloc_v2(reinterpret_cast<uint64_t*>(memory), bytes); });
}
cudaError_t cudaFree(void* memory) {
  return on_device([&] { return memory == nullptr ? 0 : cuMemFree_v2(address(memory)); });
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, enum cudaMemcpyKind, cudaStream_t stream) {
  return on_device([&] { return cuMemcpyAsync(address(to), address(from), bytes, stream); });
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return on_device([&] { return cuMemsetD8Async(address(to), static_cast<unsigned char>(value), bytes, stream); });
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return on_device([&] { return cuStreamCreate(reinterpret_cast<void**>(stream), 0); });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return on_device([&] { return cuStreamDestroy_v2(stream); });
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return on_device([&] { return cuStreamSynchronize(stream); });
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus* status) {
  int state = 0;
  const cudaError_t error = on_device([&] { return cuStreamIsCapturing(stream, &state); });
  *status = static_cast<enum cudaStreamCaptureStatus>(state);
  return error;
}

}  // extern "C"
