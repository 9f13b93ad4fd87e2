#pragma once
// Convolutions of bytes by whole numbers on ordinary cores: any groups, strides, dilations and zero point, one to three
// axes. A thread has VECTOR neighbouring channels of a result: 4 of a depthwise convolution, else 1. Weights:
// [tap][channel of a group][filter], less their zero points. Macros: SPATIAL, TYPE_X, TYPE_Y, VECTOR; Program as
// convolution.cuh has it.
// instance: SPATIAL=2 TYPE_X=uint8_t TYPE_Y=uint8_t VECTOR=4 PLANISH_NUMBER_SAMPLE=1
// instance: SPATIAL=3 TYPE_X=int8_t TYPE_Y=float VECTOR=1 PLANISH_NUMBER_SAMPLE=1

#include "types.cuh"
#include "view.cuh"

#ifdef PLANISH_NUMBER_SAMPLE
struct Program {
  static constexpr bool residual = true, scale = true;
  static PLANISH_DEVICE float apply(float v, float r) { return fmaxf(v + r, 0.0f); }
};
#endif

constexpr int kNumberRank = SPATIAL + 2;

// channels: of a group. filters: of a group.
extern "C" __global__ void __launch_bounds__(256)
    number_conv(const __grid_constant__ View x, const int16_t* weights, const float* bias, const float* scale,
                const __grid_constant__ View y, const __grid_constant__ View r, int tap0, int tap1, int tap2,
                int stride0, int stride1, int stride2, int dilation0, int dilation1, int dilation2, int pad0, int pad1,
                int pad2, int channels, int filters, int zero, int64_t count) {
  wait_for_previous();
  const int taps[3] = {tap0, tap1, tap2}, stride[3] = {stride0, stride1, stride2},
            dilation[3] = {dilation0, dilation1, dilation2}, pad[3] = {pad0, pad1, pad2};
  const int columns = static_cast<int>(y.dims[1]);
  const bool runs = VECTOR == 4 && x.strides[1] == 1 && reinterpret_cast<uint64_t>(x.data) % 4 == 0 &&
                    (x.strides[0] | x.strides[2] | x.strides[kNumberRank - 1] | x.strides[SPATIAL == 3 ? 3 : 2]) % 4 == 0;
  for_positions(count, [&](uint32_t flat) {
    int at[kNumberRank];
    const auto take = [&](uint32_t extent) {
      const uint32_t whole = flat / extent, part = flat - whole * extent;
      flat = whole;
      return static_cast<int>(part);
    };
    at[1] = take(columns / VECTOR) * VECTOR;
#pragma unroll
    for (int i = kNumberRank - 1; i > 1; --i) at[i] = take(static_cast<uint32_t>(y.dims[i]));
    at[0] = static_cast<int>(flat);
    const int group = at[1] / filters;
    const int64_t first = at[0] * x.strides[0] + group * channels * x.strides[1];
    int sums[VECTOR] = {};
    for (int tap = 0; tap < tap0 * tap1 * tap2; ++tap) {
      int64_t from = first;
      int left = tap;
      bool inside = true;
#pragma unroll
      for (int i = SPATIAL - 1; i >= 0; --i) {
        const int rest = left / taps[i], source = at[i + 2] * stride[i] - pad[i] + (left - rest * taps[i]) * dilation[i];
        left = rest;
        inside = inside && source >= 0 && source < static_cast<int>(x.dims[i + 2]);
        from += source * x.strides[i + 2];
      }
      if (!inside) continue;
      const TYPE_X* pixel = static_cast<const TYPE_X*>(x.data) + from;
      if constexpr (VECTOR == 4) {  // depthwise: the channels of the filters
        const short4 w = *reinterpret_cast<const short4*>(weights + tap * columns + at[1]);
        const int factors[4] = {w.x, w.y, w.z, w.w};
        const uint32_t word = runs ? *reinterpret_cast<const uint32_t*>(pixel) : 0;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const TYPE_X number = runs ? static_cast<TYPE_X>(word >> (8 * i)) : pixel[i * x.strides[1]];
          sums[i] += (number - zero) * factors[i];
        }
      } else {
        const int16_t* w = weights + static_cast<int64_t>(tap) * channels * columns + at[1];
        for (int c = 0; c < channels; ++c, w += columns, pixel += x.strides[1]) sums[0] += (*pixel - zero) * *w;
      }
    }
#pragma unroll
    for (int i = 0; i < VECTOR; ++i) {
      const float addend = Program::residual ? load<TYPE_Y, float>(r.data, offset_of(r, at)) : 0;
      const float value = Program::apply(fmaf(static_cast<float>(sums[i]), scale[at[1]], bias[at[1]]), addend);
      static_cast<TYPE_Y*>(y.data)[offset_of(y, at)] = rounded_to<TYPE_Y>(value);
      ++at[1];
    }
  });
}
