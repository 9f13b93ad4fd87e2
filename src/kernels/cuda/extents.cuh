#pragma once
// Extents of a tensor from axis START on, or how many elements it has. Macros: those of a plain kernel, START (-1: elements).
// instance: X0=float Y0=int64_t HAS=1 MADE=1 RANK=1 REAL=double START=1
// instance: X0=float Y0=int64_t HAS=1 MADE=1 RANK=0 REAL=double START=-1

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    extents(const __grid_constant__ View x, const __grid_constant__ View y, int rank, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t i) {
    int64_t value = START < 0 ? 1 : x.dims[(START < 0 ? 0 : START) + i];
    if (START < 0)
      for (int axis = 0; axis < rank; ++axis) value *= x.dims[axis];
    store<Y0, int64_t>(y.data, START < 0 ? 0 : i * y.strides[0], value);
  });
}
