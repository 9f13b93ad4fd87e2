#pragma once
// Products of matrices of any strides, on ordinary cores: A [.., M, K] x B [.., K, N] -> epilogue(Y [.., M, N]); the row
// or column that a 1-D operand is vanishes.
// Macros: RANK_A, RANK_B, RANK_Y, TYPE_A, TYPE_B, TYPE_Y.
// instance: RANK_A=2 RANK_B=2 RANK_Y=2 TYPE_A=float TYPE_B=float TYPE_Y=float
// instance: RANK_A=4 RANK_B=3 RANK_Y=4 TYPE_A=half_t TYPE_B=half_t TYPE_Y=half_t
// instance: RANK_A=1 RANK_B=3 RANK_Y=2 TYPE_A=float TYPE_B=float TYPE_Y=float

#include "view.cuh"

constexpr int kTile = 64, kDepth = 16;
constexpr bool kRow = RANK_A == 1, kColumn = RANK_B == 1;
constexpr int kBatchRank = RANK_Y - (kRow ? 0 : 1) - (kColumn ? 0 : 1);
constexpr int kIndices = RANK_Y == 0 ? 1 : RANK_Y;

// Offset of a matrix of the batch; an axis of extent 1 serves all.
template <int RANK>
__device__ inline int64_t matrix_of(const View& view, const int (&at)[kIndices]) {
  int64_t offset = 0;
#pragma unroll
  for (int i = 0; i < RANK - 2; ++i) {
    const int axis = i + kBatchRank - (RANK - 2);
    if (view.dims[i] != 1) offset += at[axis] * view.strides[i];
  }
  return offset;
}

// Grid: rows, columns, matrices.
extern "C" __global__ void __launch_bounds__(256)
    direct_gemm(const __grid_constant__ View a, const __grid_constant__ View b,
                const __grid_constant__ View y EXTRA_PARAMETERS) {
  wait_for_previous();
  __shared__ float rows[kDepth][kTile + 1], columns[kDepth][kTile + 1];
  const int height = kRow ? 1 : static_cast<int>(a.dims[RANK_A == 1 ? 0 : RANK_A - 2]);
  const int width = kColumn ? 1 : static_cast<int>(b.dims[RANK_B - 1]);
  const int depth = static_cast<int>(a.dims[RANK_A - 1]);
  const int64_t row_a = kRow ? 0 : a.strides[RANK_A == 1 ? 0 : RANK_A - 2], step_a = a.strides[RANK_A - 1];
  const int64_t step_b = kColumn ? b.strides[0] : b.strides[RANK_B == 1 ? 0 : RANK_B - 2];
  const int64_t column_b = kColumn ? 0 : b.strides[RANK_B - 1];
  int at[kIndices] = {};
  int matrix = blockIdx.z;
#pragma unroll
  for (int i = kBatchRank - 1; i >= 0; --i) {
    at[i] = matrix % static_cast<int>(y.dims[i]);
    matrix /= static_cast<int>(y.dims[i]);
  }
  const int64_t base_a = matrix_of<RANK_A>(a, at), base_b = matrix_of<RANK_B>(b, at);
  const int thread = threadIdx.x, lane = thread % kDepth, line = thread / kDepth;
  float sums[4][4] = {};
  for (int begin = 0; begin < depth; begin += kDepth) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int row = blockIdx.x * kTile + line + 16 * j, k = begin + lane;
      rows[lane][line + 16 * j] =
          row < height && k < depth ? load<TYPE_A, float>(a.data, base_a + row * row_a + k * step_a) : 0.0f;
      const int element = thread + 256 * j, column = blockIdx.y * kTile + element % kTile, kb = element / kTile;
      columns[kb][element % kTile] = column < width && begin + kb < depth
                                         ? load<TYPE_B, float>(b.data, base_b + (begin + kb) * step_b + column * column_b)
                                         : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      float left[4], right[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        left[i] = rows[d][line + 16 * i];
        right[i] = columns[d][lane + 16 * i];
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int row = blockIdx.x * kTile + line + 16 * i, column = blockIdx.y * kTile + lane + 16 * j;
      if (row >= height || column >= width) continue;
      if (!kRow) at[kBatchRank] = row;
      if (!kColumn) at[RANK_Y == 0 ? 0 : RANK_Y - 1] = column;
      store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(sums[i][j], at EXTRA_ARGUMENTS));
    }
}
