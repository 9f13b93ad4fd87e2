#pragma once
// The end of most products of bytes: a block of exact sums becomes rows of bytes in vectors, from the sums to the
// store.
//   q = saturate(round_half_even(clamp(float(sum + offset) * scale + bias [+ (residual - its zero) * its scale]))) +
//   zero

#include <limits>

#include "kernels/cpu/common/mma_floats.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// R: of the residual; void: there is none.
template <class T, class R>
class NumberRows {
  using Residual = std::conditional_t<std::is_void_v<R>, uint8_t, R>;
  static constexpr bool kAdds = !std::is_void_v<R>;
  using Added = std::conditional_t<kAdds, RowPlaces<Residual>, NoRows<Residual>>;

 public:
  NumberRows(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span)
      : end_(end), columns_(columns), span_(span), zero_(static_cast<int32_t>(end.params->attrs.out_zero)) {}

  void finish(const int32_t* sums) const {
    const RowPlaces<T> out(end_.out, end_.rows, span_);
    const Added added(end_.extra[0], end_.rows, span_);
    const bool whole = span_.width == kDotColumns;
    for (int r = 0; r < span_.rows; r += 2) {
      Words a[kByteVectors], b[kByteVectors];
      const int next = std::min(r + 1, span_.rows - 1);
      row(sums + r * kDotColumns, added[r], whole, a);
      row(sums + next * kDotColumns, added[next], whole, b);
      if (whole) {
        store_bytes(a, b, out[r], out[r + 1]);
      } else {
        T some[2][kDotColumns];
        store_bytes(a, b, some[0], some[1]);
        std::memcpy(out[r], some[0], static_cast<size_t>(span_.width));
        std::memcpy(out[r + 1], some[1], static_cast<size_t>(span_.width));
      }
    }
  }

 private:
  void row(const int32_t* sums, const Residual* added, bool whole, Words (&numbers)[kByteVectors]) const {
    Residual near[kDotColumns];
    if (kAdds && !whole) {
      std::memset(near, 0, sizeof(near));
      added = static_cast<const Residual*>(std::memcpy(near, added, static_cast<size_t>(span_.width)));
    }
#pragma GCC unroll 4
    for (int v = 0; v < kByteVectors; ++v) {
      const int at = v * Vec::kWidth;
      const Words sum = sum_of(load_words(sums + at), load_words(columns_.offsets + at));
      Vec x = floats_of(sum) * Vec::load(columns_.scales + at) + Vec::load(columns_.bias + at);
      if constexpr (kAdds) x = x + (load_bytes(added + at) - residual_zero_) * residual_scale_;
      numbers[v] = sum_of(rounded(Vec::min(high_, Vec::max(low_, x))), zeros_);
    }
  }

  const MmaEnd& end_;
  const MmaColumns& columns_;
  const MmaSpan& span_;
  int32_t zero_;
  Vec low_ = Vec::splat(std::max(end_.params->low, static_cast<float>(std::numeric_limits<T>::min() - zero_)));
  Vec high_ = Vec::splat(std::min(end_.params->high, static_cast<float>(std::numeric_limits<T>::max() - zero_)));
  Vec residual_zero_ = Vec::splat(static_cast<float>(end_.params->attrs.residual_zero));
  Vec residual_scale_ = Vec::splat(static_cast<float>(end_.params->attrs.residual_scale));
  Words zeros_ = splat_word(zero_);
};

template <class T>
void finish_numbers_as(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.params->extras == 0) return NumberRows<T, void>(end, columns, span).finish(sums);
  if (end.extra[0].type == DataType::u8) return NumberRows<T, uint8_t>(end, columns, span).finish(sums);
  NumberRows<T, int8_t>(end, columns, span).finish(sums);
}

// A block of the sums of rows span.row ….
inline void finish_block(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.kind == MmaEnd::Kind::any) return finish_mma_block(end, span, sums);
  if (end.kind == MmaEnd::Kind::floats) return finish_floats(end, columns, span, sums);
  end.out.type == DataType::u8 ? finish_numbers_as<uint8_t>(end, columns, span, sums)
                               : finish_numbers_as<int8_t>(end, columns, span, sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
