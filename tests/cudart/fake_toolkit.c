/* The toolkit's library, for a test: it answers in ways that only it would. */
#include "cuda_runtime_api.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
EXPORT cudaError_t cudaMalloc(void** memory, size_t bytes) {
  *memory = (void*)bytes;
  return cudaErrorTextureNotBound;
}
EXPORT cudaError_t cudaGetDeviceCount(int* count) {
  *count = 17;
  return cudaSuccess;
}
EXPORT cudaError_t cudaDeviceGetAttribute(int* value, enum cudaDeviceAttr attribute, int device) {
  *value = 1000 + (int)attribute;
  return device < 17 ? cudaSuccess : cudaErrorInvalidDevice;
}
EXPORT cudaError_t cudaMemPrefetchAsync(const void* memory, size_t bytes, int device, cudaStream_t stream) {
  (void)memory, (void)bytes, (void)device, (void)stream;
  return cudaSuccess; /* of version 13: other arguments, so it must not be called */
}
EXPORT cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* user) {
  (void)stream;
  fn(user);
  return cudaSuccess;
}
EXPORT cudaError_t cudaGetLastError(void) { return cudaErrorInvalidSurface; }
