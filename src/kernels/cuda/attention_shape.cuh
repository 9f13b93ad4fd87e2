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
