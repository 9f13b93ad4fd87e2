#pragma once
// Few rows by numbers: a row is taken as digits of a fixed point, a block's own, whose products with the numbers are
// summed exactly in integers.

#include <bit>
#include <cmath>

#include "kernels/cpu/common/bytes.h"
#include "kernels/cpu/common/micro.h"
#include "kernels/numbers.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int kNumberColumns = static_cast<int>(number_width(Isa::PLANISH_ISA));
constexpr int kNumberVectors = kNumberColumns / Vec::kWidth;
constexpr int kNumberRows = Vec::kWidth == 16 ? 4 : 2;  // whose sums stay in registers

// One row's digits, and what their sums take from the products: those by the numbers' zero point where it is one for
// all, else by 1, negated.
struct DigitRow {
  int8_t* digits = nullptr;
  int32_t* sums = nullptr;
  float* factors = nullptr;
  DigitRow() = default;
  DigitRow(std::byte* memory, const DigitLayout& at)
      : digits(reinterpret_cast<int8_t*>(memory)),
        sums(reinterpret_cast<int32_t*>(memory + at.sums_at())),
        factors(reinterpret_cast<float*>(memory + at.factors_at())) {}
};

// Bits of the largest magnitude.
inline uint32_t largest_bits(const float* __restrict__ x, int64_t n) {
  uint32_t most = 0;
  for (int64_t i = 0; i < n; ++i) most = std::max(most, std::bit_cast<uint32_t>(x[i]) & 0x7fffffffu);
  return most;
}

// q = round(x * by) as digits, those of one place `stride` apart from those of the next; behind n of them zeros.
inline void put_digits(const float* __restrict__ x, int64_t n, float by, int bits, int64_t stride, int8_t* digits,
                       int32_t zero, int32_t* sums) {
  int32_t total[kDigits] = {};
  int8_t* __restrict__ const low = digits;
  int8_t* __restrict__ const middle = digits + stride;
  int8_t* __restrict__ const high = digits + 2 * stride;
  const int32_t half = 1 << (bits - 1);
  for (int64_t i = 0; i < n; ++i) {
    const auto q = static_cast<int32_t>(std::nearbyintf(x[i] * by));
    const int32_t q1 = (q + half) >> bits, d0 = q - (q1 << bits);
    const int32_t d2 = (q1 + half) >> bits, d1 = q1 - (d2 << bits);
    low[i] = static_cast<int8_t>(d0);
    middle[i] = static_cast<int8_t>(d1);
    high[i] = static_cast<int8_t>(d2);
    total[0] += d0;
    total[1] += d1;
    total[2] += d2;
  }
  for (int64_t i = n; i < stride; ++i) low[i] = middle[i] = high[i] = 0;
  for (int d = 0; d < kDigits; ++d) sums[d] = total[d] * zero;
}

// False where a block of the row has no such digits: it holds what is not finite, or nothing but what is close to the
// smallest numbers.
inline bool put_row(const float* x, const NumberLayout& layout, const NumberAttrs& numbers, const DigitLayout& at,
                    DigitRow row) {
  const auto bits = static_cast<int>(numbers.digit_bits);
  const int32_t zero = layout.has_zeros ? -1 : -static_cast<int32_t>(numbers.zero);
  const int32_t top = (kDigits - 1) * bits + bits - 2;  // the largest is taken to [2^top, 2^(top + 1))
  for (int64_t b = 0; b < at.blocks; ++b) {
    const int64_t n = layout.depth_of(b);
    const float* from = x + b * layout.block;
    const uint32_t most = largest_bits(from, n);
    const auto exponent = static_cast<int32_t>(most >> 23);
    if (most != 0 && (exponent <= top + 1 || exponent == 255)) return false;
    const auto power = [](int32_t e) { return std::bit_cast<float>(static_cast<uint32_t>(127 + e) << 23); };
    int32_t raise = most == 0 ? 0 : top - (exponent - 127);
    if (std::bit_cast<float>(most) * power(raise) > largest_digits(bits) - 1) --raise;
    put_digits(from, n, power(raise), bits, at.stride, row.digits + b * kDigits * at.stride, zero,
               row.sums + b * kDigits);
    row.factors[b] = power(-raise);
  }
  return true;
}

#if !defined(PLANISH_ISA_scalar)

