#pragma once
// Vectors of bytes: to and from fp32, and through tables of 256.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/cpu/common/mma_block.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int kByteVectors = kDotColumns / Vec::kWidth;  // of words, which are stored as bytes together

#if defined(PLANISH_ISA_avx512)
inline Vec floats_of(Words w) { return {_mm512_cvtepi32_ps(w)}; }
inline Words rounded(Vec v) { return _mm512_cvtps_epi32(v.v); }
inline Words sum_of(Words a, Words b) { return _mm512_add_epi32(a, b); }
inline Words product_of(Words a, Words b) { return _mm512_mullo_epi32(a, b); }
inline Vec quotient_of(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline bool all_less(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ) == 0xffff; }
inline Vec load_bytes(const uint8_t* p) {
  return floats_of(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Vec load_bytes(const int8_t* p) {
  return floats_of(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
// Words within the range of T; two rows of them, at once where that is cheaper.
template <class T>
inline void store_bytes(const Words (&w)[kByteVectors], T* out) {
  for (int v = 0; v < kByteVectors; ++v)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + v * Vec::kWidth), _mm512_cvtepi32_epi8(w[v]));
}
template <class T>
inline void store_bytes(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], T* to_a, T* to_b) {
  store_bytes(a, to_a);
  store_bytes(b, to_b);
}
// What turns signed bytes into unsigned ones, 128 more.
inline Words flip_of(bool is_signed) { return _mm512_set1_epi8(static_cast<char>(is_signed ? 0x80 : 0)); }
// Bytes as floats, their bits turned by `flip` before.
inline Vec load_flipped(const uint8_t* p, Words flip) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return floats_of(_mm512_cvtepu8_epi32(_mm_xor_si128(bytes, _mm512_castsi512_si128(flip))));
}
// saturate(word + zero) ^ flip of two rows of any words, as u8; `zeros` has two of it a word.
inline Words saturated(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], Words zeros, Words flip) {
  static_assert(kByteVectors == 2);
  const __m512i x = _mm512_adds_epi16(_mm512_packs_epi32(a[0], a[1]), zeros),
                y = _mm512_adds_epi16(_mm512_packs_epi32(b[0], b[1]), zeros);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_xor_si512(_mm512_packus_epi16(x, y), flip));
}
inline void store_halves(Words rows, uint8_t* to_a, uint8_t* to_b) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_a), _mm512_castsi512_si256(rows));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_b), _mm512_extracti64x4_epi64(rows, 1));
}
inline void store_saturated(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], Words zeros, Words flip,
                            uint8_t* to_a, uint8_t* to_b) {
  store_halves(saturated(a, b, zeros, flip), to_a, to_b);
}
#elif defined(PLANISH_ISA_avx2)
inline Vec floats_of(Words w) { return {_mm256_cvtepi32_ps(w)}; }
inline Words rounded(Vec v) { return _mm256_cvtps_epi32(v.v); }
inline Words sum_of(Words a, Words b) { return _mm256_add_epi32(a, b); }
inline Words product_of(Words a, Words b) { return _mm256_mullo_epi32(a, b); }
inline Vec quotient_of(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline bool all_less(Vec a, Vec b) { return _mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)) == 0xff; }
inline Vec load_bytes(const uint8_t* p) {
  return floats_of(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline Vec load_bytes(const int8_t* p) {
  return floats_of(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline Words flip_of(bool is_signed) { return _mm256_set1_epi8(static_cast<char>(is_signed ? 0x80 : 0)); }
inline Vec load_flipped(const uint8_t* p, Words flip) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return floats_of(_mm256_cvtepu8_epi32(_mm_xor_si128(bytes, _mm256_castsi256_si128(flip))));
}
inline void store_saturated(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], Words zeros, Words flip,
                            uint8_t* to_a, uint8_t* to_b) {
  static_assert(kByteVectors == 2);
  const __m256i x = _mm256_adds_epi16(_mm256_packs_epi32(a[0], a[1]), zeros),
                y = _mm256_adds_epi16(_mm256_packs_epi32(b[0], b[1]), zeros);
  const __m256i mixed = _mm256_xor_si256(_mm256_packus_epi16(x, y), flip);
  const __m256i rows = _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to_a), _mm256_castsi256_si128(rows));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to_b), _mm256_extracti128_si256(rows, 1));
}
// Words within the range of T; two rows of them, at once where that is cheaper.
template <class T>
inline void store_bytes(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], T* to_a, T* to_b) {
  constexpr bool kSigned = std::is_signed_v<T>;
  store_saturated(a, b, splat_word(kSigned ? 0x00800080 : 0), flip_of(kSigned), reinterpret_cast<uint8_t*>(to_a),
                  reinterpret_cast<uint8_t*>(to_b));
}
template <class T>
inline void store_bytes(const Words (&w)[kByteVectors], T* out) {
  store_bytes(w, w, out, out);
}
#else
inline Vec floats_of(Words w) { return {static_cast<float>(w)}; }
inline Words rounded(Vec v) { return static_cast<Words>(std::nearbyint(v.v)); }
inline Words sum_of(Words a, Words b) { return a + b; }
inline Words product_of(Words a, Words b) { return a * b; }
inline Vec quotient_of(Vec a, Vec b) { return {a.v / b.v}; }
inline bool all_less(Vec a, Vec b) { return a.v < b.v; }
template <class T>
inline Vec load_bytes(const T* p) {
  return {static_cast<float>(*p)};
}
template <class T>
inline void store_bytes(const Words (&w)[kByteVectors], T* out) {
  for (int v = 0; v < kByteVectors; ++v) out[v] = static_cast<T>(w[v]);
}
template <class T>
inline void store_bytes(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], T* to_a, T* to_b) {
  store_bytes(a, to_a);
  store_bytes(b, to_b);
}
inline Words flip_of(bool is_signed) { return is_signed ? 0x80 : 0; }
inline Vec load_flipped(const uint8_t* p, Words flip) { return {static_cast<float>(*p ^ flip)}; }
inline void store_saturated(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], Words zeros, Words flip,
                            uint8_t* to_a, uint8_t* to_b) {
  const auto saturated = [flip, zero = static_cast<int16_t>(zeros)](Words w) {
    return static_cast<uint8_t>(std::clamp<int64_t>(int64_t{w} + zero, 0, 255) ^ flip);
  };
  for (int v = 0; v < kByteVectors; ++v) to_a[v] = saturated(a[v]);
  for (int v = 0; v < kByteVectors; ++v) to_b[v] = saturated(b[v]);
}
#endif

