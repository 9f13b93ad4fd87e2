#pragma once
// Primitives of pointwise programs that are not one C++ expression. A source whose results have 16 bits defines
// PLANISH_SHORT_RESULT: functions of a few instructions then, right to 2e-6 of the largest of a value, 1 and the
// result; silu to 2^-12 of the value, a quarter of a half's last place. A source whose values are all finite and far
// from the ends of the range of floats, and are saturated to bytes behind each rounding, defines PLANISH_TAME: the
// same bits of quotients and of rounded bytes by fewer instructions.

#ifdef PLANISH_TAME
__device__ inline float pw_min(float a, float b) { return fminf(a, b); }
__device__ inline float pw_max(float a, float b) { return fmaxf(a, b); }
// Adding 1.5 * 2^23 leaves no place for fractions.
__device__ inline float pw_round(float a) { return __fadd_rn(__fadd_rn(a, 12582912.0f), -12582912.0f); }
#else
__device__ inline float pw_min(float a, float b) {  // NaN where there is one
  float out;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(out) : "f"(a), "f"(b));
  return out;
}
__device__ inline float pw_max(float a, float b) {
  float out;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(out) : "f"(a), "f"(b));
  return out;
}
__device__ inline float pw_round(float a) { return rintf(a); }
#endif
__device__ inline float pw_sign(float a) { return a > 0 ? 1.0f : a < 0 ? -1.0f : a; }

#ifdef PLANISH_SHORT_RESULT
constexpr float kBitsOfE = 1.4426950408889634f;  // log2(e)

__device__ inline float pw_power_of_two(float a) {
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(a));
  return out;
}
__device__ inline float pw_logarithm(float a) {  // to the base 2
  float out;
  asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(a));
  return out;
}
__device__ inline float pw_inverse(float a) {
  float out;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(a));
  return out;
}
__device__ inline float pw_div(float a, float b) {
  float out;
  asm("div.full.f32 %0, %1, %2;" : "=f"(out) : "f"(a), "f"(b));
  return out;
}
__device__ inline float pw_exp(float a) { return pw_power_of_two(a * kBitsOfE); }
__device__ inline float pw_sigmoid(float a) { return pw_inverse(1.0f + pw_power_of_two(a * -kBitsOfE)); }
__device__ inline float pw_silu(float a) {
  const float half = 0.5f * a;
  float out;
  asm("tanh.approx.f32 %0, %1;" : "=f"(out) : "f"(half));
  return fmaf(half, out, half);
}
__device__ inline float pw_tanh(float a) {
  return fmaf(-2.0f, pw_inverse(1.0f + pw_power_of_two(a * (2 * kBitsOfE))), 1.0f);
}
__device__ inline float pw_softplus(float a) {
  return fmaf(pw_logarithm(1.0f + pw_power_of_two(fabsf(a) * -kBitsOfE)), 1 / kBitsOfE, fmaxf(a, 0.0f));
}
// 1 - 2^-q(|a|): q is a polynomial fitted to -log2(erfc), by the error of erf (7e-7); it grows for ever.
__device__ inline float pw_erf(float a) {
  const float x = fabsf(a);
  float q = fmaf(-2.9441025e-3f, x, 2.9589858e-2f);
  q = fmaf(q, x, -0.14866543f);
  q = fmaf(q, x, -0.91850942f);
  q = fmaf(q, x, -1.6278890f);
  return copysignf(1.0f - pw_power_of_two(q * x), a);
}
#else
#ifdef PLANISH_TAME
// Correctly rounded: the remainder of a quotient that is right to its last place is exact (Markstein, "Computation of
// elementary functions on the IBM RISC System/6000 processor", 1990). The inverse of a constant is a constant.
__device__ inline float pw_div(float a, float b) {
  const float inverse = 1.0f / b, quotient = __fmul_rn(a, inverse);
  return fmaf(fmaf(-quotient, b, a), inverse, quotient);
}
#else
__device__ inline float pw_div(float a, float b) { return a / b; }
#endif
__device__ inline float pw_exp(float a) { return expf(a); }
__device__ inline float pw_sigmoid(float a) { return 1.0f / (1.0f + expf(-a)); }
__device__ inline float pw_silu(float a) { return a * pw_sigmoid(a); }
__device__ inline float pw_tanh(float a) { return tanhf(a); }
__device__ inline float pw_softplus(float a) { return fmaxf(a, 0.0f) + log1pf(expf(-fabsf(a))); }
__device__ inline float pw_erf(float a) { return erff(a); }
#endif

__device__ inline float pw_mod(float a, float b) {
  const float rest = fmodf(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
__device__ inline float pw_is_inf(float a, float which) {
  const int mask = static_cast<int>(which);
  return isinf(a) && ((a > 0 && (mask & 1) != 0) || (a < 0 && (mask & 2) != 0)) ? 1.0f : 0.0f;
}

// In double, whatever the results are.
__device__ inline double pw_round(double a) { return rint(a); }
__device__ inline double pw_min(double a, double b) {
  return a != a || b != b ? __longlong_as_double(0x7ff8000000000000ll) : fmin(a, b);
}
__device__ inline double pw_max(double a, double b) {
  return a != a || b != b ? __longlong_as_double(0x7ff8000000000000ll) : fmax(a, b);
}
__device__ inline double pw_sign(double a) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a; }
__device__ inline double pw_div(double a, double b) { return a / b; }
__device__ inline double pw_exp(double a) { return exp(a); }
__device__ inline double pw_sigmoid(double a) { return 1.0 / (1.0 + exp(-a)); }
__device__ inline double pw_tanh(double a) { return tanh(a); }
__device__ inline double pw_softplus(double a) { return fmax(a, 0.0) + log1p(exp(-fabs(a))); }
__device__ inline double pw_erf(double a) { return erf(a); }
__device__ inline double pw_mod(double a, double b) {
  const double rest = fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
__device__ inline double pw_is_inf(double a, double which) {
  const int mask = static_cast<int>(which);
  return isinf(a) && ((a > 0 && (mask & 1) != 0) || (a < 0 && (mask & 2) != 0)) ? 1.0 : 0.0;
}

// Integers wrap. What is divided by zero is 0: the processor's kernels report it.
__device__ inline unsigned long long pw_bits(long long a) { return static_cast<unsigned long long>(a); }
__device__ inline long long pw_wrap(unsigned long long a) { return static_cast<long long>(a); }
__device__ inline long long pw_shift(long long a, long long b, bool left) {
  if (b < 0 || b > 63) return 0;
  const unsigned long long bits = static_cast<unsigned long long>(a);
  return static_cast<long long>(left ? bits << b : bits >> b);
}
__device__ inline long long pw_pow(long long a, long long b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  unsigned long long result = 1, base = static_cast<unsigned long long>(a);
  for (; b > 0; b >>= 1, base *= base)
    if ((b & 1) != 0) result *= base;
  return static_cast<long long>(result);
}
__device__ inline long long pw_divide(long long a, long long b) {
  return b == 0 ? 0 : b == -1 ? pw_wrap(0 - pw_bits(a)) : a / b;
}
__device__ inline long long pw_remainder(long long a, long long b) { return b == 0 || b == -1 ? 0 : a % b; }
__device__ inline long long pw_modulo(long long a, long long b) {
  const long long rest = pw_remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
