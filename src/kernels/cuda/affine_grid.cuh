#pragma once
// Points theta [x, 1] of the positions x of a grid, which are in [-1, 1], last axis first. Macros: those of a plain kernel, CORNERS.
// instance: X0=float Y0=float HAS=1 MADE=1 RANK=4 REAL=float CORNERS=0
// instance: X0=float Y0=float HAS=1 MADE=1 RANK=5 REAL=float CORNERS=1

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    affine_grid(const __grid_constant__ View theta, const __grid_constant__ View y, int64_t count) {
  wait_for_previous();
  constexpr int axes = RANK - 2;
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    const int64_t row = at[0] * theta.strides[0] + at[RANK - 1] * theta.strides[1];
    double sum = load<X0, double>(theta.data, row + axes * theta.strides[2]);
#pragma unroll
    for (int d = 0; d < axes; ++d) {
      const double extent = static_cast<double>(y.dims[axes - d]), i = at[axes - d];
      const double place = !CORNERS ? (2 * i + 1) / extent - 1 : extent == 1 ? 0.0 : 2 * i / (extent - 1) - 1;
      sum += load<X0, double>(theta.data, row + d * theta.strides[2]) * place;
    }
    store<Y0, double>(y.data, offset_of(y, at), sum);
  });
}
