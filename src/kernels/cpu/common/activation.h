#pragma once
// Activations (kernels/activation.h) of vectors of sums.

#include "kernels/activation.h"
#include "kernels/cpu/common/simd.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// exp(x) = 2^n exp(r), |r| <= ln(2)/2, with Cephes' polynomial. Infinity where 2^n is, at 128 ln(2) - ln(2)/2; no less
// than 2^-126. Adding 1.5 * 2^23 + 127 rounds to n and leaves the exponent's bits in the low ones.
inline Vec exp_of(Vec x) {
  const Vec kBiased = Vec::splat(12583039.f);
  x = Vec::min(Vec::splat(89.f), Vec::max(Vec::splat(-87.3f), x));
  const Vec raised = Vec::fma(x, Vec::splat(1.44269504f), kBiased), n = raised - kBiased;
  const Vec r = Vec::fma(n, Vec::splat(2.12194440e-4f), Vec::fma(n, Vec::splat(-0.693359375f), x));
  Vec p = Vec::fma(Vec::splat(1.9875691500e-4f), r, Vec::splat(1.3981999507e-3f));
  p = Vec::fma(p, r, Vec::splat(8.3334519073e-3f));
  p = Vec::fma(p, r, Vec::splat(4.1665795894e-2f));
  p = Vec::fma(p, r, Vec::splat(1.6666665459e-1f));
  p = Vec::fma(p, r, Vec::splat(5.0000001201e-1f));
  return (Vec::fma(p * r, r, r) + Vec::splat(1.f)) * raised.low_bits_as_exponent();
}

template <class F>
inline void map_vectors(Vec* values, int n, F f) {
  for (int i = 0; i < n; ++i) values[i] = f(values[i]);
}

inline void activate_ramp(const Activation& a, Vec* values, int n) {
  const Vec scale = Vec::splat(a.scale), shift = Vec::splat(a.shift), low = Vec::splat(a.low),
            high = Vec::splat(a.high), factor = Vec::splat(a.factor);
  const auto ramp = [&](Vec x) { return Vec::min(high, Vec::max(low, Vec::fma(x, scale, shift))); };
  if (a.kind == Activation::Kind::gate)
    map_vectors(values, n, [&](Vec x) { return x * ramp(x) * factor; });
  else
    map_vectors(values, n, [&](Vec x) { return ramp(x) * factor; });
}

// p / q
struct Quotient {
  Vec p, q;
};

// Rational approximation on [-4, 4] (the one Eigen and XLA use for float), within 4e-7.
inline Quotient erf_parts(Vec value) {
  const Vec x = Vec::min(Vec::splat(4.f), Vec::max(Vec::splat(-4.f), value)), x2 = x * x;
  Vec p = Vec::fma(Vec::splat(-2.72614225801306e-10f), x2, Vec::splat(2.77068142495902e-08f));
  for (float c : {-2.10102402082508e-06f, -5.69250639462346e-05f, -7.34990630326855e-04f, -2.95459980854025e-03f,
                  -1.60960333262415e-02f})
    p = Vec::fma(p, x2, Vec::splat(c));
  Vec q = Vec::fma(Vec::splat(-1.45660718464996e-05f), x2, Vec::splat(-2.13374055278905e-04f));
  for (float c : {-1.68282697438203e-03f, -7.37332916720468e-03f, -1.42647390514189e-02f})
    q = Vec::fma(q, x2, Vec::splat(c));
  return {x * p, q};
}

inline Vec erf_of(Vec value) {
  const Quotient erf = erf_parts(value);
  return erf.p / erf.q;
}

inline void activate_gelu(const Activation& a, Vec* values, int n) {
  const Vec one = Vec::splat(1.f), factor = Vec::splat(a.factor);
  if (a.kind == Activation::Kind::gelu) {
    const Vec scale = Vec::splat(a.scale);
    return map_vectors(values, n, [&](Vec x) { return x * factor * (one + erf_of(x * scale)); });
  }
  // 1 + tanh(u) = 2 / (1 + exp(-2u))
  const Vec scale = Vec::splat(-2 * a.scale), cube = Vec::splat(-2 * a.cube), twice = factor + factor;
  map_vectors(values, n, [&](Vec x) {
    const Vec u = Vec::fma(x * x, cube, scale) * x;
    return x * twice / (one + exp_of(u));
  });
}

