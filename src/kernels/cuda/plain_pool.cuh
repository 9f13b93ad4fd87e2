#pragma once
// Poolings that pool.cuh has not: norms of any order, and maxima with their places. Macros: those of a plain kernel, NORM (0: the
// largest), COLUMN_MAJOR (places: the first axis of a plane changes first).
// instance: X0=float Y0=float HAS=1 MADE=1 RANK=4 REAL=float NORM=3 COLUMN_MAJOR=0
// instance: X0=float Y0=float Y1=int64_t HAS=1 MADE=3 RANK=4 REAL=double NORM=0 COLUMN_MAJOR=1

#include "view.cuh"

constexpr int kPlainSpatial = RANK - 2;

extern "C" __global__ void __launch_bounds__(256)
    plain_pool(const __grid_constant__ View x, const __grid_constant__ View y, const __grid_constant__ View places, int kernel0,
               int kernel1, int kernel2, int stride0, int stride1, int stride2, int dilation0, int dilation1, int dilation2, int pad0,
               int pad1, int pad2, int64_t count) {
  wait_for_previous();
  const int kernel[3] = {kernel0, kernel1, kernel2}, stride[3] = {stride0, stride1, stride2},
            dilation[3] = {dilation0, dilation1, dilation2}, pad[3] = {pad0, pad1, pad2};
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    const int64_t plane = at[0] * x.strides[0] + at[1] * x.strides[1];
    REAL value = NORM == 0 ? REAL(-__longlong_as_double(0x7ff0000000000000ll)) : REAL(0);
    int64_t where = -1;
    for (int tap = 0; tap < kernel0 * kernel1 * kernel2; ++tap) {
      int64_t from = plane, number = 0, step = 1;
      int left = tap;
      bool inside = true;
#pragma unroll
      for (int i = kPlainSpatial - 1; i >= 0; --i) {
        const int source = at[i + 2] * stride[i] - pad[i] + left % kernel[i] * dilation[i];
        left /= kernel[i];
        inside = inside && source >= 0 && source < static_cast<int>(x.dims[i + 2]);
        from += source * x.strides[i + 2];
        if (!COLUMN_MAJOR) number += source * step, step *= x.dims[i + 2];
      }
      if (!inside) continue;
      if (COLUMN_MAJOR) {
        left = tap;
        int sources[3] = {};
#pragma unroll
        for (int i = kPlainSpatial - 1; i >= 0; --i) {
          sources[i] = at[i + 2] * stride[i] - pad[i] + left % kernel[i] * dilation[i];
          left /= kernel[i];
        }
#pragma unroll
        for (int i = 0; i < kPlainSpatial; ++i) number += sources[i] * step, step *= x.dims[i + 2];
      }
      const REAL element = load<X0, REAL>(x.data, from);
      if (NORM == 0) {
        if (where >= 0 && !(element > value)) continue;
        value = element, where = number;
      } else {
        value += NORM == 2 ? element * element : pow(fabs(element), REAL(NORM));
      }
    }
    if (NORM != 0) value = NORM == 2 ? sqrt(value) : pow(value, REAL(1) / NORM);
    store<Y0, REAL>(y.data, offset_of(y, at), value);
#if MADE & 2
    int64_t elements = 1;
#pragma unroll
    for (int i = 2; i < RANK; ++i) elements *= x.dims[i];
    store<Y1, int64_t>(places.data, offset_of(places, at), (at[0] * x.dims[1] + at[1]) * elements + where);
#endif
  });
}
