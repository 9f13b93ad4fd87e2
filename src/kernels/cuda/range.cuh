#pragma once
// start + i * step; the number of results is the result's. Operands: start, limit (not read), step. Macros: those of a plain
// kernel, NUMBER (double or int64_t).
// instance: X0=float X1=float X2=float Y0=float HAS=7 MADE=1 RANK=1 REAL=float NUMBER=double
// instance: X0=int64_t X1=int64_t X2=int64_t Y0=int64_t HAS=7 MADE=1 RANK=1 REAL=double NUMBER=int64_t

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    range(const __grid_constant__ View start, const __grid_constant__ View, const __grid_constant__ View step,
          const __grid_constant__ View y, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t i) {
    store<Y0, NUMBER>(y.data, i * y.strides[0], load<X0, NUMBER>(start.data, 0) + static_cast<NUMBER>(i) * load<X2, NUMBER>(step.data, 0));
  });
}
