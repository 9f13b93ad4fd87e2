#pragma once
// Elementary functions of one fp32 value, written so that loops over them vectorise: no calls, no branches.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace planish::kernels::cpu::PLANISH_ISA {

// exp(x) = 2^n * exp(r), |r| <= ln(2)/2; the polynomial is Cephes' expf.
inline float exp_value(float x) {
  x = std::min(std::max(x, -87.3365f), 88.3762f);
  const float n = (x * 1.44269504f + 12582912.f) - 12582912.f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// Out of the clamped range exp is 0 or infinity, and NaN stays NaN.
inline float exp_exact_range(float x) {
  const float y = exp_value(x);
  const float high = x > 88.72283f ? HUGE_VALF : y;
  const float low = x < -87.33655f ? 0.f : high;
  return x != x ? x : low;
}

inline float sigmoid_value(float x) { return 1.f / (1.f + exp_exact_range(-x)); }

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

}  // namespace planish::kernels::cpu::PLANISH_ISA
