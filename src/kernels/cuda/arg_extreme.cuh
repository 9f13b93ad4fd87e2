#pragma once
// The position of the largest (or smallest) element along AXIS, a block a row: the first of equal ones, or the last. A NaN
// in front is the extreme, any other counts for nothing. Macros: RANK, AXIS, KEEP (the axis stays with extent 1), TYPE, REAL
// (what is compared), LARGEST, LAST.
// instance: RANK=2 AXIS=1 KEEP=1 TYPE=float REAL=float LARGEST=1 LAST=0
// instance: RANK=4 AXIS=1 KEEP=0 TYPE=half_t REAL=float LARGEST=0 LAST=1

#include "rows.cuh"

struct Extreme {
  REAL value;
  int at;  // -1: nothing yet
};

__device__ inline Extreme better(Extreme a, Extreme b) {
  if (a.at < 0 || b.at < 0) return a.at < 0 ? b : a;
  if (a.value == b.value) return (a.at < b.at) == (LAST == 0) ? a : b;
  return (LARGEST ? a.value > b.value : a.value < b.value) ? a : b;
}

extern "C" __global__ void __launch_bounds__(kThreads)
    arg_extreme(const __grid_constant__ View x, const __grid_constant__ View y) {
  wait_for_previous();
  __shared__ Extreme parts[kThreads];
  const RowBegin row = row_begin<RANK, AXIS, KEEP>(x, y, blockIdx.x);
  const int extent = static_cast<int>(x.dims[AXIS]);
  Extreme best{REAL{}, -1};
  for (int i = threadIdx.x; i < extent; i += kThreads) {
    const REAL value = load<TYPE, REAL>(x.data, row.x + i * x.strides[AXIS]);
    if (value == value) best = better(best, {value, i});
  }
  parts[threadIdx.x] = best;
  for (int reach = kThreads / 2; reach > 0; reach /= 2) {
    __syncthreads();
    if (threadIdx.x < reach) parts[threadIdx.x] = better(parts[threadIdx.x], parts[threadIdx.x + reach]);
  }
  if (threadIdx.x != 0) return;
  const REAL first = load<TYPE, REAL>(x.data, row.x);
  static_cast<int64_t*>(y.data)[row.y] = first != first || parts[0].at < 0 ? 0 : parts[0].at;
}
