#pragma once
// Vec: the widest fp32 vector of the level being compiled; its `_part` forms touch the first n elements only.
// The scalar level is the oracle for the others.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#if !defined(PLANISH_ISA_scalar)
#include <immintrin.h>
#endif

namespace planish::kernels::cpu::PLANISH_ISA {

#if defined(PLANISH_ISA_avx512)
struct Vec {
  static constexpr int kWidth = 16;
  __m512 v;
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec splat(float x) { return {_mm512_set1_ps(x)}; }
  static Vec load_part(const float* p, int n) {
    return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p)};
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_part(float* p, int n) const { _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v); }
  static Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
  Vec low_bits_as_exponent() const { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(v), 23))}; }
  static Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
  static Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
};
constexpr int kRows = 6, kVectors = 4;  // 24 accumulators of 32 registers, a pointer for each of few rows
#elif defined(PLANISH_ISA_avx2)
struct Vec {
  static constexpr int kWidth = 8;
  __m256 v;
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec splat(float x) { return {_mm256_set1_ps(x)}; }
  static __m256i part(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Vec load_part(const float* p, int n) { return {_mm256_maskload_ps(p, part(n))}; }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void store_part(float* p, int n) const { _mm256_maskstore_ps(p, part(n), v); }
  static Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
  Vec low_bits_as_exponent() const { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(v), 23))}; }
  static Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
  static Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
};
constexpr int kRows = 6, kVectors = 2;  // 12 accumulators of 16 registers
#else
struct Vec {
  static constexpr int kWidth = 1;
  float v;
  static Vec load(const float* p) { return {*p}; }
  static Vec splat(float x) { return {x}; }
  static Vec load_part(const float* p, int) { return {*p}; }
  void store(float* p) const { *p = v; }
  void store_part(float* p, int) const { *p = v; }
  static Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }
  friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
  friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
  friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
  friend Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
  Vec low_bits_as_exponent() const { return {std::bit_cast<float>(std::bit_cast<uint32_t>(v) << 23)}; }
  static Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
  static Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
};
constexpr int kRows = 4, kVectors = 4;
#endif

// Into the second level of cache, ahead of use. Any address will do.
inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }

// Output channels of one packed panel of weights.
constexpr int kPanel = kVectors * Vec::kWidth;

}  // namespace planish::kernels::cpu::PLANISH_ISA
