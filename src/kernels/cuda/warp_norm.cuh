#pragma once
// (x - mean) / sqrt(variance + epsilon) * scale + bias of rows of EXTENT adjacent elements; CENTRED = 0: the mean counts as 0.
// A warp a row, which stays in registers. All operands begin at multiples of 16 bytes, and rows are whole 16 bytes.
// Macros: TYPE_X, TYPE_S (scale and bias), TYPE_Y, EXTENT, CENTRED, HAS_BIAS.
// instance: TYPE_X=half_t TYPE_S=half_t TYPE_Y=half_t EXTENT=768 CENTRED=1 HAS_BIAS=1
// instance: TYPE_X=float TYPE_S=float TYPE_Y=float EXTENT=2048 CENTRED=0 HAS_BIAS=0

#include "ptx.cuh"

constexpr int kRun = 16 / sizeof(TYPE_X), kRuns = (EXTENT + 32 * kRun - 1) / (32 * kRun), kWarps = 4;

__device__ inline float over_warp(float value) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

extern "C" __global__ void __launch_bounds__(32 * kWarps)
    warp_norm(const TYPE_X* x, const TYPE_S* scale,
#if HAS_BIAS
              const TYPE_S* bias,
#endif
              TYPE_Y* y, float epsilon, int rows, int x_pitch, int y_pitch) {
  grid_wait();
  grid_release();
  const int row = blockIdx.x * kWarps + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (row >= rows) return;
  float values[kRuns][kRun];
  float sum = 0, squares = 0;
#pragma unroll
  for (int i = 0; i < kRuns; ++i) {
    const int at = (i * 32 + lane) * kRun;
    if (at < EXTENT) load_run<TYPE_X, kRun>(values[i], x + static_cast<int64_t>(row) * x_pitch + at);
#pragma unroll
    for (int e = 0; e < kRun; ++e) {
      if (at >= EXTENT) values[i][e] = 0;
      sum += values[i][e];
    }
  }
  const float mean = CENTRED ? over_warp(sum) / EXTENT : 0.0f;
#pragma unroll
  for (int i = 0; i < kRuns; ++i)
#pragma unroll
    for (int e = 0; e < kRun; ++e) {
      values[i][e] -= mean;
      if ((i * 32 + lane) * kRun < EXTENT) squares = fmaf(values[i][e], values[i][e], squares);
    }
  const float inverse = 1.0f / sqrtf(over_warp(squares) / EXTENT + epsilon);
#pragma unroll
  for (int i = 0; i < kRuns; ++i) {
    const int at = (i * 32 + lane) * kRun;
    if (at >= EXTENT) continue;
    float factors[kRun];
    load_run<TYPE_S, kRun>(factors, scale + at);
#pragma unroll
    for (int e = 0; e < kRun; ++e) values[i][e] *= inverse * factors[e];
#if HAS_BIAS
    load_run<TYPE_S, kRun>(factors, bias + at);
#pragma unroll
    for (int e = 0; e < kRun; ++e) values[i][e] += factors[e];
#endif
    store_run<TYPE_Y, kRun>(y + static_cast<int64_t>(row) * y_pitch + at, values[i]);
  }
}
