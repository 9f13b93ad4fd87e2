#pragma once
// Rows of A in words of depth: how elements of each type are put down for each kind of product.

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "kernels/cpu/common/simd.h"
#include "tensor/data_type.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// The bits of bf16(x), rounded to nearest even; NaN stays NaN.
inline uint16_t bf16_bits(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  return static_cast<uint16_t>((x != x ? bits | 0x400000 : rounded) >> 16);
}

#if defined(PLANISH_ISA_avx512)
// `rows` rows of `bytes` bytes, zeros behind them to `padded` bytes, vectors of them; every byte's bits turned by
// `flip`.
inline void copy_rows(const void* from, int64_t from_pitch, void* to, int64_t to_pitch, int64_t padded, int64_t rows,
                      int64_t bytes, uint8_t flip) {
  constexpr int64_t kBytes = 64;
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  const __m512i turned = _mm512_set1_epi8(static_cast<char>(flip));
  const auto mask = [](int64_t n) { return n >= kBytes ? ~__mmask64{0} : n <= 0 ? 0 : (__mmask64{1} << n) - 1; };
  for (int64_t i = 0; i < padded; i += kBytes)
    for (int64_t r = 0; r < rows; ++r) {
      const __m512i x = _mm512_maskz_loadu_epi8(mask(bytes - i), source + r * from_pitch + i);
      _mm512_storeu_si512(target + r * to_pitch + i, _mm512_xor_si512(x, turned));
    }
}
#endif

// put(row, at, x, step, n): values at … at + n - 1 of a row from elements `step` apart. fill: the same from one value.
// lane: one value as it lies. i8 lies as u8, 128 more. kFlip: values lie so with these bits of their bytes turned.
template <class T>
struct ByteRows {
  using Value = T;
  using Lane = uint8_t;
  static constexpr uint8_t kFlip = std::is_signed_v<T> ? 0x80 : 0;
  static uint8_t lane(T x) { return static_cast<uint8_t>(x ^ kFlip); }
  static void put(int32_t* row, int64_t at, const T* __restrict__ x, int64_t step, int64_t n) {
    auto* __restrict__ to = reinterpret_cast<uint8_t*>(row) + at;
    if (step == 1)
      for (int64_t i = 0; i < n; ++i) to[i] = lane(x[i]);
    else
      for (int64_t i = 0; i < n; ++i) to[i] = lane(x[i * step]);
  }
  static void fill(int32_t* row, int64_t at, int64_t value, int64_t n) {
    std::memset(reinterpret_cast<uint8_t*>(row) + at, lane(static_cast<T>(value)), static_cast<size_t>(n));
  }
};

template <class T>
struct I16Rows {
  using Value = T;
  using Lane = int16_t;
  static int16_t lane(T x) { return x; }
  static void put(int32_t* row, int64_t at, const T* __restrict__ x, int64_t step, int64_t n) {
    auto* __restrict__ to = reinterpret_cast<int16_t*>(row) + at;
    if (step == 1)
      for (int64_t i = 0; i < n; ++i) to[i] = x[i];
    else
      for (int64_t i = 0; i < n; ++i) to[i] = x[i * step];
  }
  static void fill(int32_t* row, int64_t at, int64_t value, int64_t n) {
    std::fill_n(reinterpret_cast<int16_t*>(row) + at, n, static_cast<int16_t>(value));
  }
};

// As many of n values as whole vectors take, where the processor multiplies bf16. Denormals become zero, which they are
// to its products.
#if defined(PLANISH_ISA_avx512)
inline int64_t put_bf16_vectors(const float* x, int64_t n, uint16_t* to) {
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m512 low = _mm512_loadu_ps(x + i), high = _mm512_loadu_ps(x + i + 16);
    __m512i both;
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(both) : "v"(low), "v"(high));
    _mm512_storeu_si512(to + i, both);
  }
  return i;
}

