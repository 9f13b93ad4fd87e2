#pragma once
// y[k] = scale * sum over j of x[j] exp(sign 2 pi i j k / n) along AXIS; pairs of real and imaginary parts lie along the last
// axis, or real parts alone. Macros: those of a plain kernel, AXIS, INVERSE, HALF (x is half a spectrum, the rest its mirror).
// instance: X0=float Y0=float HAS=1 MADE=1 RANK=3 REAL=float AXIS=1 INVERSE=0 HALF=0
// instance: X0=double Y0=double HAS=1 MADE=1 RANK=3 REAL=double AXIS=1 INVERSE=1 HALF=1

#include "view.cuh"

// A thread one complex result.
extern "C" __global__ void __launch_bounds__(256)
    fourier(const __grid_constant__ View x, const __grid_constant__ View, const __grid_constant__ View,
            const __grid_constant__ View y, int length, int64_t count) {
  wait_for_previous();
  const bool is_complex = x.dims[RANK - 1] == 2, both = y.dims[RANK - 1] == 2;
  const int known = static_cast<int>(x.dims[AXIS]), given = min(known, HALF ? length / 2 + 1 : length);
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    at[RANK - 1] = 0;
#pragma unroll
    for (int i = RANK - 2; i >= 0; --i) {
      const uint32_t extent = static_cast<uint32_t>(y.dims[i]);
      at[i] = flat % extent, flat /= extent;
    }
    const int64_t to = offset_of(y, at);
    const int k = at[AXIS];
    at[AXIS] = 0;
    const int64_t from = offset_of(x, at);
    double real = 0, imaginary = 0;
    for (int j = 0; j < length; ++j) {
      const bool mirror = HALF && j > length / 2;
      const int place = mirror ? length - j : j;
      if (place >= given) continue;
      const double re = load<X0, double>(x.data, from + place * x.strides[AXIS]);
      double im = is_complex ? load<X0, double>(x.data, from + place * x.strides[AXIS] + x.strides[RANK - 1]) : 0;
      if (mirror) im = -im;
      double sine, cosine;
      sincospi(2.0 * static_cast<double>(static_cast<int64_t>(j) * k % length) / length, &sine, &cosine);
      if (!INVERSE) sine = -sine;
      real += re * cosine - im * sine;
      imaginary += re * sine + im * cosine;
    }
    const double scale = INVERSE ? 1.0 / length : 1.0;
    store<Y0, double>(y.data, to, real * scale);
    if (both) store<Y0, double>(y.data, to + y.strides[RANK - 1], imaginary * scale);
  });
}