// Sigmoid, silu and the parts of gelu are within 4e-7 of the true value.
inline void activate(const Activation& a, Vec* values, int n) {
  const Vec zero = Vec::splat(0.f), one = Vec::splat(1.f), slope = Vec::splat(a.slope);
  switch (a.kind) {
    case Activation::Kind::sigmoid:
      return map_vectors(values, n, [&](Vec x) { return one / (one + exp_of(zero - x)); });
    case Activation::Kind::silu:
      return map_vectors(values, n, [&](Vec x) { return x / (one + exp_of(zero - x)); });
    case Activation::Kind::leaky:
      return map_vectors(values, n, [&](Vec x) { return Vec::fma(slope, Vec::min(zero, x), Vec::max(zero, x)); });
    case Activation::Kind::ramp:
    case Activation::Kind::gate:
      return activate_ramp(a, values, n);
    case Activation::Kind::gelu:
    case Activation::Kind::tanh_gelu:
      return activate_gelu(a, values, n);
    case Activation::Kind::none:
      return;
  }
}

#if defined(PLANISH_ISA_avx512)
// sigmoid(x), within 2^-12 of it: exp(-x) by a polynomial of degree 3 for 2^r, |r| <= 1/2 (its least relative error),
// and a reciprocal of 14 bits.
inline Vec rough_sigmoid(Vec x) {
  const Vec kBiased = Vec::splat(12583039.f), kLog2 = Vec::splat(-1.44269504f);
  x = Vec::min(Vec::splat(87.3f), Vec::max(Vec::splat(-89.f), x));
  const Vec raised = Vec::fma(x, kLog2, kBiased), r = Vec::fma(x, kLog2, kBiased - raised);
  Vec p = Vec::fma(Vec::splat(0.0551716489f), r, Vec::splat(0.242611125f));
  p = Vec::fma(p, r, Vec::splat(0.693260997f));
  p = Vec::fma(p, r, Vec::splat(0.999928057f));
  return {_mm512_rcp14_ps(Vec::fma(p, raised.low_bits_as_exponent(), Vec::splat(1.f)).v)};
}

// False: a form that is as fast exactly. 1 + erf loses digits where it is small, so that p / q has all of them: one
// step of Newton's from the reciprocal. 1 + tanh(u) = 2 sigmoid(2u)
inline bool activate_roughly(const Activation& a, Vec* values, int n) {
  const Vec one = Vec::splat(1.f), zero = Vec::splat(0.f), factor = Vec::splat(a.factor), twice = factor + factor;
  switch (a.kind) {
    case Activation::Kind::sigmoid:
      map_vectors(values, n, rough_sigmoid);
      return true;
    case Activation::Kind::silu:
      map_vectors(values, n, [](Vec x) { return x * rough_sigmoid(x); });
      return true;
    case Activation::Kind::gelu:
      map_vectors(values, n, [&](Vec x) {
        const Quotient erf = erf_parts(x * Vec::splat(a.scale));
        const Vec y = {_mm512_rcp14_ps(erf.q.v)};
        return x * factor * Vec::fma(erf.p, Vec::fma(Vec::fma(zero - erf.q, y, one), y, y), one);
      });
      return true;
    case Activation::Kind::tanh_gelu:
      map_vectors(values, n, [&](Vec x) {
        return x * twice * rough_sigmoid(Vec::fma(x * x, Vec::splat(2 * a.cube), Vec::splat(2 * a.scale)) * x);
      });
      return true;
    default:
      return false;
  }
}
#endif

// The same once for all sizes of blocks of sums. half: what they become is stored as bf16, whose own rounding is 2^-9.
[[gnu::noinline]] inline void activate_sums(const Activation& a, Vec* values, int n, [[maybe_unused]] bool half) {
#if defined(PLANISH_ISA_avx512)
  if (half && activate_roughly(a, values, n)) return;
#endif
  activate(a, values, n);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
