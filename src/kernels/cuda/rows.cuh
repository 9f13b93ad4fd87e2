#pragma once
// Sums and maxima of a block's threads, for kernels that give each row a block of kThreads.

#include "view.cuh"

constexpr int kThreads = 256;

struct Plus {
  __device__ static float of(float a, float b) { return a + b; }
};
struct Times {
  __device__ static float of(float a, float b) { return a * b; }
};
// NaN is passed on.
struct Larger {
  __device__ static float of(float a, float b) { return a > b || a != a ? a : b; }
};
struct Smaller {
  __device__ static float of(float a, float b) { return a < b || a != a ? a : b; }
};

// Where row `row` along axis kAxis begins in x and in y, in elements. y has the same axes, kAxis too if `kKeep`.
struct RowBegin {
  int64_t x = 0, y = 0;
};
template <int kRank, int kAxis, bool kKeep>
__device__ inline RowBegin row_begin(const View& x, const View& y, uint32_t row) {
  RowBegin begin;
#pragma unroll
  for (int i = kRank - 1; i >= 0; --i) {
    if (i == kAxis) continue;
    const uint32_t extent = static_cast<uint32_t>(x.dims[i]), index = row % extent;
    row /= extent;
    begin.x += index * x.strides[i];
    begin.y += index * y.strides[kKeep || i < kAxis ? i : i - 1];
  }
  return begin;
}

// Of all threads, in all threads; the order does not depend on anything but kThreads.
template <class How>
__device__ inline float over_block(float value) {
  __shared__ float parts[kThreads / 32];
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value = How::of(value, __shfl_xor_sync(0xffffffffu, value, step));
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = parts[0];
#pragma unroll
  for (int i = 1; i < kThreads / 32; ++i) value = How::of(value, parts[i]);
  return value;
}
