#pragma once
// 16-bit floats and the integers that NVRTC does not know by itself. Storage only: arithmetic is in fp32.

using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned;
using int64_t = long long;
using uint64_t = unsigned long long;

struct alignas(2) half_t {
  uint16_t bits;
};
struct alignas(2) bfloat_t {
  uint16_t bits;
};

__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(half_t x) {
  float out;
  asm("cvt.f32.f16 %0, %1;" : "=f"(out) : "h"(x.bits));
  return out;
}
__device__ inline float to_float(bfloat_t x) { return __uint_as_float(static_cast<uint32_t>(x.bits) << 16); }

template <class T>
struct FromFloat {
  __device__ static T make(float x) { return static_cast<T>(x); }
};
template <>
struct FromFloat<half_t> {
  __device__ static half_t make(float x) {
    half_t out;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
    return out;
  }
};
template <>
struct FromFloat<bfloat_t> {
  __device__ static bfloat_t make(float x) {
    bfloat_t out;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out.bits) : "f"(x));
    return out;
  }
};
template <class T>
__device__ inline T from_float(float x) {
  return FromFloat<T>::make(x);
}
