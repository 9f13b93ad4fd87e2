#pragma once
// The microkernel: kRows rows of A, read through pointers, times one packed panel of B.

#include "kernels/cpu/common/simd.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// acc[r][:] = init[:] + sum over taps t, channels k of rows[t * kRows + r][k] * b[t][k][:]
// rows: [taps][kRows] pointers; b: [taps][channels][kPanel]; tile: [R][kPanel].
template <int R>
void multiply_panel(const float* const* rows, int64_t taps, int64_t channels, const float* b, const float* init, float* tile) {
  Vec acc[R][kVectors];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < kVectors; ++v) acc[r][v] = Vec::load(init + v * Vec::kWidth);
  for (int64_t t = 0; t < taps; ++t) {
    const float* a[R];
    for (int r = 0; r < R; ++r) a[r] = rows[t * kRows + r];
    for (int64_t k = 0; k < channels; ++k, b += kPanel) {
      Vec w[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) w[v] = Vec::load(b + v * Vec::kWidth);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec x = Vec::splat(a[r][k]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) acc[r][v] = Vec::fma(x, w[v], acc[r][v]);
      }
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < kVectors; ++v) acc[r][v].store(tile + r * kPanel + v * Vec::kWidth);
}

inline void multiply_rows(int count, const float* const* rows, int64_t taps, int64_t channels, const float* b, const float* init, float* tile) {
  switch (count) {
    case 1: return multiply_panel<1>(rows, taps, channels, b, init, tile);
    case 2: return multiply_panel<2>(rows, taps, channels, b, init, tile);
    case 3: return multiply_panel<3>(rows, taps, channels, b, init, tile);
    case 4: return multiply_panel<4>(rows, taps, channels, b, init, tile);
    default: break;
  }
  // Above four: the full height; missing rows repeat the last pointer and are not stored.
  multiply_panel<kRows>(rows, taps, channels, b, init, tile);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