// Quotients by one scale that round to bytes: products with its inverse, which are off by less than 2^-13 where the
// quotient is below 2^9, and beyond that both saturate. Only near a half they may round otherwise.
class ByteQuotients {
 public:
  explicit ByteQuotients(float scale)
      : is_tame(std::abs(scale) > 1e-15f && std::abs(scale) < 1e15f), inverse_(Vec::splat(1 / scale)) {}
  const bool is_tame;  // else no inverse serves

  Vec of(Vec x) const { return x * inverse_; }
  // Whether all of them round as the quotients do; none is NaN or beyond 32-bit integers.
  static bool are_certain(Vec quotients) {
    const Vec off = quotients - floats_of(rounded(quotients));
    return all_less(Vec::max(off, Vec::splat(0) - off), Vec::splat(0.5f - 0x1p-13f));
  }

 private:
  Vec inverse_;
};

// Bytes through a table: sixteen shuffles look the low half of each up, a tree of blends selects by the bits of the
// high half.
#if !defined(PLANISH_ISA_scalar)
class ByteTable {
 public:
#if defined(PLANISH_ISA_avx512)
  using Bytes = __m512i;
  using Mask = __mmask64;
  static Bytes load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static void store(uint8_t* p, Bytes x) { _mm512_storeu_si512(p, x); }
  static Bytes low_half(Bytes x) { return _mm512_and_si512(x, _mm512_set1_epi8(15)); }
  template <int Shift>
  static Mask mask(Bytes x) {
    return _mm512_movepi8_mask(_mm512_slli_epi16(x, Shift));
  }
  static Bytes blend(Bytes a, Bytes b, Mask m) { return _mm512_mask_blend_epi8(m, a, b); }
  static Bytes shuffle(const uint8_t* row, Bytes x) {
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row))), x);
  }
#else
  using Bytes = __m256i;
  using Mask = __m256i;
  static Bytes load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static void store(uint8_t* p, Bytes x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  static Bytes low_half(Bytes x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
  template <int Shift>
  static Mask mask(Bytes x) {
    return _mm256_slli_epi16(x, Shift);  // a blend looks at the highest bit of each byte
  }
  static Bytes blend(Bytes a, Bytes b, Mask m) { return _mm256_blendv_epi8(a, b, m); }
  static Bytes shuffle(const uint8_t* row, Bytes x) {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row))), x);
  }
