#pragma once
// The part of the last two axes on and above (UPPER) or on and below the diagonal that lies `diagonal` to the right; zeros
// elsewhere. Macros: RANK, TYPE (elements by their size), UPPER.
// instance: RANK=2 TYPE=uint32_t UPPER=1

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    triangle(const __grid_constant__ View x, const __grid_constant__ View y, int64_t diagonal, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    const int64_t above = static_cast<int64_t>(at[RANK - 1]) - at[RANK - 2];
    const bool kept = UPPER ? above >= diagonal : above <= diagonal;
    static_cast<TYPE*>(y.data)[offset_of(y, at)] = kept ? static_cast<const TYPE*>(x.data)[offset_of(x, at)] : TYPE{};
  });
}
