#include "compute.h"

namespace {

__global__ void hswish_kernel(const float* x, float* y, size_t count) {
  const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    y[i] = x[i] * fminf(fmaxf(x[i] + 3, 0.0F), 6.0F) / 6;
}

}  // namespace

int hswish(const float* x, float* y, size_t count, cudaStream_t stream) {
  constexpr size_t kThreads = 256, kMostBlocks = 4096;
  const size_t blocks = (count + kThreads - 1) / kThreads;
  if (count > 0)
    hswish_kernel<<<static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks), kThreads, 0, stream>>>(x, y,
                                                                                                               count);
  return static_cast<int>(cudaGetLastError());
}