#endif
  static constexpr int64_t kAtOnce = sizeof(Bytes);

  static void look_up(const uint8_t* table, const uint8_t* from, uint8_t* to) { store(to, found(table, load(from))); }
  // The first n, fewer than a vector has.
  static void look_up_some(const uint8_t* table, const uint8_t* from, uint8_t* to, int64_t n) {
#if defined(PLANISH_ISA_avx512)
    const auto some = (__mmask64{1} << n) - 1;
    _mm512_mask_storeu_epi8(to, some, found(table, _mm512_maskz_loadu_epi8(some, from)));
#else
    uint8_t rest[kAtOnce] = {};
    std::memcpy(rest, from, static_cast<size_t>(n));
    look_up(table, rest, rest);
    std::memcpy(to, rest, static_cast<size_t>(n));
#endif
  }

 private:
  static Bytes found(const uint8_t* table, Bytes x) {
    const Mask bits[4] = {mask<3>(x), mask<2>(x), mask<1>(x), mask<0>(x)};
    return select<4, 0>(table, low_half(x), bits);
  }
  // Of the 2^Level rows from Row * 2^Level on.
  template <int Level, int Row>
  static Bytes select(const uint8_t* table, Bytes low, const Mask (&bits)[4]) {
    if constexpr (Level == 0)
      return shuffle(table + Row * 16, low);
    else
      return blend(select<Level - 1, 2 * Row>(table, low, bits), select<Level - 1, 2 * Row + 1>(table, low, bits),
                   bits[Level - 1]);
  }
};

#if defined(PLANISH_ISA_avx512)
// Where the processor looks 128 bytes up at once, two halves of the table and a blend by the highest bit.
class PermutedTable {
 public:
  explicit PermutedTable(const uint8_t* table) {
    for (int i = 0; i < 4; ++i) quarters_[i] = _mm512_loadu_si512(table + 64 * i);
  }
  static bool is_there() {
    static const bool has = __builtin_cpu_supports("avx512vbmi") != 0;
    return has;
  }
  __m512i found(__m512i x) const {
    __m512i low = x, high = x;
    __asm__("vpermi2b %2, %1, %0" : "+v"(low) : "v"(quarters_[0]), "v"(quarters_[1]));
    __asm__("vpermi2b %2, %1, %0" : "+v"(high) : "v"(quarters_[2]), "v"(quarters_[3]));
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
  }

 private:
  __m512i quarters_[4];
};

inline void look_up_permuted(const uint8_t* table, const uint8_t* from, uint8_t* to, int64_t n) {
  const PermutedTable permuted(table);
  int64_t i = 0;
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(to + i, permuted.found(_mm512_loadu_si512(from + i)));
  if (i == n) return;
  const auto some = (__mmask64{1} << (n - i)) - 1;
  _mm512_mask_storeu_epi8(to + i, some, permuted.found(_mm512_maskz_loadu_epi8(some, from + i)));
}
#endif

inline void look_up(const uint8_t* table, const uint8_t* from, uint8_t* to, int64_t n) {
#if defined(PLANISH_ISA_avx512)
  if (PermutedTable::is_there()) return look_up_permuted(table, from, to, n);
#endif
  constexpr int64_t kAtOnce = ByteTable::kAtOnce;
  int64_t i = 0;
  for (; i + kAtOnce <= n; i += kAtOnce) ByteTable::look_up(table, from + i, to + i);
  if (i < n) ByteTable::look_up_some(table, from + i, to + i, n - i);
}
#else
inline void look_up(const uint8_t* table, const uint8_t* from, uint8_t* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = table[from[i]];
}
#endif

// Values of 32 bits by bytes: one by one, as loads that a vector gathers are slower.
inline void look_up(const float* table, const uint8_t* from, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, from + i, sizeof(bytes));
    float values[8];
#pragma GCC unroll 8
    for (int k = 0; k < 8; ++k) values[k] = table[bytes >> (8 * k) & 255];
    std::memcpy(to + i, values, sizeof(values));
  }
  for (; i < n; ++i) to[i] = table[from[i]];
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
