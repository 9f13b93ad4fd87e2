#pragma once
// What the attention kernels share.

#include "types.cuh"

constexpr float kLog2e = 1.4426950408889634f;

// Where [batch][head][row][element] lies: pitches in elements, 0 where it is the same for all.
struct AttentionPlace {
  int64_t batch, head, row, element;
};
PLANISH_DEVICE float power_of_two(float x) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
}
// What results of a row are multiplied by: 1 / its sum, of which four neighbouring lanes have a part each. Of a row that
// sees no key: NaN, as in the formula.
PLANISH_DEVICE float normaliser(float sum) {
  sum += __shfl_xor_sync(0xffffffffu, sum, 1);
  sum += __shfl_xor_sync(0xffffffffu, sum, 2);
  return 1.0f / sum;
}