// sum + four products of u8 by i8 in each lane. Pairs of them fit into 16 bits: numbers of 4 bits, or digits of 7.
#if defined(PLANISH_ISA_avx512)
struct PairsI8 {
  static void add(Words& sum, Words u, Words i) {
    const Words pairs = _mm512_maddubs_epi16(u, i);
    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
  }
};
inline Words low_halves(Words w) { return _mm512_and_si512(w, _mm512_set1_epi8(15)); }
inline Words high_halves(Words w) { return low_halves(_mm512_srli_epi16(w, 4)); }
inline Words widened(const uint8_t* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
#else
struct PairsI8 {
  static void add(Words& sum, Words u, Words i) {
    const Words pairs = _mm256_maddubs_epi16(u, i);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};
inline Words low_halves(Words w) { return _mm256_and_si256(w, _mm256_set1_epi8(15)); }
inline Words high_halves(Words w) { return low_halves(_mm256_srli_epi16(w, 4)); }
inline Words widened(const uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
#endif

struct NumberTask {
  const NumberLayout* layout;
  const std::byte* panel;
  float base;      // 2^digit_bits
  int64_t stride;  // bytes of one digit of a block
  const DigitRow* rows;
  // What is fetched under the products: so many bytes a step, that rows which pass in groups share the way of the next
  // panel from memory.
  const char* ahead;
  int64_t ahead_bytes;
};

template <class Dot, int R>
using DigitSums = Sums<Dot, R * kDigits, kNumberVectors>;

// += the digits of R rows at block b by its `count` words. A digit is read once for all columns.
template <class Dot, int R, int kBits>
void add_block(const NumberTask& task, int64_t b, const int32_t* words, int64_t count, const char* ahead,
               DigitSums<Dot, R>& sums) {
  constexpr int kDwords = kBits == 8 ? 1 : 2;  // of digits to a word of numbers
  const int32_t* x[R];
  for_constants<R>(
      [&](int r) { x[r] = reinterpret_cast<const int32_t*>(task.rows[r].digits + b * kDigits * task.stride); });
  const int64_t next = task.stride / 4;
  for (int64_t w = 0; w < count; ++w, words += kNumberColumns) {
    __builtin_prefetch(ahead);
    if constexpr (sizeof(Words) == 64) __builtin_prefetch(ahead + 64);
    ahead += task.ahead_bytes;
    Words numbers[kDwords * kNumberVectors];
    for_constants<kNumberVectors>([&](int v) {
      const Words packed = load_words(words + v * Vec::kWidth);
      numbers[v] = kBits == 8 ? packed : low_halves(packed);
      if constexpr (kBits == 4) numbers[kNumberVectors + v] = high_halves(packed);
    });
    for_constants<R * kDigits * kDwords>([&](int i) {
      const int half = i % kDwords, at = i / kDwords;
      const Words digits = splat_word(x[at / kDigits][at % kDigits * next + w * kDwords + half]);
      for_constants<kNumberVectors>(
          [&](int v) { Dot::add(sums.at[at * kNumberVectors + v], numbers[half * kNumberVectors + v], digits); });
    });
  }
}

// acc[r][:] += the sums of R rows' digits by a panel
template <class Dot, int R, int kBits>
[[gnu::flatten]] void number_rows(const NumberTask& task, Vec (&acc)[R][kNumberVectors]) {
  const NumberLayout& layout = *task.layout;
  const std::byte* at = task.panel;
  for (int64_t b = 0; b < layout.blocks(); ++b) {
    const int64_t values = layout.depth_of(b), count = layout.words_of(values), bytes = layout.block_bytes(values);
    const auto* scales = reinterpret_cast<const float*>(at);
    const auto* words = reinterpret_cast<const int32_t*>(at) + kNumberColumns;
    const auto* zeros = reinterpret_cast<const uint8_t*>(words + count * kNumberColumns);
    DigitSums<Dot, R> sums;
    sums.each([&](Words& sum, int digit, int v) {
      sum = splat_word(task.rows[digit / kDigits].sums[b * kDigits + digit % kDigits]);
      if (layout.has_zeros) sum = product_of(sum, widened(zeros + v * Vec::kWidth));
    });
    const char* const ahead = task.ahead + (at - task.panel) * task.ahead_bytes / (kNumberColumns * 4);
    add_block<Dot, R, kBits>(task, b, words, count, ahead, sums);
    const Vec base = Vec::splat(task.base);
    for_constants<R * kNumberVectors>([&](int i) {
      const int r = i / kNumberVectors, v = i % kNumberVectors;
      const auto digit = [&](int d) { return floats_of(sums.at[(r * kDigits + d) * kNumberVectors + v]); };
      const Vec upper = Vec::fma(digit(2), base, digit(1)), whole = Vec::fma(upper, base, digit(0));
      const Vec factor = Vec::splat(task.rows[r].factors[b]);
      acc[r][v] = Vec::fma(whole * factor, Vec::load(scales + v * Vec::kWidth), acc[r][v]);
    });
    at += bytes;
  }
}

template <class Dot, int kBits>
void finish_number_rows(const NumberTask& task, int rows, const float* init, const TileEnd& end) {
  const auto run = [&]<int R>() {
    Vec acc[R][kNumberVectors];
    for (int r = 0; r < R; ++r)
      for (int v = 0; v < kNumberVectors; ++v) acc[r][v] = Vec::load(init + v * Vec::kWidth);
    number_rows<Dot, R, kBits>(task, acc);
    finish_tile<R, kNumberVectors>(acc, end);
  };
  if constexpr (kNumberRows == 4)
    if (rows == 4) return run.template operator()<4>();
  rows == 2 ? run.template operator()<2>() : run.template operator()<1>();
}

using NumberFn = void (*)(const NumberTask&, int rows, const float* init, const TileEnd&);

// For 1, 2 or kNumberRows rows.
inline NumberFn number_function(int64_t bits, bool dots) {
  if (dots) return bits == 8 ? finish_number_rows<DotI8, 8> : finish_number_rows<DotI8, 4>;
  return bits == 8 ? finish_number_rows<PairsI8, 8> : finish_number_rows<PairsI8, 4>;
}

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
