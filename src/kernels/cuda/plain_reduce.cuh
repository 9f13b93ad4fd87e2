#pragma once
// Reductions of any elements over the axes of a bit mask, in double, a thread a result. Macros: those of a plain kernel, RANK_X, AXES, KEEP,
// HOW (0: sum, 1: mean, 2: largest, 3: smallest, 4: product, 5: of magnitudes, 6: Euclidean norm, 7: of squares, 8: logarithm of the sum, 9: of
// the sum of exponentials).
// instance: X0=double Y0=double HAS=1 MADE=1 RANK=2 REAL=double RANK_X=3 AXES=2 KEEP=0 HOW=9
// instance: X0=bool_t Y0=bool_t HAS=1 MADE=1 RANK=3 REAL=float RANK_X=3 AXES=5 KEEP=1 HOW=2

#include "view.cuh"

__device__ inline double joined(double a, double v) {
  if (HOW == 2) return v > a || v != v ? v : a;
  if (HOW == 3) return v < a || v != v ? v : a;
  if (HOW == 4) return a * v;
  if (HOW == 5) return a + fabs(v);
  if (HOW == 6 || HOW == 7) return a + v * v;
  if (HOW != 9) return a + v;
  const double most = a > v || a != a ? a : v;
  return isfinite(most) ? most + log1p(exp(-fabs(a - v))) : most;
}

extern "C" __global__ void __launch_bounds__(256)
    plain_reduce(const __grid_constant__ View x, const __grid_constant__ View, const __grid_constant__ View y, int64_t count) {
  wait_for_previous();
  const double infinity = __longlong_as_double(0x7ff0000000000000ll);
  for_positions(count, [&](uint32_t flat) {
    int at[RANK == 0 ? 1 : RANK] = {};
    if (RANK > 0) position_of<(RANK == 0 ? 1 : RANK) - 1>(flat, y, at);
    int64_t from = 0, terms = 1;
    int axis = RANK - 1;
#pragma unroll
    for (int i = RANK_X - 1; i >= 0; --i) {
      if ((AXES >> i & 1) != 0) {
        terms *= x.dims[i];
        axis -= KEEP;
      } else {
        from += at[axis < 0 ? 0 : axis] * x.strides[i], --axis;
      }
    }
    double value = HOW == 2 || HOW == 9 ? -infinity : HOW == 3 ? infinity : HOW == 4 ? 1.0 : 0.0;
    for (int64_t k = 0; k < terms; ++k) {
      int64_t rest = k, place = from;
#pragma unroll
      for (int i = RANK_X - 1; i >= 0; --i)
        if ((AXES >> i & 1) != 0) place += rest % x.dims[i] * x.strides[i], rest /= x.dims[i];
      value = joined(value, load<X0, double>(x.data, place));
    }
    if (HOW == 1) value /= static_cast<double>(terms);
    if (HOW == 6) value = sqrt(value);
    if (HOW == 8) value = log(value);
    store<Y0, double>(y.data, RANK == 0 ? 0 : offset_of(y, at), value);
  });
}
