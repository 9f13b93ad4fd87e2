#pragma once
// Products whose sums stay in registers until they are stored as what they become: bf16, which begin as the bias, and
// bytes, which begin as the offsets. Little depth leaves no time for a way through memory. Rows lie evenly apart.

#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/mma_numbers.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// What becomes of a block's rows, `width` columns of each.
struct DirectEnd {
  const MmaEnd& end;
  const MmaColumns& columns;
  const MmaSpan& span;
};

#if defined(PLANISH_ISA_avx512)

inline Vec as_floats(Words sum) { return {_mm512_castsi512_ps(sum)}; }
inline Words as_words(Vec x) { return _mm512_castps_si512(x.v); }

// Where the span begins.
template <class T>
T* place(const MmaOperand& operand, const MmaSpan& span) {
  return reinterpret_cast<T*>(operand.data) + span.row * operand.pitch + span.column;
}

// bf16: y = clamp(activation(sum) + residual), f32 or bf16.
class FloatEnd {
 public:
  using Dot = DotBf16;
  static const int32_t* first(const MmaColumns& columns) { return reinterpret_cast<const int32_t*>(columns.bias); }

  explicit FloatEnd(const DirectEnd& direct)
      : end_(direct.end),
        span_(direct.span),
        columns_(static_cast<uint32_t>((uint64_t{1} << direct.span.width) - 1)),
        low_(Vec::splat(direct.end.params->low)),
        high_(Vec::splat(direct.end.params->high)) {}

  template <int R, int V>
  void leave(Sums<Dot, R, V>& sums) const {
    if (end_.activation != nullptr) {  // in memory of their own, so that the sums stay in registers before
      Vec values[R * V];
      sums.each([&](Words& sum, int r, int v) { values[r * V + v] = as_floats(sum); });
      activate_sums(*end_.activation, values, R * V, end_.out.type == DataType::bf16);
      sums.each([&](Words& sum, int r, int v) { sum = as_words(values[r * V + v]); });
    }
    if (end_.params->extras > 0) add(sums);
    store(sums);
  }

 private:
  __mmask16 some(int v) const { return static_cast<__mmask16>(columns_ >> (v * Vec::kWidth)); }

  template <int R, int V>
  void add(Sums<Dot, R, V>& sums) const {
    const MmaOperand& added = end_.extra[0];
    const int64_t pitch = added.pitch;
    if (added.type == DataType::f32) {
      const float* from = place<const float>(added, span_);
      sums.each([=, this](Words& sum, int r, int v) {
        sum = as_words(as_floats(sum) + Vec{_mm512_maskz_loadu_ps(some(v), from + r * pitch + v * Vec::kWidth)});
      });
    } else {
      const BFloat16* from = place<const BFloat16>(added, span_);
      sums.each([=, this](Words& sum, int r, int v) {
        const __m256i halves = _mm256_maskz_loadu_epi16(some(v), from + r * pitch + v * Vec::kWidth);
        sum = as_words(as_floats(sum) + as_floats(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16)));
      });
    }
  }
  template <int R, int V>
  void store(Sums<Dot, R, V>& sums) const {
    const int64_t pitch = end_.out.pitch;
    const auto clamped = [this](Words sum) { return Vec::min(high_, Vec::max(low_, as_floats(sum))); };
    if (end_.out.type == DataType::f32) {
      float* to = place<float>(end_.out, span_);
      sums.each([=, this](Words& sum, int r, int v) {
        _mm512_mask_storeu_ps(to + r * pitch + v * Vec::kWidth, some(v), clamped(sum).v);
      });
    } else {
      BFloat16* to = place<BFloat16>(end_.out, span_);
      for_constants<R>([&](int r) {
        const Vec low = clamped(sums.at[r * V]);
        if constexpr (V == 1) {
          _mm256_mask_storeu_epi16(to + r * pitch, some(0), bf16_by_instruction(low));
        } else {
          __m512i both;
          __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(both) : "v"(low.v), "v"(clamped(sums.at[r * V + 1]).v));
          _mm512_mask_storeu_epi16(to + r * pitch, columns_, both);
        }
      });
    }
  }

  const MmaEnd& end_;
  const MmaSpan& span_;
  uint32_t columns_;
  Vec low_, high_;
};

// Bytes: whole panels.
struct NumberEnd {
  using Dot = DotI8;
  static const int32_t* first(const MmaColumns& columns) { return columns.offsets; }
  const DirectEnd& direct;

