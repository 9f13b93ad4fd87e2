// Device code. The processor has none that it could run: what asks about a kernel, launches one or names a variable of
// the device is refused. Libraries that nvcc compiled register their code when they are loaded; that is accepted, so
// that they load and their host code runs.

#include "cudart/call.h"
#include "cudart/stream.h"

using namespace planish::cudart;

#define PLANISH_REFUSE(error, name, ...) \
  PLANISH_FORWARD(name, __VA_ARGS__);    \
  return refuse(error)

namespace {

struct LaunchConfiguration {
  dim3 grid, block;
  size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
};
LaunchConfiguration& pushed_configuration() {
  thread_local LaunchConfiguration configuration;
  return configuration;
}

template <class F>
F* registering(const char* name) {
  return on_cuda() ? reinterpret_cast<F*>(real_symbol(name)) : nullptr;
}

}  // namespace

extern "C" {

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes* attributes, const void* kernel) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaFuncGetAttributes, attributes, kernel);
}
cudaError_t cudaFuncSetAttribute(const void* kernel, enum cudaFuncAttribute attribute, int value) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaFuncSetAttribute, kernel, attribute, value);
}
cudaError_t cudaFuncSetCacheConfig(const void* kernel, enum cudaFuncCache config) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaFuncSetCacheConfig, kernel, config);
}
cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments, size_t shared_bytes,
                             cudaStream_t stream) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaLaunchKernel, kernel, grid, block, arguments, shared_bytes,
                 stream);
}
cudaError_t cudaLaunchCooperativeKernel(const void* kernel, dim3 grid, dim3 block, void** arguments,
                                        size_t shared_bytes, cudaStream_t stream) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaLaunchCooperativeKernel, kernel, grid, block, arguments,
                 shared_bytes, stream);
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int block_size,
                                                          size_t shared_bytes) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaOccupancyMaxActiveBlocksPerMultiprocessor, blocks, kernel,
                 block_size, shared_bytes);
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* kernel, int block_size,
                                                                   size_t shared_bytes, unsigned int flags) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags, blocks,
                 kernel, block_size, shared_bytes, flags);
}
cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, const void* kernel, int blocks, int block_size) {
  PLANISH_REFUSE(cudaErrorNoKernelImageForDevice, cudaOccupancyAvailableDynamicSMemPerBlock, bytes, kernel, blocks,
                 block_size);
}
cudaError_t cudaGetSymbolAddress(void** address, const void* symbol) {
  PLANISH_REFUSE(cudaErrorInvalidSymbol, cudaGetSymbolAddress, address, symbol);
}
cudaError_t cudaGetSymbolSize(size_t* bytes, const void* symbol) {
  PLANISH_REFUSE(cudaErrorInvalidSymbol, cudaGetSymbolSize, bytes, symbol);
}
cudaError_t cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset,
                               enum cudaMemcpyKind kind) {
  PLANISH_REFUSE(cudaErrorInvalidSymbol, cudaMemcpyToSymbol, symbol, from, bytes, offset, kind);
}
cudaError_t cudaMemcpyFromSymbol(void* to, const void* symbol, size_t bytes, size_t offset, enum cudaMemcpyKind kind) {
  PLANISH_REFUSE(cudaErrorInvalidSymbol, cudaMemcpyFromSymbol, to, symbol, bytes, offset, kind);
}
cudaError_t cudaMemcpyToSymbolAsync(const void* symbol, const void* from, size_t bytes, size_t offset,
                                    enum cudaMemcpyKind kind, cudaStream_t stream) {
  PLANISH_REFUSE(cudaErrorInvalidSymbol, cudaMemcpyToSymbolAsync, symbol, from, bytes, offset, kind, stream);
}
cudaError_t cudaMemcpyFromSymbolAsync(void* to, const void* symbol, size_t bytes, size_t offset,
                                      enum cudaMemcpyKind kind, cudaStream_t stream) {
  PLANISH_REFUSE(cudaErrorInvalidSymbol, cudaMemcpyFromSymbolAsync, to, symbol, bytes, offset, kind, stream);
}

// What code compiled by nvcc calls by itself.
void** __cudaRegisterFatBinary(void* binary) {
  static void* none = nullptr;
  const auto real = registering<void**(void*)>("__cudaRegisterFatBinary");
  return real != nullptr ? real(binary) : &none;
}
void __cudaRegisterFatBinaryEnd(void** handle) {
  if (const auto real = registering<void(void**)>("__cudaRegisterFatBinaryEnd")) real(handle);
}
void __cudaUnregisterFatBinary(void** handle) {
  if (const auto real = registering<void(void**)>("__cudaUnregisterFatBinary")) real(handle);
}
void __cudaRegisterFunction(void** handle, const char* host, char* device, const char* name, int threads, uint3* thread,
                            uint3* block, dim3* block_size, dim3* grid_size, int* warp) {
  using Register = void(void**, const char*, char*, const char*, int, uint3*, uint3*, dim3*, dim3*, int*);
  if (const auto real = registering<Register>("__cudaRegisterFunction"))
    real(handle, host, device, name, threads, thread, block, block_size, grid_size, warp);
}
void __cudaRegisterVar(void** handle, char* host, char* device, const char* name, int external, size_t bytes,
                       int constant, int global) {
  using Register = void(void**, char*, char*, const char*, int, size_t, int, int);
  if (const auto real = registering<Register>("__cudaRegisterVar"))
    real(handle, host, device, name, external, bytes, constant, global);
}
char __cudaInitModule(void** handle) {
  const auto real = registering<char(void**)>("__cudaInitModule");
  return real != nullptr ? real(handle) : '\1';
}
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream) {
  using Push = unsigned(dim3, dim3, size_t, cudaStream_t);
  if (const auto real = registering<Push>("__cudaPushCallConfiguration"))
    return real(grid, block, shared_bytes, stream);
  pushed_configuration() = {grid, block, shared_bytes, stream};
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared_bytes, void* stream) {
  using Pop = cudaError_t(dim3*, dim3*, size_t*, void*);
  if (const auto real = registering<Pop>("__cudaPopCallConfiguration")) return real(grid, block, shared_bytes, stream);
  const LaunchConfiguration& last = pushed_configuration();
  *grid = last.grid, *block = last.block, *shared_bytes = last.shared_bytes;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  return cudaSuccess;
}

}  // extern "C"
