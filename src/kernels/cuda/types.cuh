#pragma once
// Element types of products: their size, what they are summed in, and runs of them between memory and registers.

#include "small_floats.cuh"

#define PLANISH_DEVICE __device__ __forceinline__

// fp32 in memory, multiplied with the mantissa's 10 upper bits.
struct tf32_t {
  float value;
};
PLANISH_DEVICE float to_float(tf32_t x) { return x.value; }
PLANISH_DEVICE float to_float(int8_t x) { return static_cast<float>(x); }
PLANISH_DEVICE float to_float(uint8_t x) { return static_cast<float>(x); }

// The bytes of a CUtensorMap. Kernels take it as `const __grid_constant__ TensorMap`.
struct alignas(64) TensorMap {
  uint8_t bytes[128];
};

template <class T>
struct Sum {
  using type = float;
};
template <>
struct Sum<int8_t> {
  using type = int;
};
template <>
struct Sum<uint8_t> {
  using type = int;
};

PLANISH_DEVICE uint32_t pack_half2(float low, float high) {
  uint32_t out;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
PLANISH_DEVICE uint32_t pack_bfloat2(float low, float high) {
  uint32_t out;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(out) : "f"(high), "f"(low));
  return out;
}
PLANISH_DEVICE int round_to_int(float x) {  // half to even
  int out;
  asm("cvt.rni.s32.f32 %0, %1;" : "=r"(out) : "f"(x));
  return out;
}
// Of x between whole numbers, rounded half to even: the last byte of it and 1.5 * 2^23.
PLANISH_DEVICE uint32_t rounded_bits(float x, float least, float most) {
  return __float_as_uint(__fadd_rn(fminf(fmaxf(x, least), most), 12582912.0f));
}
// As pack_bytes, of finite values, by instructions of full rate.
template <class T>
PLANISH_DEVICE uint32_t pack_tame_bytes(float a, float b, float c, float d) {
  constexpr float least = static_cast<T>(-1) < 0 ? -128 : 0, most = least + 255;
  const uint32_t low = __byte_perm(rounded_bits(a, least, most), rounded_bits(b, least, most), 0x0040);
  const uint32_t high = __byte_perm(rounded_bits(c, least, most), rounded_bits(d, least, most), 0x0040);
  return __byte_perm(low, high, 0x5410);
}
// Saturated to the range of T, int8_t or uint8_t; a in the low byte.
template <class T>
PLANISH_DEVICE uint32_t pack_bytes(float a, float b, float c, float d) {
  uint32_t out;
  if constexpr (static_cast<T>(-1) < 0)
    asm("{.reg .b32 upper;\n"
        "cvt.pack.sat.s8.s32.b32 upper, %4, %3, 0;\n"
        "cvt.pack.sat.s8.s32.b32 %0, %2, %1, upper;}"
        : "=r"(out)
        : "r"(round_to_int(a)), "r"(round_to_int(b)), "r"(round_to_int(c)), "r"(round_to_int(d)));
  else
    asm("{.reg .b32 upper;\n"
        "cvt.pack.sat.u8.s32.b32 upper, %4, %3, 0;\n"
        "cvt.pack.sat.u8.s32.b32 %0, %2, %1, upper;}"
        : "=r"(out)
        : "r"(round_to_int(a)), "r"(round_to_int(b)), "r"(round_to_int(c)), "r"(round_to_int(d)));
  return out;
}
PLANISH_DEVICE float low_half(uint32_t x) { return to_float(half_t{static_cast<uint16_t>(x)}); }
PLANISH_DEVICE float high_half(uint32_t x) { return to_float(half_t{static_cast<uint16_t>(x >> 16)}); }

PLANISH_DEVICE float infinity() { return __int_as_float(0x7f800000); }

// To the nearest, half to even; integers saturate.
template <class T>
PLANISH_DEVICE T rounded_to(float x) {
  if constexpr (sizeof(T) == 1)
    return static_cast<T>(pack_bytes<T>(x, 0, 0, 0));
  else
    return from_float<T>(x);
}

