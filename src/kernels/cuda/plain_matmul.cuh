#pragma once
// Products of matrices of rare elements, a thread a result: batches spread, vectors are rows or columns. Macros: those
// of a plain kernel, RANK_A, RANK_B, SUM (what is summed in: int64_t of whole numbers, else double).
// instance: X0=double X1=double Y0=double HAS=3 MADE=1 RANK=3 REAL=double RANK_A=3 RANK_B=2 SUM=double
// instance: X0=int64_t X1=int64_t Y0=int64_t HAS=3 MADE=1 RANK=0 REAL=double RANK_A=1 RANK_B=1 SUM=int64_t

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    plain_matmul(const __grid_constant__ View a, const __grid_constant__ View b, const __grid_constant__ View y,
                 int64_t count) {
  wait_for_previous();
  constexpr int row_axes = RANK_A > 1 ? 1 : 0, column_axes = RANK_B > 1 ? 1 : 0;
  constexpr int batches = RANK - row_axes - column_axes;
  for_positions(count, [&](uint32_t flat) {
    int64_t from_a = 0, from_b = 0, to = 0;
    const auto take = [&](int axis) {
      const uint32_t extent = static_cast<uint32_t>(y.dims[axis]), next = flat / extent, at = flat - next * extent;
      flat = next, to += at * y.strides[axis];
      return static_cast<int64_t>(at);
    };
    if (column_axes != 0) from_b += take(RANK - 1) * b.strides[RANK_B - 1];
    if (row_axes != 0) from_a += take(RANK - 1 - column_axes) * a.strides[RANK_A > 1 ? RANK_A - 2 : 0];
    for (int i = 0; i < batches; ++i) {  // from the last on
      const int64_t at = take(batches - 1 - i);
      const int axis_a = RANK_A - 3 - i, axis_b = RANK_B - 3 - i;
      if (axis_a >= 0 && a.dims[axis_a] != 1) from_a += at * a.strides[axis_a];
      if (axis_b >= 0 && b.dims[axis_b] != 1) from_b += at * b.strides[axis_b];
    }
    SUM sum = 0;
    for (int64_t k = 0; k < a.dims[RANK_A - 1]; ++k)
      sum += load<X0, SUM>(a.data, from_a + k * a.strides[RANK_A - 1]) *
             load<X1, SUM>(b.data, from_b + k * b.strides[RANK_B > 1 ? RANK_B - 2 : 0]);
    store<Y0, SUM>(y.data, to, sum);
  });
}
