#pragma once
// A picture read at points of a grid, which are in [-1, 1], the last axis of the picture first. Macros: those of a plain kernel, MODE (0:
// the nearest, 1: linear, 2: cubic), PADDING (outside are 0: zeros, 1: the border, 2: reflections), CORNERS (-1 and 1 are the middles of
// the first and last elements, not their ends).
// instance: X0=float X1=float Y0=float HAS=3 MADE=1 RANK=4 REAL=float MODE=2 PADDING=2 CORNERS=0
// instance: X0=half_t X1=half_t Y0=half_t HAS=3 MADE=1 RANK=5 REAL=float MODE=1 PADDING=0 CORNERS=1

#include "view.cuh"

constexpr int kGridSpatial = RANK - 2, kGridTaps = MODE == 0 ? 1 : MODE == 1 ? 2 : 4;

// -1: zeros are there.
__device__ inline int grid_place(int at, int extent) {
  if (at >= 0 && at < extent) return at;
  if (PADDING == 0) return -1;
  REAL inside = at;
  const REAL last = extent - 1, edge = CORNERS ? REAL(0) : REAL(0.5);
  if (PADDING == 2) {
    const REAL low = -edge, range = last + edge - low;
    const REAL folded = range <= 0 ? REAL(0) : fmod(fabs(inside - low), 2 * range);
    inside = low + (folded <= range ? folded : 2 * range - folded);
  }
  return static_cast<int>(fmin(fmax(inside, REAL(0)), last));
}

__device__ inline REAL cubic_weight(REAL distance) {
  const REAL a = REAL(-0.75), d = fabs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : REAL(0);
}

extern "C" __global__ void __launch_bounds__(256)
    grid_sample(const __grid_constant__ View x, const __grid_constant__ View grid, const __grid_constant__ View y, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    int64_t point = at[0] * grid.strides[0];
#pragma unroll
    for (int i = 0; i < kGridSpatial; ++i) point += at[i + 2] * grid.strides[i + 1];
    int places[kGridSpatial][kGridTaps];
    REAL weights[kGridSpatial][kGridTaps];
#pragma unroll
    for (int i = 0; i < kGridSpatial; ++i) {
      const int extent = static_cast<int>(x.dims[i + 2]);
      const REAL normal = load<X1, REAL>(grid.data, point + (kGridSpatial - 1 - i) * grid.strides[RANK - 1]);
      REAL where = CORNERS ? (normal + 1) / 2 * (extent - 1) : ((normal + 1) * extent - 1) / 2;
      where = where != where ? REAL(-1e9) : fmin(fmax(where, REAL(-1e9)), REAL(1e9));
      if (MODE == 0) {
        places[i][0] = grid_place(static_cast<int>(rint(where)), extent), weights[i][0] = 1;
        continue;
      }
      const REAL base = floor(where), fraction = where - base;
      constexpr int before = MODE == 2 ? 1 : 0;
#pragma unroll
      for (int t = 0; t < kGridTaps; ++t) {
        const REAL distance = fraction + REAL(before - t);
        places[i][t] = grid_place(static_cast<int>(base) + t - before, extent);
        weights[i][t] = MODE == 2 ? cubic_weight(distance) : 1 - fabs(distance);
      }
    }
    const int64_t plane = at[0] * x.strides[0] + at[1] * x.strides[1];
    REAL sum = 0;
    for (int tap = 0; tap < (kGridSpatial == 3 ? kGridTaps : 1) * kGridTaps * kGridTaps; ++tap) {
      int64_t from = plane;
      REAL weight = 1;
      bool inside = true;
      int left = tap;
#pragma unroll
      for (int i = kGridSpatial - 1; i >= 0; --i) {
        const int t = left % kGridTaps;
        left /= kGridTaps;
        inside = inside && places[i][t] >= 0;
        from += places[i][t] * x.strides[i + 2];
        weight *= weights[i][t];
      }
      if (inside) sum += weight * load<X0, REAL>(x.data, from);
    }
    store<Y0, REAL>(y.data, offset_of(y, at), sum);
  });
}
