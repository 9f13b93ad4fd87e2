#pragma once
// Primitives of pointwise programs that are not one C++ expression.

__device__ inline float pw_min(float a, float b) { return a != a || b != b ? __int_as_float(0x7fc00000) : fminf(a, b); }
__device__ inline float pw_max(float a, float b) { return a != a || b != b ? __int_as_float(0x7fc00000) : fmaxf(a, b); }
__device__ inline float pw_sign(float a) { return a > 0 ? 1.0f : a < 0 ? -1.0f : a; }
__device__ inline float pw_softplus(float a) { return fmaxf(a, 0.0f) + log1pf(expf(-fabsf(a))); }
__device__ inline float pw_sigmoid(float a) { return 1.0f / (1.0f + expf(-a)); }
__device__ inline float pw_mod(float a, float b) {
  const float rest = fmodf(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
__device__ inline float pw_is_inf(float a, float which) {
  const int mask = static_cast<int>(which);
  return isinf(a) && ((a > 0 && (mask & 1) != 0) || (a < 0 && (mask & 2) != 0)) ? 1.0f : 0.0f;
}

// Integers wrap. Divisions are left to the processor, which reports those by zero.
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
