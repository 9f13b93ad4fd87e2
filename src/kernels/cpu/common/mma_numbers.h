#pragma once
// The end of most products of bytes: a block of exact sums becomes rows of bytes in vectors, from the sums to the
// store.
//   q = saturate(round_half_even(clamp(float(sum + offset) * scale + bias [+ (residual - its zero) * its scale]))) +
//   zero

#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/cpu/common/mma_block.h"
#include "kernels/cpu/common/mma_end.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int kEndVectors = kDotColumns / Vec::kWidth;  // of a row of sums

#if defined(PLANISH_ISA_avx512)
inline Vec floats_of(Words w) { return {_mm512_cvtepi32_ps(w)}; }
inline Words rounded(Vec v) { return _mm512_cvtps_epi32(v.v); }
inline Words sum_of(Words a, Words b) { return _mm512_add_epi32(a, b); }
inline Vec load_numbers(const uint8_t* p) {
  return floats_of(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline Vec load_numbers(const int8_t* p) {
  return floats_of(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
template <class T>
inline void store_numbers(const Words (&w)[kEndVectors], T* out) {
  for (int v = 0; v < kEndVectors; ++v)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + v * Vec::kWidth), _mm512_cvtepi32_epi8(w[v]));
}
#elif defined(PLANISH_ISA_avx2)
inline Vec floats_of(Words w) { return {_mm256_cvtepi32_ps(w)}; }
inline Words rounded(Vec v) { return _mm256_cvtps_epi32(v.v); }
inline Words sum_of(Words a, Words b) { return _mm256_add_epi32(a, b); }
inline Vec load_numbers(const uint8_t* p) {
  return floats_of(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline Vec load_numbers(const int8_t* p) {
  return floats_of(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
template <class T>
inline void store_numbers(const Words (&w)[kEndVectors], T* out) {
  static_assert(kEndVectors == 2);
  const __m256i halves = _mm256_permute4x64_epi64(_mm256_packs_epi32(w[0], w[1]), 0xd8);
  const __m128i low = _mm256_castsi256_si128(halves), high = _mm256_extracti128_si256(halves, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   std::is_signed_v<T> ? _mm_packs_epi16(low, high) : _mm_packus_epi16(low, high));
}
#else
inline Vec floats_of(Words w) { return {static_cast<float>(w)}; }
inline Words rounded(Vec v) { return static_cast<Words>(std::nearbyint(v.v)); }
inline Words sum_of(Words a, Words b) { return a + b; }
template <class T>
inline Vec load_numbers(const T* p) {
  return {static_cast<float>(*p)};
}
template <class T>
inline void store_numbers(const Words (&w)[kEndVectors], T* out) {
  for (int v = 0; v < kEndVectors; ++v) out[v] = static_cast<T>(w[v]);
}
#endif

// What a plain end knows of the columns of a panel, as many as a panel has.
class MmaColumns {
 public:
  MmaColumns(const MmaEnd& end, const MmaSpan& span) {
    if (!end.plain) return;
    scales = end.scales + span.column;
    bias = end.bias + span.column;
    offsets = end.offsets + span.column;
    if (span.width == kDotColumns) return;
    scales = copied(scales, span.width, scales_);
    bias = copied(bias, span.width, bias_);
    offsets = copied(offsets, span.width, offsets_);
  }
  MmaColumns(const MmaColumns&) = delete;
  MmaColumns& operator=(const MmaColumns&) = delete;

  const float *scales = nullptr, *bias = nullptr;
  const int32_t* offsets = nullptr;

 private:
  template <class T>
  static const T* copied(const T* from, int64_t n, T* to) {
    std::copy_n(from, n, to);
    std::fill(to + n, to + kDotColumns, T{});
    return to;
  }
  float scales_[kDotColumns], bias_[kDotColumns];
  int32_t offsets_[kDotColumns];
};

// R: of the residual; void: there is none.
template <class T, class R>
void finish_numbers(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  using Residual = std::conditional_t<std::is_void_v<R>, uint8_t, R>;
  const MmaAttrs& attrs = end.params->attrs;
  const auto zero = static_cast<int32_t>(attrs.out_zero);
  const auto bound = [&](int least) { return static_cast<float>(least - zero); };
  const Vec low = Vec::splat(std::max(end.params->low, bound(std::numeric_limits<T>::min()))),
            high = Vec::splat(std::min(end.params->high, bound(std::numeric_limits<T>::max()))),
            residual_zero = Vec::splat(static_cast<float>(attrs.residual_zero)),
            residual_scale = Vec::splat(static_cast<float>(attrs.residual_scale));
  const Words zeros = splat_word(zero);
  const bool part = span.width < kDotColumns;
  RowCursor out(end.out, end.rows, span), residual(end.extra[0], end.rows, span);
  for (int r = 0; r < span.rows; ++r, sums += kDotColumns, out.next()) {
    [[maybe_unused]] const Residual* added = nullptr;
    Residual near[kDotColumns] = {};
    if constexpr (!std::is_void_v<R>) {
      added = residual.template at<Residual>();
      if (part) added = static_cast<const Residual*>(std::memcpy(near, added, static_cast<size_t>(span.width)));
      residual.next();
    }
    Words numbers[kEndVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kEndVectors; ++v) {
      const int at = v * Vec::kWidth;
      Vec x =
          floats_of(sum_of(load_words(sums + at), load_words(columns.offsets + at))) * Vec::load(columns.scales + at) +
          Vec::load(columns.bias + at);
      if constexpr (!std::is_void_v<R>) x = x + (load_numbers(added + at) - residual_zero) * residual_scale;
      numbers[v] = sum_of(rounded(Vec::min(high, Vec::max(low, x))), zeros);
    }
    T* const to = out.template at<T>();
    if (!part) {
      store_numbers(numbers, to);
    } else {
      T some[kDotColumns];
      store_numbers(numbers, some);
      std::memcpy(to, some, static_cast<size_t>(span.width));
    }
  }
}

template <class T>
void finish_numbers_as(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.params->extras == 0) return finish_numbers<T, void>(end, columns, span, sums);
  if (end.extra[0].type == DataType::u8) return finish_numbers<T, uint8_t>(end, columns, span, sums);
  finish_numbers<T, int8_t>(end, columns, span, sums);
}

// A block of the sums of rows span.row ….
inline void finish_block(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (!end.plain) return finish_mma_block(end, span, sums);
  end.out.type == DataType::u8 ? finish_numbers_as<uint8_t>(end, columns, span, sums)
                               : finish_numbers_as<int8_t>(end, columns, span, sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
