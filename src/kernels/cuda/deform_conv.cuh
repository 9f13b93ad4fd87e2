#pragma once
// Convolution whose taps are displaced by offsets of their own, one for each position of the result, and weighted by a mask; between elements
// the picture is interpolated linearly, outside it is 0. Operands: x, w, offsets, bias, mask. Macros: those of a plain kernel (RANK 3 to 5).
// instance: X0=float X1=float X2=float X3=float X4=float Y0=float HAS=31 MADE=1 RANK=4 REAL=float
// instance: X0=half_t X1=half_t X2=half_t Y0=half_t HAS=7 MADE=1 RANK=5 REAL=float

#include "view.cuh"

constexpr int kDeformSpatial = RANK - 2;

extern "C" __global__ void __launch_bounds__(256)
    deform_conv(const __grid_constant__ View x, const __grid_constant__ View w, const __grid_constant__ View shift,
                const __grid_constant__ View bias, const __grid_constant__ View mask, const __grid_constant__ View y, int stride0,
                int stride1, int stride2, int dilation0, int dilation1, int dilation2, int pad0, int pad1, int pad2, int groups,
                int shift_groups, int64_t count) {
  wait_for_previous();
  const int stride[3] = {stride0, stride1, stride2}, dilation[3] = {dilation0, dilation1, dilation2}, pad[3] = {pad0, pad1, pad2};
  const int channels = static_cast<int>(w.dims[1]), sharing = static_cast<int>(x.dims[1]) / shift_groups;
  int taps = 1;
#pragma unroll
  for (int i = 0; i < kDeformSpatial; ++i) taps *= static_cast<int>(w.dims[i + 2]);
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    const int filter = at[1], first = filter / (static_cast<int>(w.dims[0]) / groups) * channels;
    REAL sum = 0;
#if HAS & 8
    sum = load<X3, REAL>(bias.data, filter * bias.strides[0]);
#endif
    for (int c = 0; c < channels; ++c)
      for (int tap = 0; tap < taps; ++tap) {
        const int number = (first + c) / sharing * taps + tap;
        int place[kDeformSpatial], left = tap;
        REAL fraction[kDeformSpatial];
        int64_t weight_at = filter * w.strides[0] + c * w.strides[1];
#pragma unroll
        for (int i = kDeformSpatial - 1; i >= 0; --i) {
          const int extent = static_cast<int>(w.dims[i + 2]), here = left % extent;
          left /= extent;
          weight_at += here * w.strides[i + 2];
          at[1] = number * kDeformSpatial + i;
          const REAL where = at[i + 2] * stride[i] - pad[i] + here * dilation[i] + load_at<X2, REAL>(shift, at);
          const REAL base = floor(fmin(fmax(where, REAL(-1e9)), REAL(1e9)));
          place[i] = static_cast<int>(base), fraction[i] = where - base;
        }
        REAL value = 0;
#pragma unroll
        for (int corner = 0; corner < 1 << kDeformSpatial; ++corner) {
          int64_t from = at[0] * x.strides[0] + (first + c) * x.strides[1];
          REAL weight = 1;
          bool inside = true;
#pragma unroll
          for (int i = 0; i < kDeformSpatial; ++i) {
            const int side = corner >> i & 1, source = place[i] + side;
            inside = inside && source >= 0 && source < static_cast<int>(x.dims[i + 2]);
            weight *= side == 0 ? 1 - fraction[i] : fraction[i];
            from += source * x.strides[i + 2];
          }
          if (inside && weight != 0) value += weight * load<X0, REAL>(x.data, from);
        }
#if HAS & 16
        at[1] = number;
        value *= load_at<X4, REAL>(mask, at);
#endif
        sum += value * load<X1, REAL>(w.data, weight_at);
      }
    at[1] = filter;
    store<Y0, REAL>(y.data, offset_of(y, at), sum);
  });
}
