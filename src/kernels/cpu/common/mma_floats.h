#pragma once
// The end of most products with results in f32 or bf16: a block of sums becomes rows in vectors, from the sums to the
// store.
//   y = clamp(activation(v) + residual),  v = sum + bias  or  float(sum + offset) * scale + bias

#include <type_traits>

#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/mma_columns.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// Out: of the result; R: of the residual; void: there is none.
template <class Out, class R>
class FloatRows {
  static constexpr int kVectorsOfRow = kDotColumns / Vec::kWidth, kTogether = 4;  // rows that an activation meets
  static constexpr bool kAdds = !std::is_void_v<R>;
  using Residual = std::conditional_t<kAdds, R, float>;
  using Added = std::conditional_t<kAdds, RowPlaces<const Residual>, NoRows<const Residual>>;

 public:
  FloatRows(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span)
      : end_(end),
        row_(span.row),
        columns_(columns),
        width_(static_cast<int>(span.width)),
        rows_(span.rows),
        out_(end.out, end.rows, span),
        added_(end.extra[0], end.rows, span),
        activation_(end.activation),
        low_(Vec::splat(end.params->low)),
        high_(Vec::splat(end.params->high)),
        store_(end.store) {}

  void finish(const int32_t* sums) const {
    for (int r = 0; r < rows_; r += kTogether, sums += kTogether * kDotColumns) {
      const int count = std::min(kTogether, rows_ - r);
      if (activation_ != nullptr)
        finish_activated(r, count, sums);
      else
        for (int i = 0; i < count; ++i)
#pragma GCC unroll 4
          for (int v = 0; v < kVectorsOfRow; ++v) leave(r + i, v, value(r + i, sums + i * kDotColumns, v));
    }
  }

 private:
  void finish_activated(int r, int count, const int32_t* sums) const {
    Vec values[kTogether * kVectorsOfRow];
    for (int i = 0; i < count * kVectorsOfRow; ++i)
      values[i] = value(r + i / kVectorsOfRow, sums + i / kVectorsOfRow * kDotColumns, i % kVectorsOfRow);
    activate_sums(*activation_, values, count * kVectorsOfRow, std::is_same_v<Out, BFloat16>);
    for (int i = 0; i < count * kVectorsOfRow; ++i) leave(r + i / kVectorsOfRow, i % kVectorsOfRow, values[i]);
  }

  // Vector v of row r.
  Vec value(int r, const int32_t* sums, int v) const {
    const int at = v * Vec::kWidth;
    const Vec bias = Vec::load(columns_.bias + at);
    if (columns_.scales == nullptr) return Vec::load(reinterpret_cast<const float*>(sums) + at) + bias;
    const Words offset = load_words(columns_.offsets + at);
    if (end_.row_scales != nullptr) {
      const int64_t row = row_ + r;
      const Words sum = sum_of(load_words(sums + at), product_of(offset, splat_word(end_.row_zero(row))));
      const Vec scale = Vec::splat(end_.row_scale(row)) * Vec::load(columns_.scales + at);
      return Vec::fma(floats_of(sum), scale, bias);
    }
    const Words sum = sum_of(load_words(sums + at), offset);
    return floats_of(sum) * Vec::load(columns_.scales + at) + bias;
  }

  void leave(int r, int v, Vec x) const {
    const int at = v * Vec::kWidth, left = width_ - at;
    if (left >= Vec::kWidth) {
      if constexpr (kAdds) x = x + load_widened(added_[r] + at);
      store_(Vec::min(high_, Vec::max(low_, x)), out_[r] + at);
    } else if (left > 0) {
      if constexpr (kAdds) x = x + load_widened_part(added_[r] + at, left);
      store_(Vec::min(high_, Vec::max(low_, x)), out_[r] + at, left);
    }
  }

  const MmaEnd& end_;
  int64_t row_;
  const MmaColumns& columns_;
  int width_, rows_;
  RowPlaces<Out> out_;
  Added added_;
  const Activation* activation_;
  Vec low_, high_;
  HalfStore store_;
};

#if defined(PLANISH_ISA_avx512)

