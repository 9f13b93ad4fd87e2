#pragma once
// The end of most products with results in f32: a block of sums becomes rows in vectors, from the sums to the store.
//   y = clamp(activation(v) + residual),  v = sum + bias  or  float(sum + offset) * scale + bias

#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/mma_columns.h"

namespace planish::kernels::cpu::PLANISH_ISA {

template <bool kAdds>
class FloatRows {
  static constexpr int kVectorsOfRow = kDotColumns / Vec::kWidth, kTogether = 4;  // rows that an activation meets
  using Added = std::conditional_t<kAdds, RowPlaces<const float>, NoRows<const float>>;

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
        high_(Vec::splat(end.params->high)) {}

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
    activate(*activation_, values, count * kVectorsOfRow);
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
      if constexpr (kAdds) x = x + Vec::load(added_[r] + at);
      Vec::min(high_, Vec::max(low_, x)).store(out_[r] + at);
    } else if (left > 0) {
      if constexpr (kAdds) x = x + Vec::load_part(added_[r] + at, left);
      Vec::min(high_, Vec::max(low_, x)).store_part(out_[r] + at, left);
    }
  }

  const MmaEnd& end_;
  int64_t row_;
  const MmaColumns& columns_;
  int width_, rows_;
  RowPlaces<float> out_;
  Added added_;
  const Activation* activation_;
  Vec low_, high_;
};

inline void finish_floats(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.params->extras == 0) return FloatRows<false>(end, columns, span).finish(sums);
  FloatRows<true>(end, columns, span).finish(sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