// Of pixels of three planes, as many as whole vectors take, side by side with a zero.
inline int64_t put_bf16_colours(const float* red, const float* green, const float* blue, int64_t n, uint16_t* to) {
  const auto halves = [](const float* from) {
    const __m512 x = _mm512_loadu_ps(from);
    __m256i bits;
    __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(x));
    return _mm512_cvtepu16_epi32(bits);
  };
  const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                last = _mm512_add_epi32(first, _mm512_set1_epi32(8));
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m512i pairs = _mm512_or_si512(halves(red + i), _mm512_slli_epi32(halves(green + i), 16));
    const __m512i others = halves(blue + i);
    _mm512_storeu_si512(to + 4 * i, _mm512_permutex2var_epi32(pairs, first, others));
    _mm512_storeu_si512(to + 4 * i + 32, _mm512_permutex2var_epi32(pairs, last, others));
  }
  return i;
}
#else
inline int64_t put_bf16_vectors(const float*, int64_t, uint16_t*) { return 0; }
inline int64_t put_bf16_colours(const float*, const float*, const float*, int64_t, uint16_t*) { return 0; }
#endif

struct Bf16Rows {
  using Value = float;
  using Lane = uint16_t;
  static uint16_t lane(float x) { return bf16_bits(x); }
  static void put(int32_t* row, int64_t at, const float* __restrict__ x, int64_t step, int64_t n) {
    auto* __restrict__ to = reinterpret_cast<uint16_t*>(row) + at;
    if (step == 1)
      for (int64_t i = put_bf16_vectors(x, n, to); i < n; ++i) to[i] = bf16_bits(x[i]);
    else
      for (int64_t i = 0; i < n; ++i) to[i] = bf16_bits(x[i * step]);
  }
  static void fill(int32_t* row, int64_t at, int64_t value, int64_t n) {
    std::fill_n(reinterpret_cast<uint16_t*>(row) + at, n, bf16_bits(static_cast<float>(value)));
  }
};

// bf16 is put down as it is.
struct Bf16Copies {
  using Value = BFloat16;
  using Lane = uint16_t;
  static constexpr uint8_t kFlip = 0;
  static uint16_t lane(BFloat16 x) { return x.bits; }
  static void put(int32_t* row, int64_t at, const BFloat16* __restrict__ x, int64_t step, int64_t n) {
    auto* __restrict__ to = reinterpret_cast<BFloat16*>(row) + at;
    if (step == 1)
      std::memcpy(to, x, static_cast<size_t>(n) * sizeof(BFloat16));
    else
      for (int64_t i = 0; i < n; ++i) to[i] = x[i * step];
  }
  static void fill(int32_t* row, int64_t at, int64_t value, int64_t n) {
    std::fill_n(reinterpret_cast<BFloat16*>(row) + at, n, to_bfloat16(static_cast<float>(value)));
  }
};

// x = high + low: high is x cut off, so that an infinite or NaN one has no low part.
struct Tf32Rows {
  using Value = float;
  int64_t plane = 0;  // words from the high parts to the low ones

  void put(int32_t* row, int64_t at, const float* __restrict__ x, int64_t step, int64_t n) const {
    auto* __restrict__ high = reinterpret_cast<uint16_t*>(row) + at;
    auto* __restrict__ low = reinterpret_cast<uint16_t*>(row + plane) + at;
    const auto split = [=](int64_t i, float value) {
      const uint32_t bits = std::bit_cast<uint32_t>(value), cut = bits & 0xffff0000u;
      const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
      high[i] = static_cast<uint16_t>((value != value ? bits | 0x400000 : bits) >> 16);
      low[i] = finite ? bf16_bits(value - std::bit_cast<float>(cut)) : uint16_t{0};
    };
    if (step == 1)
      for (int64_t i = 0; i < n; ++i) split(i, x[i]);
    else
      for (int64_t i = 0; i < n; ++i) split(i, x[i * step]);
  }
  void fill(int32_t* row, int64_t at, int64_t value, int64_t n) const {
    const float x = static_cast<float>(value);
    put(row, at, &x, 0, n);
  }
};

}  // namespace planish::kernels::cpu::PLANISH_ISA
