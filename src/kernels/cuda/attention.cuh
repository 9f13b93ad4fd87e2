#pragma once
// y[m, :] = sum over n of softmax over n (scale * (q[m, :] . k[:, n]) + masks[m, n]) * v[n, :]: a block a row, its scores
// in shared memory. What faster kernels fall back to.
// Macros: RANK_Q, RANK_K, RANK_V, RANK_Y, RANK_M0, RANK_M1 (-1: no mask), TYPE (of all operands), ROWS_FIRST.
// instance: RANK_Q=4 RANK_K=4 RANK_V=4 RANK_Y=4 RANK_M0=-1 RANK_M1=-1 TYPE=float ROWS_FIRST=0
// instance: RANK_Q=4 RANK_K=4 RANK_V=3 RANK_Y=4 RANK_M0=4 RANK_M1=2 TYPE=half_t ROWS_FIRST=1

#include "rows.cuh"

// `at`: a position of [.., H, M, N].
template <int N>
__device__ inline int64_t spread_offset(const View& view, const int (&at)[RANK_Y], int axes) {
  int64_t offset = 0;
#pragma unroll
  for (int i = 0; i < N; ++i)
    if (i < axes && view.dims[i] != 1) offset += at[i + RANK_Y - N] * view.strides[i];
  return offset;
}

extern "C" __global__ void __launch_bounds__(kThreads)
    attention(const __grid_constant__ View q, const __grid_constant__ View k, const __grid_constant__ View v,
#if RANK_M0 >= 0
              const __grid_constant__ View mask0,
#endif
#if RANK_M1 >= 0
              const __grid_constant__ View mask1,
#endif
              const __grid_constant__ View y, float scale) {
  wait_for_previous();
  extern __shared__ float scores[];
  __shared__ float sums[kThreads];
  const int keys = static_cast<int>(k.dims[RANK_K - 1]), depth = static_cast<int>(q.dims[RANK_Q - 1]);
  const int columns = static_cast<int>(v.dims[RANK_V - 1]);
  int at[RANK_Y] = {};
  uint32_t flat = blockIdx.x;
#pragma unroll
  for (int i = RANK_Y - 2; i >= 0; --i) {  // i: axis of [.., H, M]
    const int axis = !ROWS_FIRST || i < RANK_Y - 3 ? i : i == RANK_Y - 2 ? RANK_Y - 3 : RANK_Y - 2;
    at[i] = flat % static_cast<uint32_t>(y.dims[axis]);
    flat /= static_cast<uint32_t>(y.dims[axis]);
  }
  const int64_t from_q = spread_offset<RANK_Q>(q, at, RANK_Q - 2) + at[RANK_Y - 2] * q.strides[RANK_Q - 2];
  const int64_t from_k = spread_offset<RANK_K>(k, at, RANK_K - 2), from_v = spread_offset<RANK_V>(v, at, RANK_V - 2);

  float largest = __int_as_float(0xff800000);
  for (int n = threadIdx.x; n < keys; n += kThreads) {
    float score = 0;
    for (int i = 0; i < depth; ++i)
      score = fmaf(load<TYPE, float>(q.data, from_q + i * q.strides[RANK_Q - 1]),
                   load<TYPE, float>(k.data, from_k + i * k.strides[RANK_K - 2] + n * k.strides[RANK_K - 1]), score);
    score *= scale;
    at[RANK_Y - 1] = n;
#if RANK_M0 >= 0
    score += load<TYPE, float>(mask0.data, spread_offset<RANK_M0>(mask0, at, RANK_M0));
#endif
#if RANK_M1 >= 0
    score += load<TYPE, float>(mask1.data, spread_offset<RANK_M1>(mask1, at, RANK_M1));
#endif
    scores[n] = score;
    largest = fmaxf(largest, score);
  }
  largest = over_block<Larger>(largest);
  float sum = 0;
  for (int n = threadIdx.x; n < keys; n += kThreads) sum += scores[n] = expf(scores[n] - largest);
  sum = over_block<Plus>(sum);  // which also lets every thread see all scores

  const int64_t to = [&] {
    int64_t offset = 0;
#pragma unroll
    for (int i = 0; i < RANK_Y - 1; ++i) {
      const int axis = !ROWS_FIRST || i < RANK_Y - 3 ? i : i == RANK_Y - 2 ? RANK_Y - 3 : RANK_Y - 2;
      offset += at[i] * y.strides[axis];
    }
    return offset;
  }();
  for (int begin = 0; begin < columns; begin += kThreads) {
    const int width = min(columns - begin, kThreads), groups = kThreads / width;
    const int group = threadIdx.x / width, column = begin + threadIdx.x % width;
    float value = 0;
    if (group < groups)
      for (int n = group; n < keys; n += groups)
        value = fmaf(scores[n], load<TYPE, float>(v.data, from_v + n * v.strides[RANK_V - 2] + column * v.strides[RANK_V - 1]),
                     value);
    sums[threadIdx.x] = value;
    __syncthreads();
    if (group == 0) {
      for (int i = 1; i < groups; ++i) value += sums[i * width + threadIdx.x];
      store<TYPE, float>(y.data, to + column * y.strides[RANK_Y - 1], keys == 0 ? 0.0f : value / sum);
    }
    __syncthreads();
  }
}
