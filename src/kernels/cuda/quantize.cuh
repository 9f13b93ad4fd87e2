#pragma once
// q = saturate(round_half_even(x / scale) + zero), and back: x = (q - zero) * scale. scale and zero are one for all, or one
// for each position of AXIS. Macros: RANK, AXIS (-1: one for all), TO_STEPS, TYPE_X, TYPE_Y, TYPE_S (scale), ZERO, TYPE_Z, LEAST,
// MOST (of the steps).
// instance: RANK=4 AXIS=-1 TO_STEPS=1 TYPE_X=half_t TYPE_Y=int8_t TYPE_S=float ZERO=0 TYPE_Z=int8_t LEAST=-128 MOST=127
// instance: RANK=4 AXIS=1 TO_STEPS=0 TYPE_X=uint8_t TYPE_Y=float TYPE_S=float ZERO=1 TYPE_Z=uint8_t LEAST=0 MOST=255

#include "view.cuh"

extern "C" __global__ void __launch_bounds__(256)
    quantize(const __grid_constant__ View x, const __grid_constant__ View scale,
#if ZERO
             const __grid_constant__ View zero,
#endif
             const __grid_constant__ View y, int64_t count) {
  wait_for_previous();
  for_positions(count, [&](uint32_t flat) {
    int at[RANK];
    position_of<RANK - 1>(flat, y, at);
    const int64_t which = AXIS < 0 ? 0 : at[AXIS < 0 ? 0 : AXIS];
    const float step = load<TYPE_S, float>(scale.data, which * scale.strides[0]);
#if ZERO
    const float shift = load<TYPE_Z, float>(zero.data, AXIS < 0 ? 0 : which * zero.strides[0]);
#else
    const float shift = 0;
#endif
    const float value = load<TYPE_X, float>(x.data, offset_of(x, at));
#if TO_STEPS
    // __fdiv_rn and no contraction: a tie of x / scale is decided as the processor does.
    const float steps = rintf(__fdiv_rn(value, step)) + shift;
    const float kept = steps == steps ? fminf(fmaxf(steps, LEAST), MOST) : 0.0f;
    static_cast<TYPE_Y*>(y.data)[offset_of(y, at)] = static_cast<TYPE_Y>(static_cast<int>(kept));
#else
    store<TYPE_Y, float>(y.data, offset_of(y, at), (value - shift) * step);
#endif
  });
}