// Whole lines of a panel's columns, sums of floats that a bias and perhaps a residual join: what most products of tiles
// end in, as fast as their result can be stored.
class PlainRows {
  static constexpr int kColumns = 32;
  static_assert(kDotColumns == kColumns);

 public:
  static bool serves(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span) {
    const bool plain = end.activation == nullptr || (end.out.type == DataType::bf16 && is_silu(end));
    return plain && is_tiled(end.params->mma) && columns.scales == nullptr && span.width == kColumns && end.out.even &&
           (end.params->extras == 0 || end.extra[0].even);
  }
  PlainRows(const MmaEnd& end, const MmaColumns& columns)
      : low_(Vec::splat(end.params->low)),
        high_(Vec::splat(end.params->high)),
        left_(Vec::load(columns.bias)),
        right_(Vec::load(columns.bias + Vec::kWidth)) {}

  static bool is_silu(const MmaEnd& end) {
    return end.activation != nullptr && end.activation->kind == Activation::Kind::silu;
  }

  // Out: of the result; R: of the residual; void: there is none.
  template <class Out, class R, bool kSilu>
  void finish(const MmaEnd& end, const MmaSpan& span, const int32_t* from) const {
    constexpr bool kAdds = !std::is_void_v<R>;
    using Residual = std::conditional_t<kAdds, R, float>;
    const PlainRows self = *this;  // no part of what is stored: it stays in registers
    const auto* sums = reinterpret_cast<const float*>(from);
    Out* out = first_of<Out>(end.out, span);
    const Residual* added = kAdds ? first_of<Residual>(end.extra[0], span) : nullptr;
    const int64_t step = end.out.pitch, added_step = end.extra[0].pitch;
#pragma GCC unroll 2
    for (int r = 0; r < span.rows; ++r, sums += kColumns, out += step) {
      Vec left = Vec::load(sums) + self.left_, right = Vec::load(sums + Vec::kWidth) + self.right_;
      if constexpr (kSilu) {
        left = left * rough_sigmoid(left);
        right = right * rough_sigmoid(right);
      }
      if constexpr (kAdds) {
        left = left + load_widened(added);
        right = right + load_widened(added + Vec::kWidth);
        added += added_step;
      }
      store_line(Vec::min(self.high_, Vec::max(self.low_, left)), Vec::min(self.high_, Vec::max(self.low_, right)),
                 out);
    }
  }

 private:
  template <class T>
  static T* first_of(const MmaOperand& operand, const MmaSpan& span) {
    return reinterpret_cast<T*>(operand.data) + span.row * operand.pitch + span.column;
  }
  static void store_line(Vec left, Vec right, float* to) {
    left.store(to);
    right.store(to + Vec::kWidth);
  }
  static void store_line(Vec left, Vec right, BFloat16* to) {
    __m512i both;
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(both) : "v"(left.v), "v"(right.v));
    _mm512_storeu_si512(to, both);
  }
  Vec low_, high_, left_, right_;
};

template <class Out, class R>
bool finish_plainly(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (!PlainRows::serves(end, columns, span)) return false;
  if constexpr (std::is_same_v<Out, BFloat16>)
    if (PlainRows::is_silu(end)) {
      PlainRows(end, columns).finish<Out, R, true>(end, span, sums);
      return true;
    }
  PlainRows(end, columns).finish<Out, R, false>(end, span, sums);
  return true;
}

#else

template <class Out, class R>
bool finish_plainly(const MmaEnd&, const MmaColumns&, const MmaSpan&, const int32_t*) {
  return false;
}

#endif

template <class Out, class R>
void finish_float_rows(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (!finish_plainly<Out, R>(end, columns, span, sums)) FloatRows<Out, R>(end, columns, span).finish(sums);
}

template <class Out>
void finish_floats_as(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.params->extras == 0) return finish_float_rows<Out, void>(end, columns, span, sums);
  if constexpr (kStoresHalf)
    if (end.extra[0].type == DataType::bf16) return finish_float_rows<Out, BFloat16>(end, columns, span, sums);
  finish_float_rows<Out, float>(end, columns, span, sums);
}

inline void finish_floats(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if constexpr (kStoresHalf)
    if (end.out.type == DataType::bf16) return finish_floats_as<BFloat16>(end, columns, span, sums);
  finish_floats_as<float>(end, columns, span, sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
