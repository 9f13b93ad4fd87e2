#pragma once
// Vectors of f16 and bf16 in memory, f32 in registers. A bf16 is the upper half of an f32.

#include "base/cpu_features.h"
#include "kernels/cpu/common/simd.h"
#include "tensor/data_type.h"
#include "tensor/view.h"

namespace planish::kernels::cpu::PLANISH_ISA {

template <class T>
inline float float_of(T value) {
  if constexpr (std::is_same_v<T, BFloat16>)
    return std::bit_cast<float>(uint32_t{value.bits} << 16);
  else
    return static_cast<float>(value);
}

inline Vec load_widened(const float* p) { return Vec::load(p); }
inline Vec load_widened_part(const float* p, int n) { return Vec::load_part(p, n); }

// Narrowing rounds to nearest even and keeps NaN: of the bits of an f32, x + 0x7fff + (bit 16 of x), then the upper
// half.
#if defined(PLANISH_ISA_avx512)
inline __m256i load_halves(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline void store_halves(void* p, __m256i halves) { _mm256_storeu_si256(static_cast<__m256i*>(p), halves); }

inline Vec load_widened(const Half* p) { return {_mm512_cvtph_ps(load_halves(p))}; }
inline Vec load_widened(const BFloat16* p) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load_halves(p)), 16))};
}
inline void store_narrowed(Vec x, Half* p) { store_halves(p, _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT)); }
inline __m256i narrowed_bits(Vec x) {
  const __m512i bits = _mm512_castps_si512(x.v), upper = _mm512_srli_epi32(bits, 16);
  const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
  const __m512i rounded =
      _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
  const __mmask16 nan = _mm512_cmp_ps_mask(x.v, x.v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40)));
}
inline void store_narrowed(Vec x, BFloat16* p) { store_halves(p, narrowed_bits(x)); }
inline Vec load_widened_part(const BFloat16* p, int n) {
  const __m256i halves = _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p);
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16))};
}
inline void store_narrowed_part(Vec x, BFloat16* p, int n) {
  _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1u << n) - 1), narrowed_bits(x));
}
// The same by the instruction of processors that have it; denormals become zero.
inline __m256i bf16_by_instruction(Vec x) {
  __m256i bits;
  __asm__("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(x.v));
  return bits;
}
#elif defined(PLANISH_ISA_avx2)
inline __m128i load_halves(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
inline void store_halves(void* p, __m128i halves) { _mm_storeu_si128(static_cast<__m128i*>(p), halves); }

inline Vec load_widened(const Half* p) { return {_mm256_cvtph_ps(load_halves(p))}; }
inline Vec load_widened(const BFloat16* p) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_halves(p)), 16))};
}
inline void store_narrowed(Vec x, Half* p) { store_halves(p, _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT)); }
inline void store_narrowed(Vec x, BFloat16* p) {
  const __m256i bits = _mm256_castps_si256(x.v), upper = _mm256_srli_epi32(bits, 16);
  const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
  const __m256i rounded =
      _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x.v, x.v, _CMP_UNORD_Q));
  const __m256i kept = _mm256_blendv_epi8(rounded, _mm256_or_si256(upper, _mm256_set1_epi32(0x40)), nan);
  // Each half of 128 bits packs by itself: the two halves of the result are its quarters 0 and 2.
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(kept, kept), 0x08);
  store_halves(p, _mm256_castsi256_si128(packed));
}
inline Vec load_widened_part(const BFloat16* p, int n) {
  BFloat16 all[8] = {};
  std::memcpy(all, p, static_cast<size_t>(n) * sizeof(BFloat16));
  return load_widened(all);
}
inline void store_narrowed_part(Vec x, BFloat16* p, int n) {
  BFloat16 all[8];
  store_narrowed(x, all);
  std::memcpy(p, all, static_cast<size_t>(n) * sizeof(BFloat16));
}
#else
inline Vec load_widened(const Half* p) { return {to_float(*p)}; }
inline Vec load_widened(const BFloat16* p) { return {to_float(*p)}; }
inline Vec load_widened_part(const BFloat16* p, int) { return load_widened(p); }
inline void store_narrowed(Vec x, Half* p) { *p = to_half(x.v); }
inline void store_narrowed(Vec x, BFloat16* p) { *p = to_bfloat16(x.v); }
inline void store_narrowed_part(Vec x, BFloat16* p, int) { store_narrowed(x, p); }
#endif

// Values lie in memory as bf16 where products of it are fast: elsewhere there is no code for it.
#if defined(PLANISH_ISA_avx512)
constexpr bool kStoresHalf = true;
constexpr std::initializer_list<DataType> kFloatTypes = {DataType::f32, DataType::bf16};
#else
constexpr bool kStoresHalf = false;
constexpr std::initializer_list<DataType> kFloatTypes = {DataType::f32};
#endif
inline bool lies_half(DataType type) { return kStoresHalf && type == DataType::bf16; }

// Vectors that may be stored as bf16, by the processor's instruction where it has one.
class HalfStore {
 public:
  void operator()(Vec x, float* to) const { x.store(to); }
  void operator()(Vec x, float* to, int n) const { x.store_part(to, n); }
#if defined(PLANISH_ISA_avx512)
  void operator()(Vec x, BFloat16* to) const { store_halves(to, bits(x)); }
  void operator()(Vec x, BFloat16* to, int n) const {
    _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << n) - 1), bits(x));
  }

 private:
  __m256i bits(Vec x) const { return by_instruction_ ? bf16_by_instruction(x) : narrowed_bits(x); }
  bool by_instruction_ = cpu_info().has(Isa::avx512_bf16);
#else
  void operator()(Vec x, BFloat16* to) const { store_narrowed(x, to); }
  void operator()(Vec x, BFloat16* to, int n) const { store_narrowed_part(x, to, n); }
#endif
};

// Elements of f32 or bf16.
struct Elements {
  std::byte* data = nullptr;
  DataType type = DataType::f32;

  bool is_half() const { return lies_half(type); }
  Elements at(int64_t element) const {
    return {data + element * static_cast<int64_t>(is_half() ? sizeof(BFloat16) : sizeof(float)), type};
  }
};

inline Elements elements_of(const TensorView& view) { return {static_cast<std::byte*>(view.data), view.dtype}; }

// A vector, or with kPart its first n lanes.
template <bool kPart, class T>
inline Vec load_some(const T* p, int n) {
  if constexpr (kPart)
    return load_widened_part(p, n);
  else
    return load_widened(p);
}

template <bool kPart>
inline Vec load_some(const Elements& from, int64_t at, int n) {
  if (from.is_half()) return load_some<kPart>(reinterpret_cast<const BFloat16*>(from.data) + at, n);
  return load_some<kPart>(reinterpret_cast<const float*>(from.data) + at, n);
}

template <bool kPart, class T>
inline void store_some(const HalfStore& store, Vec x, T* to, int n) {
  if constexpr (kPart)
    store(x, to, n);
  else
    store(x, to);
}

template <bool kPart>
inline void store_some(const HalfStore& store, Vec x, const Elements& to, int64_t at, int n) {
  if (to.is_half())
    store_some<kPart>(store, x, reinterpret_cast<BFloat16*>(to.data) + at, n);
  else
    store_some<kPart>(store, x, reinterpret_cast<float*>(to.data) + at, n);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
