#pragma once
// The end of most products with results in f32 or bf16: a block of sums becomes rows in vectors, from the sums to the
// store.
//   y = clamp(activation(v) + residual),  v = sum + bias  or  float(sum + offset) * scale + bias

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

template <class Out>
void finish_floats_as(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.params->extras == 0) return FloatRows<Out, void>(end, columns, span).finish(sums);
  if constexpr (kStoresHalf)
    if (end.extra[0].type == DataType::bf16) return FloatRows<Out, BFloat16>(end, columns, span).finish(sums);
  FloatRows<Out, float>(end, columns, span).finish(sums);
}

inline void finish_floats(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if constexpr (kStoresHalf)
    if (end.out.type == DataType::bf16) return finish_floats_as<BFloat16>(end, columns, span, sums);
  finish_floats_as<float>(end, columns, span, sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