  template <int R, int V>
  void leave(Sums<Dot, R, V>& sums) const {
    static_assert(V == kByteVectors);
    const NumberScale scale(direct.end, direct.columns);
    sums.each([&](Words& sum, int, int v) { sum = as_words(scale.scaled(sum, v)); });
    if (direct.end.params->extras > 0) {
      const uint8_t* const added = place<uint8_t>(direct.end.extra[0], direct.span);
      const int64_t pitch = direct.end.extra[0].pitch;
      if (scale.has_inner()) sums.each([&](Words& sum, int, int) { sum = as_words(scale.numbered(as_floats(sum))); });
      sums.each([&](Words& sum, int r, int v) {
        sum = as_words(scale.joined(as_floats(sum), added + r * pitch + v * Vec::kWidth));
      });
    }
    if (scale.clamps()) sums.each([&](Words& sum, int, int) { sum = as_words(scale.clamped(as_floats(sum))); });
    sums.each([](Words& sum, int, int) { sum = rounded(as_floats(sum)); });
    uint8_t* const out = place<uint8_t>(direct.end.out, direct.span);
    const int64_t pitch = direct.end.out.pitch;
    const auto store = [&](auto found) {
      for_constants<(R + 1) / 2>([&](int pair) {
        const int r = 2 * pair, next = std::min(r + 1, R - 1);
        const Words a[] = {sums.at[r * V], sums.at[r * V + 1]}, b[] = {sums.at[next * V], sums.at[next * V + 1]};
        store_halves(found(scale.saturated(a, b)), out + r * pitch, out + next * pitch);
      });
    };
    if (!direct.end.params->has_table) return store([](Words bytes) { return bytes; });
    const PermutedTable table(direct.end.params->table);
    store([&](Words bytes) { return table.found(bytes); });
  }
};

// V vectors of a panel's columns.
template <class End, int R, int V>
[[gnu::flatten]] void direct_rows(const BlockArgs& block, const DirectEnd& direct) {
  Sums<typename End::Dot, R, V> sums;
  const int32_t* const first = End::first(direct.columns);
  sums.each([=](Words& sum, int, int v) { sum = load_words(first + v * Vec::kWidth); });
  sums.add(block);
  End{direct}.leave(sums);
}

// What the next block will read and write, under this one: a few bytes of each row are no stream to the hardware.
inline void ask_ahead(const MmaOperand& operand, const MmaSpan& span) {
  const std::byte* at = operand.data + ((span.row + span.rows) * operand.pitch + span.column) * operand.bytes;
  for (int r = 0; r < span.rows; ++r, at += operand.pitch * operand.bytes) __builtin_prefetch(at);
}

inline void multiply_direct(const BlockArgs& block, const DirectEnd& direct) {
  using Fn = void (*)(const BlockArgs&, const DirectEnd&);
  static constexpr auto kFunctions = []<int... R>(std::integer_sequence<int, R...>) {
    return std::array<std::array<Fn, kDotRows>, 3>{{{direct_rows<FloatEnd, R + 1, 1>...},
                                                    {direct_rows<FloatEnd, R + 1, 2>...},
                                                    {direct_rows<NumberEnd, R + 1, 2>...}}};
  }
  (std::make_integer_sequence<int, kDotRows>());
  if (direct.end.params->extras > 0) ask_ahead(direct.end.extra[0], direct.span);
  ask_ahead(direct.end.out, direct.span);
  const size_t of = direct.end.kind == MmaEnd::Kind::numbers ? 2 : direct.span.width > Vec::kWidth ? 1 : 0;
  kFunctions[of][static_cast<size_t>(block.rows - 1)](block, direct);
}

inline bool ends_directly(const MmaEnd& end, const MmaSpan& span) {
  if (!end.out.even || (end.params->extras > 0 && !end.extra[0].even)) return false;
  if (end.kind == MmaEnd::Kind::floats) return end.params->mma == Mma::dot_bf16;
  if (end.params->has_table && !PermutedTable::is_there()) return false;
  return end.kind == MmaEnd::Kind::numbers && end.params->mma == Mma::dot_i8 && span.width == kDotColumns;
}

#else

inline void multiply_direct(const BlockArgs&, const DirectEnd&) {}
inline bool ends_directly(const MmaEnd&, const MmaSpan&) { return false; }

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
