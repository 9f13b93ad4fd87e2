#pragma once
// exp(x - max) / sum along AXIS, or x - max - log(sum): a block a row, or (SERIAL) a thread. Macros: RANK, AXIS, TYPE_X, TYPE_Y,
// LOGARITHM, SERIAL.
// instance: RANK=2 AXIS=1 TYPE_X=float TYPE_Y=float LOGARITHM=0 SERIAL=0
// instance: RANK=4 AXIS=1 TYPE_X=half_t TYPE_Y=half_t LOGARITHM=1 SERIAL=1

#include "rows.cuh"

template <class How>
__device__ inline float over_row(float value) {
#if SERIAL
  return value;
#else
  return over_block<How>(value);
#endif
}

extern "C" __global__ void __launch_bounds__(kThreads)
    softmax(const __grid_constant__ View x, const __grid_constant__ View y, int64_t rows EXTRA_PARAMETERS) {
  wait_for_previous();
  constexpr int step_of_threads = SERIAL ? 1 : kThreads;
  int at[RANK];
  uint32_t flat = SERIAL ? blockIdx.x * kThreads + threadIdx.x : blockIdx.x;
  if (flat >= rows) return;
#pragma unroll
  for (int i = RANK - 1; i >= 0; --i) {
    at[i] = 0;
    if (i == AXIS) continue;
    at[i] = flat % static_cast<uint32_t>(y.dims[i]);
    flat /= static_cast<uint32_t>(y.dims[i]);
  }
  const int64_t from = offset_of(x, at), step = x.strides[AXIS];
  const int extent = static_cast<int>(x.dims[AXIS]), first = SERIAL ? 0 : threadIdx.x;
  float largest = __int_as_float(0xff800000);
  for (int i = first; i < extent; i += step_of_threads)
    largest = fmaxf(largest, load<TYPE_X, float>(x.data, from + i * step));
  largest = over_row<Larger>(largest);
  float sum = 0;
  for (int i = first; i < extent; i += step_of_threads)
    sum += expf(load<TYPE_X, float>(x.data, from + i * step) - largest);
  sum = over_row<Plus>(sum);
  for (int i = first; i < extent; i += step_of_threads) {
    const float shifted = load<TYPE_X, float>(x.data, from + i * step) - largest;
    at[AXIS] = i;
    const float value = LOGARITHM ? shifted - logf(sum) : expf(shifted) / sum;
    store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(value, at EXTRA_ARGUMENTS));
  }
}
