#pragma once
// Convolution with a thread for each result: few channels a group (depthwise), and transposed ones.
// Macros: SPATIAL (1 to 3), TYPE_X, TYPE_W, TYPE_Y, HAS_BIAS, TYPE_B (of the bias), TRANSPOSED.
//   transposed: y[n, m, i*stride + k*dilation - pad] += x[n, c, i] * w[c, m, k], gathered for each result
// instance: SPATIAL=2 TYPE_X=float TYPE_W=float TYPE_Y=float HAS_BIAS=1 TYPE_B=float TRANSPOSED=0
// instance: SPATIAL=2 TYPE_X=half_t TYPE_W=half_t TYPE_Y=half_t HAS_BIAS=1 TYPE_B=float TRANSPOSED=0
// instance: SPATIAL=3 TYPE_X=float TYPE_W=float TYPE_Y=float HAS_BIAS=0 TRANSPOSED=1

#include "view.cuh"

constexpr int kConvRank = SPATIAL + 2;

// Results in the order n, o, m: neighbours are filters.
extern "C" __global__ void __launch_bounds__(256)
    pixel_conv(const __grid_constant__ View x, const __grid_constant__ View w, const __grid_constant__ View y,
#if HAS_BIAS
               const __grid_constant__ View bias,
#endif
               int stride0, int stride1, int stride2, int dilation0, int dilation1, int dilation2, int pad0, int pad1,
               int pad2, int groups, int64_t count EXTRA_PARAMETERS) {
  wait_for_previous();
  const int stride[3] = {stride0, stride1, stride2}, dilation[3] = {dilation0, dilation1, dilation2},
            pad[3] = {pad0, pad1, pad2};
  const int filters = static_cast<int>(y.dims[1]) / groups;
  const int channels = static_cast<int>(x.dims[1]) / groups;
  int taps = 1;
#pragma unroll
  for (int i = 0; i < SPATIAL; ++i) taps *= static_cast<int>(w.dims[i + 2]);
  for (int64_t flat = static_cast<int64_t>(blockIdx.x) * 256 + threadIdx.x; flat < count;
       flat += static_cast<int64_t>(gridDim.x) * 256) {
    int at[kConvRank];
    position_of<1>(static_cast<uint32_t>(flat), y, at);
    const int group = at[1] / filters;
    const int64_t image = at[0] * x.strides[0] + static_cast<int64_t>(group) * channels * x.strides[1];
#if TRANSPOSED
    const int64_t weights = static_cast<int64_t>(group) * channels * w.strides[0] + at[1] % filters * w.strides[1];
    const int64_t weight_channel = w.strides[0];
#else
    const int64_t weights = at[1] * w.strides[0], weight_channel = w.strides[1];
#endif
    float sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      int left = tap;
      int64_t from = image, weight = weights;
      bool there = true;
#pragma unroll
      for (int i = SPATIAL - 1; i >= 0; --i) {
        const int extent = static_cast<int>(w.dims[i + 2]), k = left % extent;
        left /= extent;
#if TRANSPOSED
        const int shifted = at[i + 2] + pad[i] - k * dilation[i];
        const int source = shifted / stride[i];
        there = there && shifted >= 0 && source * stride[i] == shifted;
#else
        const int source = at[i + 2] * stride[i] + k * dilation[i] - pad[i];
        there = there && source >= 0;
#endif
        there = there && source < static_cast<int>(x.dims[i + 2]);
        from += source * x.strides[i + 2];
        weight += k * w.strides[i + 2];
      }
      if (!there) continue;
      for (int c = 0; c < channels; ++c)
        sum = fmaf(load<TYPE_X, float>(x.data, from + c * x.strides[1]),
                   load<TYPE_W, float>(w.data, weight + c * weight_channel), sum);
    }
#if HAS_BIAS
    sum += load<TYPE_B, float>(bias.data, at[1] * bias.strides[0]);
#endif
    store<TYPE_Y, float>(y.data, offset_of(y, at), epilogue(sum, at EXTRA_ARGUMENTS));
  }
}
