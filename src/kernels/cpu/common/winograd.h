#pragma once
// The transforms of Winograd's convolution (kernels/winograd.h), each over a vector of neighbouring channels.

#include "kernels/cpu/common/simd.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// Bᵀ and Aᵀ of F(2, 3):   1  0 -1  0     1  1  1  0
//                         0  1  1  0     0  1 -1 -1
//                         0 -1  1  0
//                         0  1  0 -1
struct Winograd2 {
  static constexpr int kOut = 2, kIn = 4;
  static void enter(const Vec (&d)[4], Vec (&v)[4]) {
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[1] - d[3];
  }
  static void leave(const Vec (&m)[4], Vec (&y)[2]) {
    y[0] = m[0] + m[1] + m[2];
    y[1] = m[1] - m[2] - m[3];
  }
};

// Of F(4, 3), with h = √½:   1   0  -5/2  0   1   0     1  1   1   1    1   0
//                            0 -2h   -2   h   1   0     0  h  -h   2h  -2h  0
//                            0  2h   -2  -h   1   0     0  ½   ½   2    2   0
//                            0  -h   -½   2h  1   0     0 h/2 -h/2 4h  -4h  1
//                            0   h   -½  -2h  1   0
//                            0   1    0 -5/2  0   1
struct Winograd4 {
  static constexpr int kOut = 4, kIn = 6;
  static constexpr float kHalfRoot = 0.70710678118654752440f;
  static void enter(const Vec (&d)[6], Vec (&v)[6]) {
    const Vec h = Vec::splat(kHalfRoot), minus_h = Vec::splat(-kHalfRoot), h2 = Vec::splat(2 * kHalfRoot),
              minus_h2 = Vec::splat(-2 * kHalfRoot), sum = Vec::splat(-2.5f);
    const Vec even1 = Vec::fma(Vec::splat(-2.f), d[2], d[4]), odd1 = Vec::fma(Vec::splat(-2.f), d[1], d[3]);
    const Vec even2 = Vec::fma(Vec::splat(-.5f), d[2], d[4]), odd2 = Vec::fma(Vec::splat(-.5f), d[1], d[3]);
    v[0] = Vec::fma(sum, d[2], d[0] + d[4]);
    v[1] = Vec::fma(h, odd1, even1);
    v[2] = Vec::fma(minus_h, odd1, even1);
    v[3] = Vec::fma(h2, odd2, even2);
    v[4] = Vec::fma(minus_h2, odd2, even2);
    v[5] = Vec::fma(sum, d[3], d[1] + d[5]);
  }
  static void leave(const Vec (&m)[6], Vec (&y)[4]) {
    const Vec even1 = m[1] + m[2], odd1 = m[1] - m[2], even2 = m[3] + m[4], odd2 = m[3] - m[4];
    y[0] = m[0] + even1 + even2;
    y[1] = Vec::fma(Vec::splat(2.f), odd2, odd1) * Vec::splat(kHalfRoot);
    y[2] = Vec::fma(Vec::splat(2.f), even2, even1 * Vec::splat(.5f));
    y[3] = Vec::fma(Vec::splat(4 * kHalfRoot), odd2, Vec::fma(Vec::splat(kHalfRoot / 2), odd1, m[5]));
  }
};

// L X Lᵀ where `apply` multiplies a column by L: kFrom x kFrom vectors become kTo x kTo. Each is loaded and stored
// once.
template <int kFrom, int kTo, class Apply, class Load, class Store>
inline void transform_both(Apply apply, Load load, Store store) {
  Vec half[kTo][kFrom];
#pragma GCC unroll 8
  for (int j = 0; j < kFrom; ++j) {
    Vec from[kFrom], to[kTo];
#pragma GCC unroll 8
    for (int i = 0; i < kFrom; ++i) from[i] = load(i, j);
    apply(from, to);
#pragma GCC unroll 8
    for (int i = 0; i < kTo; ++i) half[i][j] = to[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < kTo; ++i) {
    Vec to[kTo];
    apply(half[i], to);
#pragma GCC unroll 8
    for (int j = 0; j < kTo; ++j) store(i, j, to[j]);
  }
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