// W neighbouring elements as 32-bit words: W * sizeof(T) is a multiple of 4.
template <class T>
struct Words;
template <>
struct Words<half_t> {
  template <int W>
  static PLANISH_DEVICE void pack(uint32_t* words, const float* values) {
#pragma unroll
    for (int i = 0; i < W / 2; i++) words[i] = pack_half2(values[2 * i], values[2 * i + 1]);
  }
  template <int W>
  static PLANISH_DEVICE void unpack(float* values, const uint32_t* words) {
#pragma unroll
    for (int i = 0; i < W / 2; i++) values[2 * i] = low_half(words[i]), values[2 * i + 1] = high_half(words[i]);
  }
};
template <>
struct Words<bfloat_t> {
  template <int W>
  static PLANISH_DEVICE void pack(uint32_t* words, const float* values) {
#pragma unroll
    for (int i = 0; i < W / 2; i++) words[i] = pack_bfloat2(values[2 * i], values[2 * i + 1]);
  }
  template <int W>
  static PLANISH_DEVICE void unpack(float* values, const uint32_t* words) {
#pragma unroll
    for (int i = 0; i < W / 2; i++) {
      values[2 * i] = __uint_as_float(words[i] << 16);
      values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
  }
};
template <>
struct Words<float> {
  template <int W>
  static PLANISH_DEVICE void pack(uint32_t* words, const float* values) {
#pragma unroll
    for (int i = 0; i < W; i++) words[i] = __float_as_uint(values[i]);
  }
  template <int W>
  static PLANISH_DEVICE void unpack(float* values, const uint32_t* words) {
#pragma unroll
    for (int i = 0; i < W; i++) values[i] = __uint_as_float(words[i]);
  }
};
template <class T>
struct ByteWords {
  template <int W>
  static PLANISH_DEVICE void pack(uint32_t* words, const float* values) {
#pragma unroll
    for (int i = 0; i < W / 4; i++)
#ifdef PLANISH_TAME
      words[i] = pack_tame_bytes<T>(values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3]);
#else
      words[i] = pack_bytes<T>(values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3]);
#endif
  }
  // A byte below the exponent of 2^23 is that much more than 2^23; signed ones count from 128 below.
  template <int W>
  static PLANISH_DEVICE void unpack(float* values, const uint32_t* words) {
    constexpr bool is_signed = static_cast<T>(-1) < 0;
#pragma unroll
    for (int i = 0; i < W; i++) {
      const uint32_t word = is_signed ? words[i / 4] ^ 0x80808080u : words[i / 4];
      values[i] =
          __uint_as_float(__byte_perm(word, 0x4b000000u, 0x7440 + i % 4)) - (is_signed ? 8388736.0f : 8388608.0f);
    }
  }
};
template <>
struct Words<int8_t> : ByteWords<int8_t> {};
template <>
struct Words<uint8_t> : ByteWords<uint8_t> {};

// N words at an address aligned to them (to 16 bytes from 4 words on).
template <int N>
PLANISH_DEVICE void store_words(void* to, const uint32_t* words) {
  if constexpr (N >= 4) {
#pragma unroll
    for (int i = 0; i < N / 4; i++)
      static_cast<uint4*>(to)[i] = make_uint4(words[4 * i], words[4 * i + 1], words[4 * i + 2], words[4 * i + 3]);
  } else if constexpr (N == 2) {
    *static_cast<uint2*>(to) = make_uint2(words[0], words[1]);
  } else {
    static_assert(N == 1, "a run is 1, 2 or a multiple of 4 words");
    *static_cast<uint32_t*>(to) = words[0];
  }
}
// The same, past L1: what another grid may have written while this one waited.
template <int N>
PLANISH_DEVICE void load_words(uint32_t* words, const void* from) {
  if constexpr (N >= 4) {
#pragma unroll
    for (int i = 0; i < N / 4; i++)
      asm volatile("ld.global.cg.v4.u32 {%0, %1, %2, %3}, [%4];"
                   : "=r"(words[4 * i]), "=r"(words[4 * i + 1]), "=r"(words[4 * i + 2]), "=r"(words[4 * i + 3])
                   : "l"(static_cast<const uint4*>(from) + i)
                   : "memory");
  } else if constexpr (N == 2) {
    asm volatile("ld.global.cg.v2.u32 {%0, %1}, [%2];" : "=r"(words[0]), "=r"(words[1]) : "l"(from) : "memory");
  } else {
    asm volatile("ld.global.cg.u32 %0, [%1];" : "=r"(words[0]) : "l"(from) : "memory");
  }
}

// W elements in order; below one word element by element.
template <class T, int W>
PLANISH_DEVICE void store_run(T* to, const float* values) {
  constexpr int bytes = W * static_cast<int>(sizeof(T));
  if constexpr (bytes % 4 == 0) {
    uint32_t words[bytes / 4];
    Words<T>::template pack<W>(words, values);
    store_words<bytes / 4>(to, words);
  } else {
    static_assert(sizeof(T) == 1 && W == 2, "runs below a word are pairs of bytes");
    *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(pack_bytes<T>(values[0], values[1], 0, 0));
  }
}
template <class T, int W>
PLANISH_DEVICE void load_run(float* values, const T* from) {
  constexpr int bytes = W * static_cast<int>(sizeof(T));
  if constexpr (bytes % 4 == 0) {
    uint32_t words[bytes / 4];
    load_words<bytes / 4>(words, from);
    Words<T>::template unpack<W>(values, words);
  } else {
    uint16_t pair;
    asm volatile("ld.global.cg.u16 %0, [%1];" : "=h"(pair) : "l"(from) : "memory");
    values[0] = static_cast<float>(static_cast<T>(pair));
    values[1] = static_cast<float>(static_cast<T>(pair >> 8));
  }
}
