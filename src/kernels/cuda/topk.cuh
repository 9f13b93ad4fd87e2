#pragma once
// The best K along AXIS and their positions, the best first; of equal ones the first, and NaN is above every number. Each
// thread counts what comes before its own element: no sorting, and a row is read once a block.
// Macros: RANK, AXIS, TYPE, REAL (what is compared), LARGEST, VALUES, INDICES (whether each result is wanted).
// Grid: (ceil(extent / 256), rows).
// instance: RANK=2 AXIS=1 TYPE=float REAL=float LARGEST=1 VALUES=1 INDICES=1
// instance: RANK=3 AXIS=1 TYPE=int64_t REAL=int64_t LARGEST=0 VALUES=0 INDICES=1

#include "view.cuh"

__device__ inline bool is_above(REAL a, REAL b) { return a > b || (a != a && b == b); }
__device__ inline bool comes_before(REAL a, int at_a, REAL b, int at_b) {
  const bool above = is_above(a, b), below = is_above(b, a);
  return above || below ? above == (LARGEST != 0) : at_a < at_b;
}

extern "C" __global__ void __launch_bounds__(256)
    topk(const __grid_constant__ View x,
#if VALUES
         const __grid_constant__ View values,
#endif
#if INDICES
         const __grid_constant__ View indices,
#endif
         int count) {
  wait_for_previous();
  __shared__ REAL part[256];
  int at[RANK];
  uint32_t row = blockIdx.y;
#pragma unroll
  for (int i = RANK - 1; i >= 0; --i) {
    at[i] = 0;
    if (i == AXIS) continue;
    at[i] = row % static_cast<uint32_t>(x.dims[i]);
    row /= static_cast<uint32_t>(x.dims[i]);
  }
  const int64_t from = offset_of(x, at), step = x.strides[AXIS];
  const int extent = static_cast<int>(x.dims[AXIS]), own = blockIdx.x * 256 + threadIdx.x;
  const REAL mine = own < extent ? load<TYPE, REAL>(x.data, from + own * step) : REAL{};
  int rank = 0;
  for (int begin = 0; begin < extent; begin += 256) {
    const int here = begin + static_cast<int>(threadIdx.x);
    __syncthreads();
    if (here < extent) part[threadIdx.x] = load<TYPE, REAL>(x.data, from + here * step);
    __syncthreads();
    const int end = min(256, extent - begin);
    for (int i = 0; i < end; ++i) rank += comes_before(part[i], begin + i, mine, own) ? 1 : 0;
  }
  if (own >= extent || rank >= count) return;
  at[AXIS] = rank;
#if VALUES
  store<TYPE, REAL>(values.data, offset_of(values, at), mine);
#endif
#if INDICES
  static_cast<int64_t*>(indices.data)[offset_of(indices, at)] = own;
#endif
}
