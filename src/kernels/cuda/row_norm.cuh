#pragma once
// (x - mean) / sqrt(variance + epsilon) * scale + bias over the axes from AXIS on; CENTRED = 0: the mean counts as 0.
// A block a row. scale and bias come spread over x. Macros: RANK, AXIS, TYPE_X, TYPE_S (scale), TYPE_Y, CENTRED, HAS_BIAS.
// instance: RANK=3 AXIS=2 TYPE_X=float TYPE_S=float TYPE_Y=float CENTRED=1 HAS_BIAS=1
// instance: RANK=3 AXIS=2 TYPE_X=half_t TYPE_S=float TYPE_Y=half_t CENTRED=0 HAS_BIAS=0

#include "rows.cuh"

__device__ inline void place(uint32_t row, uint32_t element, const View& shape, int (&at)[RANK]) {
#pragma unroll
  for (int i = RANK - 1; i >= 0; --i) {
    uint32_t& flat = i >= AXIS ? element : row;
    at[i] = flat % static_cast<uint32_t>(shape.dims[i]);
    flat /= static_cast<uint32_t>(shape.dims[i]);
  }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    row_norm(const __grid_constant__ View x, const __grid_constant__ View scale,
#if HAS_BIAS
             const __grid_constant__ View bias,
#endif
             const __grid_constant__ View y, float epsilon EXTRA_PARAMETERS) {
  wait_for_previous();
  int at[RANK];
  int extent = 1;
#pragma unroll
  for (int i = AXIS; i < RANK; ++i) extent *= static_cast<int>(x.dims[i]);
  float mean = 0;
  if (CENTRED) {
    for (int i = threadIdx.x; i < extent; i += kThreads) {
      place(blockIdx.x, i, x, at);
      mean += load_at<TYPE_X, float>(x, at);
    }
    mean = over_block<Plus>(mean) / extent;
  }
  float squares = 0;
  for (int i = threadIdx.x; i < extent; i += kThreads) {
    place(blockIdx.x, i, x, at);
    const float apart = load_at<TYPE_X, float>(x, at) - mean;
    squares = fmaf(apart, apart, squares);
  }
  const float inverse = 1.0f / sqrtf(over_block<Plus>(squares) / extent + epsilon);
  for (int i = threadIdx.x; i < extent; i += kThreads) {
    place(blockIdx.x, i, x, at);
    float value = (load_at<TYPE_X, float>(x, at) - mean) * inverse * load_at<TYPE_S, float>(scale, at);
#if HAS_BIAS
    value += load_at<TYPE_S, float>(bias, at);
#endif
    store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(value, at EXTRA_ARGUMENTS));
  }
}
