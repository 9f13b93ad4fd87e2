#pragma once
// Activations that most networks use, on vectors: an epilogue's program that is one of them is not interpreted.
//   leaky: x where x > 0, else slope x      sigmoid: 1 / (1 + exp(-x))
//   silu: x sigmoid(x)                      hard_swish: x clamp(x + 3, 0, 6) / 6

#include "kernels/cpu/common/simd.h"
#include "kernels/pointwise.h"

namespace planish::kernels::cpu::PLANISH_ISA {

struct Activation {
  enum class Kind : uint8_t { none, leaky, sigmoid, silu, hard_swish };
  Kind kind = Kind::none;
  float slope = 0;
  bool present() const { return kind != Kind::none; }
};

namespace activation_detail {

// exp(x) for x in [-87, 87], whose reciprocal is no denormal either; other values are taken as the nearest of these,
// NaN stays NaN. The polynomial is
// Cephes' expf, as in math.h; adding 1.5 * 2^23 rounds and leaves the exponent in the low bits.
inline Vec exp_of(Vec value) {
  const auto k = [](float x) { return Vec::splat(x); };
  const Vec x = Vec::min(k(87.f), Vec::max(k(-87.f), value)), magic = k(12582912.f);
  const Vec raised = Vec::fma(x, k(1.44269504f), magic), n = raised - magic;
  const Vec r = Vec::fma(n, k(2.12194440e-4f), Vec::fma(n, k(-0.693359375f), x));
  Vec p = Vec::fma(k(1.9875691500e-4f), r, k(1.3981999507e-3f));
  p = Vec::fma(p, r, k(8.3334519073e-3f));
  p = Vec::fma(p, r, k(4.1665795894e-2f));
  p = Vec::fma(p, r, k(1.6666665459e-1f));
  p = Vec::fma(p, r, k(5.0000001201e-1f));
  return Vec::fma(p, r * r, r + k(1.f)) * Vec::power_of_two(raised);
}

struct Leaky {
  Vec slope;
  Vec operator()(Vec x) const {
    const Vec zero = Vec::splat(0.f);
    return Vec::fma(slope, Vec::min(zero, x), Vec::max(zero, x));
  }
};
struct Sigmoid {
  Vec operator()(Vec x) const { return Vec::splat(1.f) / (Vec::splat(1.f) + exp_of(Vec::splat(0.f) - x)); }
};
struct Silu {
  Vec operator()(Vec x) const { return x / (Vec::splat(1.f) + exp_of(Vec::splat(0.f) - x)); }
};
struct HardSwish {
  Vec operator()(Vec x) const {
    const Vec zero = Vec::splat(0.f), line = Vec::min(Vec::splat(6.f), Vec::max(zero, x + Vec::splat(3.f)));
    return x * line * Vec::splat(1.f / 6);
  }
};

template <class F>
void map(F f, float* const* rows, int count, int64_t n) {
  for (int r = 0; r < count; ++r) {
    float* const x = rows[r];
    int64_t i = 0;
    for (; i + 2 * Vec::kWidth <= n; i += 2 * Vec::kWidth) {  // two chains of dependent operations
      const Vec a = f(Vec::load(x + i)), b = f(Vec::load(x + i + Vec::kWidth));
      a.store(x + i);
      b.store(x + i + Vec::kWidth);
    }
    for (; i + Vec::kWidth <= n; i += Vec::kWidth) f(Vec::load(x + i)).store(x + i);
    if (const auto left = static_cast<int>(n - i); left > 0) f(Vec::load_part(x + i, left)).store_part(x + i, left);
  }
}

}  // namespace activation_detail

// n elements of each of `count` rows, in place.
void activate(const Activation& activation, float* const* rows, int count, int64_t n);

// What the program does to its one operand; none where it is no activation of these.
Activation recognise(const PointwiseProgram& program);

}  // namespace planish::kernels::cpu::PLANISH_ISA
