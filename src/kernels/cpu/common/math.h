#pragma once
// Elementary functions of one fp32 value, written so that loops over them vectorise: no calls, no branches.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace planish::kernels::cpu::PLANISH_ISA {

// a * b + c, in one operation where there is one.
inline float fused(float a, float b, float c) {
#if defined(PLANISH_ISA_scalar)
  return a * b + c;
#else
  return __builtin_fmaf(a, b, c);
#endif
}

// exp(x) = 2^n * exp(r), |r| <= ln(2)/2; the polynomial is Cephes' expf.
inline float exp_value(float x) {
  x = std::min(std::max(x, -87.3365f), 88.3762f);
  const float n = fused(x, 1.44269504f, 12582912.f) - 12582912.f;
  const float r = fused(n, 2.12194440e-4f, fused(n, -0.693359375f, x));
  float p = 1.9875691500e-4f;
  p = fused(p, r, 1.3981999507e-3f);
  p = fused(p, r, 8.3334519073e-3f);
  p = fused(p, r, 4.1665795894e-2f);
  p = fused(p, r, 1.6666665459e-1f);
  p = fused(p, r, 5.0000001201e-1f);
  p = fused(p, r * r, r + 1.f);
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// Out of the clamped range exp is 0 or infinity, and NaN stays NaN.
inline float exp_exact_range(float x) {
  const float y = exp_value(x);
  const float high = x > 88.72283f ? HUGE_VALF : y;
  const float low = x < -87.33655f ? 0.f : high;
  return x != x ? x : low;
}

// 0 where exp(-x) would overflow; NaN stays NaN.
inline float sigmoid_value(float x) {
  const float y = 1.f / (1.f + exp_value(-x));
  return x < -88.3762f ? 0.f : y;
}

inline float tanh_value(float x) {
  const float a = std::abs(x), e = exp_value(-2.f * a);
  const float big = (1.f - e) / (1.f + e);
  const float x2 = x * x;
  const float small = a + a * x2 * (-0.333333333f + x2 * (0.133333333f - x2 * 0.053968254f));
  return std::copysign(a < 0.1f ? small : big, x);
}

// Rational approximation on [-4, 4] (the one Eigen and XLA use for float).
inline float erf_value(float value) {
  const float x = std::min(std::max(value, -4.f), 4.f), x2 = x * x;
  float p = -2.72614225801306e-10f;
  p = p * x2 + 2.77068142495902e-08f;
  p = p * x2 - 2.10102402082508e-06f;
  p = p * x2 - 5.69250639462346e-05f;
  p = p * x2 - 7.34990630326855e-04f;
  p = p * x2 - 2.95459980854025e-03f;
  p = p * x2 - 1.60960333262415e-02f;
  float q = -1.45660718464996e-05f;
  q = q * x2 - 2.13374055278905e-04f;
  q = q * x2 - 1.68282697438203e-03f;
  q = q * x2 - 7.37332916720468e-03f;
  q = q * x2 - 1.42647390514189e-02f;
  return value != value ? value : x * p / q;
}

// log(x) = log(m) + e log(2), m in [sqrt(1/2), sqrt(2)); the polynomial is Cephes' logf. -inf at 0, NaN below.
inline float log_value(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float scaled = tiny ? x * 8388608.f : x;
  const auto bits = static_cast<int32_t>(std::bit_cast<uint32_t>(scaled) - 0x3f3504f3u);  // wraps below 0
  const float e = static_cast<float>(bits >> 23) - (tiny ? 23.f : 0.f);
  const float m = std::bit_cast<float>((bits & 0x007fffff) + 0x3f3504f3) - 1.f, z = m * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const float y = (p * m * z + e * -2.12194440e-4f) - 0.5f * z;
  const float finite = (m + y) + e * 0.693359375f;
  const float at_most = x == HUGE_VALF ? x : finite;
  const float at_least = x == 0.f ? -HUGE_VALF : at_most;
  return ((x < 0.f) | (x != x)) ? std::bit_cast<float>(0x7fc00000) : at_least;
}

// log(1 + exp(x)), exact to the last bits also where exp(x) is far below 1.
inline float softplus_value(float x) {
  const float e = exp_exact_range(-std::abs(x)), u = 1.f + e;
  const float rest = u - 1.f;
  const float logarithm = rest == 0.f ? e : log_value(u) * (e / rest);
  return (x > 0.f ? x : 0.f) + logarithm;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
