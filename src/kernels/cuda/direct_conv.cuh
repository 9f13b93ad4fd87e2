#pragma once
// Convolution of any shape and strides as a product of gathered rows, on ordinary cores: what everything faster falls
// back to.
//   y[n, m, o] = epilogue(bias[m] + sum over c, k of x[n, g*C/G + c, o*stride + k*dilation - pad] * w[m, c, k])
// Macros: SPATIAL (1 to 3), TYPE_X, TYPE_W, TYPE_Y, HAS_BIAS, TYPE_B (of the bias).
// instance: SPATIAL=1 TYPE_X=float TYPE_W=float TYPE_Y=float HAS_BIAS=0
// instance: SPATIAL=2 TYPE_X=float TYPE_W=float TYPE_Y=float HAS_BIAS=1 TYPE_B=float
// instance: SPATIAL=2 TYPE_X=half_t TYPE_W=half_t TYPE_Y=half_t HAS_BIAS=1 TYPE_B=float
// instance: SPATIAL=3 TYPE_X=float TYPE_W=float TYPE_Y=float HAS_BIAS=1 TYPE_B=float

#include "view.cuh"

struct ConvAxis {
  int stride[3], dilation[3], pad[3];
};

constexpr int kConvRank = SPATIAL + 2;
constexpr int kTile = 64, kDepth = 16;  // of rows and columns; a step along the sum

// A block computes kTile positions (of all images) by kTile filters of one group; grid: positions, filters, groups.
extern "C" __global__ void __launch_bounds__(256)
    direct_conv(const __grid_constant__ View x, const __grid_constant__ View w, const __grid_constant__ View y,
#if HAS_BIAS
                const __grid_constant__ View bias,
#endif
                int stride0, int stride1, int stride2, int dilation0, int dilation1, int dilation2, int pad0, int pad1,
                int pad2 EXTRA_PARAMETERS) {
  wait_for_previous();
  const ConvAxis axis{{stride0, stride1, stride2}, {dilation0, dilation1, dilation2}, {pad0, pad1, pad2}};
  __shared__ float rows[kDepth][kTile + 1], columns[kDepth][kTile + 1];
  const int groups = gridDim.z, group = blockIdx.z;
  const int filters = static_cast<int>(y.dims[1]) / groups, channels = static_cast<int>(w.dims[1]);
  int taps = 1, positions = static_cast<int>(y.dims[0]);
#pragma unroll
  for (int i = 0; i < SPATIAL; ++i) {
    taps *= static_cast<int>(w.dims[i + 2]);
    positions *= static_cast<int>(y.dims[i + 2]);
  }
  const int depth = taps * channels;
  const int thread = threadIdx.x, lane = thread % kDepth, line = thread / kDepth;

  // Where the four rows begin that this thread loads.
  int64_t row_offset[4];
  int row_base[4][SPATIAL];
  bool row_there[4];
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    int position = blockIdx.x * kTile + line + 16 * j;
    row_there[j] = position < positions;
#pragma unroll
    for (int i = SPATIAL - 1; i >= 0; --i) {
      const int extent = static_cast<int>(y.dims[i + 2]);
      row_base[j][i] = position % extent * axis.stride[i] - axis.pad[i];
      position /= extent;
    }
    row_offset[j] = position * x.strides[0] + static_cast<int64_t>(group) * channels * x.strides[1];
  }

  float sums[4][4] = {};
  for (int begin = 0; begin < depth; begin += kDepth) {
    const int k = begin + lane;
    int tap = k / channels;
    const int channel = k - tap * channels;
    int shift[SPATIAL];
    int64_t weight = channel * w.strides[1];
#pragma unroll
    for (int i = SPATIAL - 1; i >= 0; --i) {
      const int extent = static_cast<int>(w.dims[i + 2]), at = tap % extent;
      tap /= extent;
      shift[i] = at * axis.dilation[i];
      weight += at * w.strides[i + 2];
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      bool there = row_there[j] && k < depth;
      int64_t from = row_offset[j] + channel * x.strides[1];
#pragma unroll
      for (int i = 0; i < SPATIAL; ++i) {
        const int at = row_base[j][i] + shift[i];
        there = there && at >= 0 && at < static_cast<int>(x.dims[i + 2]);
        from += at * x.strides[i + 2];
      }
      rows[lane][line + 16 * j] = there ? load<TYPE_X, float>(x.data, from) : 0.0f;
      const int filter = blockIdx.y * kTile + line + 16 * j;
      columns[lane][line + 16 * j] =
          filter < filters && k < depth
              ? load<TYPE_W, float>(w.data, (static_cast<int64_t>(group) * filters + filter) * w.strides[0] + weight)
              : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      float a[4], b[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        a[i] = rows[d][line + 16 * i];
        b[i] = columns[d][lane + 16 * i];
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) sums[i][j] = fmaf(a[i], b[j], sums[i][j]);
    }
    __syncthreads();
  }

#pragma unroll
  for (int i = 0; i < 4; ++i) {
    int position = blockIdx.x * kTile + line + 16 * i;
    if (position >= positions) continue;
    int at[kConvRank];
#pragma unroll
    for (int d = SPATIAL - 1; d >= 0; --d) {
      const int extent = static_cast<int>(y.dims[d + 2]);
      at[d + 2] = position % extent;
      position /= extent;
    }
    at[0] = position;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int filter = blockIdx.y * kTile + lane + 16 * j;
      if (filter >= filters) continue;
      at[1] = group * filters + filter;
      float value = sums[i][j];
#if HAS_BIAS
      value += load<TYPE_B, float>(bias.data, at[1] * bias.strides[0]);
#endif
      store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(value, at EXTRA_ARGUMENTS));
    }
  }
}
