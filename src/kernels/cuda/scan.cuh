#pragma once
// Running sums or products along AXIS, a block a row. Macros: RANK, AXIS, TYPE, REAL (what is computed in), PRODUCTS, EXCLUSIVE
// (without the element itself), REVERSE (from the end).
// instance: RANK=2 AXIS=1 TYPE=float REAL=float PRODUCTS=0 EXCLUSIVE=0 REVERSE=0
// instance: RANK=3 AXIS=0 TYPE=int32_t REAL=int64_t PRODUCTS=1 EXCLUSIVE=1 REVERSE=1

#include "rows.cuh"

__device__ inline REAL joined(REAL a, REAL b) { return PRODUCTS ? a * b : a + b; }

extern "C" __global__ void __launch_bounds__(kThreads)
    scan(const __grid_constant__ View x, const __grid_constant__ View y) {
  wait_for_previous();
  __shared__ REAL parts[kThreads];
  const RowBegin row = row_begin<RANK, AXIS, true>(x, y, blockIdx.x);
  const int extent = static_cast<int>(x.dims[AXIS]), thread = threadIdx.x;
  REAL before = PRODUCTS ? 1 : 0;  // of the elements in front of the block's
  for (int begin = 0; begin < extent; begin += kThreads) {
    const int step = begin + thread, place = REVERSE ? extent - 1 - step : step;
    parts[thread] = step < extent ? load<TYPE, REAL>(x.data, row.x + place * x.strides[AXIS]) : REAL(PRODUCTS ? 1 : 0);
    __syncthreads();
    for (int reach = 1; reach < kThreads; reach *= 2) {
      const REAL sum = thread >= reach ? joined(parts[thread - reach], parts[thread]) : parts[thread];
      __syncthreads();
      parts[thread] = sum;
      __syncthreads();
    }
    const REAL last = thread == 0 ? REAL(PRODUCTS ? 1 : 0) : parts[thread - 1];
    const REAL value = joined(before, EXCLUSIVE ? last : parts[thread]);
    if (step < extent) store<TYPE, REAL>(y.data, row.y + place * y.strides[AXIS], value);
    before = joined(before, parts[kThreads - 1]);
    __syncthreads();
  }
}
