/* What __half, __nv_bfloat16 and the 8-bit floats share: conversion by bits, rounding to nearest even, and the
 * operators, which compute in float and round once. */
#ifndef PLANISH_CUDA_SMALL_FLOATS_H
#define PLANISH_CUDA_SMALL_FLOATS_H

#include "vector_functions.h"

#if defined(__cplusplus)
#include <string.h>

extern "C++" {
namespace planish_cuda {

inline unsigned bits_of(float value) {
  unsigned bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
inline float float_of(unsigned bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// bits / 2^shift to the nearest integer, ties to even.
inline unsigned shift_rounded(unsigned bits, unsigned shift) {
  if (shift > 31) return 0;
  const unsigned half = (1u << shift) >> 1, rest = bits & ((1u << shift) - 1), whole = bits >> shift;
  return whole + (rest > half || (rest == half && half != 0 && (whole & 1u)) ? 1u : 0u);
}

// The code of a float without its sign: `mantissa` bits below an exponent of bias `bias`. What is too large comes out
// larger than every finite code.
inline unsigned encode(unsigned magnitude, unsigned mantissa, int bias) {
  const int exponent = static_cast<int>(magnitude >> 23) - 127 + bias;
  const unsigned drop = 23 - mantissa;
  if (exponent > 0) return shift_rounded(magnitude, drop) - (static_cast<unsigned>(127 - bias) << mantissa);
  if (magnitude < 0x800000u) return 0;  // subnormal floats are below half of every smallest number here
  return shift_rounded((magnitude & 0x7fffffu) | 0x800000u, drop + static_cast<unsigned>(1 - exponent));
}
inline float decode(unsigned code, unsigned mantissa, int bias) {
  const unsigned exponent = code >> mantissa, fraction = code & ((1u << mantissa) - 1);
  if (exponent != 0)
    return float_of((exponent + static_cast<unsigned>(127 - bias)) << 23 | fraction << (23 - mantissa));
  return static_cast<float>(fraction) * float_of(static_cast<unsigned>(128 - bias - static_cast<int>(mantissa)) << 23);
}

// The same, at most `largest`, and `nan` for NaN.
inline unsigned encode_within(float value, unsigned mantissa, int bias, unsigned largest, unsigned nan) {
  const unsigned magnitude = bits_of(value) & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return nan;
  const unsigned code = encode(magnitude, mantissa, bias);
  return code < largest ? code : largest;
}

inline unsigned short half_of(float value) {
  return static_cast<unsigned short>((bits_of(value) >> 16 & 0x8000u) | encode_within(value, 10, 15, 0x7c00u, 0x7fffu));
}
inline float from_half(unsigned short code) {
  const unsigned magnitude = code & 0x7fffu, sign = (code & 0x8000u) << 16;
  return float_of(
      sign | (magnitude >= 0x7c00u ? 0x7f800000u | (magnitude & 0x3ffu) << 13 : bits_of(decode(magnitude, 10, 15))));
}
inline unsigned short bfloat_of(float value) {
  const unsigned bits = bits_of(value);
  return static_cast<unsigned short>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : shift_rounded(bits, 16));
}
inline float from_bfloat(unsigned short code) { return float_of(static_cast<unsigned>(code) << 16); }

// 8-bit floats: what is too large becomes the largest finite number.
inline unsigned char e4m3_of(float value) {
  return static_cast<unsigned char>((bits_of(value) >> 24 & 0x80u) | encode_within(value, 3, 7, 0x7eu, 0x7fu));
}
inline float from_e4m3(unsigned char code) {
  const unsigned magnitude = code & 0x7fu;
  return float_of((code & 0x80u) << 24 | (magnitude == 0x7fu ? 0x7fffffffu : bits_of(decode(magnitude, 3, 7))));
}
inline unsigned char e5m2_of(float value) {
  return static_cast<unsigned char>((bits_of(value) >> 24 & 0x80u) | encode_within(value, 2, 15, 0x7bu, 0x7eu));
}
inline float from_e5m2(unsigned char code) { return from_half(static_cast<unsigned short>(code << 8)); }

// Base of __half and __nv_bfloat16. Two of a kind give one of that kind; beside any other number they are a float.
struct Number {};
template <class T>
inline typename T::Small operator+(const T& a, const T& b) {
  return T(static_cast<float>(a) + static_cast<float>(b));
}
template <class T>
inline typename T::Small operator-(const T& a, const T& b) {
  return T(static_cast<float>(a) - static_cast<float>(b));
}
template <class T>
inline typename T::Small operator*(const T& a, const T& b) {
  return T(static_cast<float>(a) * static_cast<float>(b));
}
template <class T>
inline typename T::Small operator/(const T& a, const T& b) {
  return T(static_cast<float>(a) / static_cast<float>(b));
}
template <class T>
inline typename T::Small operator-(const T& a) {
  return T(-static_cast<float>(a));
}
template <class T>
inline typename T::Small operator+(const T& a) {
  return a;
}

}  // namespace planish_cuda
}  // extern "C++"

// The class `name`, of two bytes: from every number, to float.
#define PLANISH_CUDA_SMALL_FLOAT(name, raw, to, from)                                    \
  struct name : planish_cuda::Number {                                                   \
    typedef name Small;                                                                  \
    unsigned short __x;                                                                  \
    name() = default;                                                                    \
    name(float value) : __x(planish_cuda::to(value)) {}                                  \
    name(double value) : __x(planish_cuda::to(static_cast<float>(value))) {}             \
    name(short value) : __x(planish_cuda::to(static_cast<float>(value))) {}              \
    name(unsigned short value) : __x(planish_cuda::to(static_cast<float>(value))) {}     \
    name(int value) : __x(planish_cuda::to(static_cast<float>(value))) {}                \
    name(unsigned value) : __x(planish_cuda::to(static_cast<float>(value))) {}           \
    name(long value) : __x(planish_cuda::to(static_cast<float>(value))) {}               \
    name(unsigned long value) : __x(planish_cuda::to(static_cast<float>(value))) {}      \
    name(long long value) : __x(planish_cuda::to(static_cast<float>(value))) {}          \
    name(unsigned long long value) : __x(planish_cuda::to(static_cast<float>(value))) {} \
    name(raw bits) : __x(bits.x) {}                                                      \
    operator float() const { return planish_cuda::from(__x); }                           \
    operator raw() const {                                                               \
      raw bits;                                                                          \
      bits.x = __x;                                                                      \
      return bits;                                                                       \
    }                                                                                    \
    name& operator+=(const name& other) { return *this = *this + other; }                \
    name& operator-=(const name& other) { return *this = *this - other; }                \
    name& operator*=(const name& other) { return *this = *this * other; }                \
    name& operator/=(const name& other) { return *this = *this / other; }                \
  }

// Functions that both kinds have under the same name.
#define PLANISH_CUDA_SMALL_FLOAT_FUNCTIONS(name)                                                                \
  inline name __hadd(name a, name b) { return a + b; }                                                          \
  inline name __hsub(name a, name b) { return a - b; }                                                          \
  inline name __hmul(name a, name b) { return a * b; }                                                          \
  inline name __hdiv(name a, name b) { return a / b; }                                                          \
  inline name __hneg(name a) { return -a; }                                                                     \
  inline name __habs(name a) {                                                                                  \
    a.__x = static_cast<unsigned short>(a.__x & 0x7fff);                                                        \
    return a;                                                                                                   \
  }                                                                                                             \
  inline name __hfma(name a, name b, name c) {                                                                  \
    return name(static_cast<double>(float(a)) * static_cast<double>(float(b)) + static_cast<double>(float(c))); \
  }                                                                                                             \
  inline bool __heq(name a, name b) { return float(a) == float(b); }                                            \
  inline bool __hne(name a, name b) { return float(a) < float(b) || float(a) > float(b); }                      \
  inline bool __hlt(name a, name b) { return float(a) < float(b); }                                             \
  inline bool __hle(name a, name b) { return float(a) <= float(b); }                                            \
  inline bool __hgt(name a, name b) { return float(a) > float(b); }                                             \
  inline bool __hge(name a, name b) { return float(a) >= float(b); }                                            \
  inline bool __hisnan(name a) { return !(float(a) == float(a)); }                                              \
  inline name __hmax(name a, name b) { return __hisnan(a) || float(a) < float(b) ? b : a; }                     \
  inline name __hmin(name a, name b) { return __hisnan(a) || float(b) < float(a) ? b : a; }
#endif

#endif
