#pragma once
// (x - mean) / sqrt(variance + epsilon) * scale + bias, each a number a channel. Macros: those of a plain kernel.
// instance: X0=float X1=float X2=float X3=float X4=float Y0=float HAS=31 MADE=1 RANK=4 REAL=float

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    batch_norm(const __grid_constant__ View x, const __grid_constant__ View scale, const __grid_constant__ View bias,
               const __grid_constant__ View mean, const __grid_constant__ View variance, const __grid_constant__ View y, float epsilon,
               int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    const int c = at[RANK > 1 ? 1 : 0];
    const REAL centred = load_at<X0, REAL>(x, at) - load<X3, REAL>(mean.data, c * mean.strides[0]);
    const REAL spread = sqrt(load<X4, REAL>(variance.data, c * variance.strides[0]) + REAL(epsilon));
    store<Y0, REAL>(y.data, offset_of(y, at),
                    centred / spread * load<X1, REAL>(scale.data, c * scale.strides[0]) +
                        load<X2, REAL>(bias.data, c * bias.strides[0]));
  });
}
