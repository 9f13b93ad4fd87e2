#pragma once
// The end of most products of bytes: a block of exact sums becomes rows of bytes in vectors, from the sums to the
// store.
//   q = saturate(round_half_even(clamp(float(sum + offset) * scale + bias [+ (residual - its zero) * its scale]))) +
//   zero

#include <limits>

#include "kernels/cpu/common/mma_floats.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// kAdds: there is a residual. Signed bytes are turned into unsigned ones, 128 more, in registers.
template <bool kAdds>
class NumberRows {
  static constexpr bool kAlwaysClamps = Vec::kWidth < 16;  // short vectors have time for it
  using Added = std::conditional_t<kAdds, RowPlaces<uint8_t>, NoRows<uint8_t>>;
  static bool is_signed(const MmaOperand& bytes) { return bytes.type == DataType::i8; }

 public:
  NumberRows(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span)
      : end_(end),
        span_(span),
        zero_(static_cast<int32_t>(end.params->attrs.out_zero) + (is_signed(end.out) ? 128 : 0)),
        flip_(flip_of(is_signed(end.out))) {
#pragma GCC unroll 4
    for (int v = 0; v < kByteVectors; ++v) {
      const int at = v * Vec::kWidth;
      offsets_[v] = load_words(columns.offsets + at);
      scales_[v] = Vec::load(columns.scales + at);
      bias_[v] = Vec::load(columns.bias + at);
    }
  }

  // `self` is a copy: what bytes are stored may be no part of it, so that it stays in registers.
  void finish(const int32_t* sums) const {
    const NumberRows self = *this;
    if (span_.width < kDotColumns)
      self.template finish_rows<false, true>(sums, span_.rows);
    else if (kAlwaysClamps || clamps_)
      self.template finish_rows<true, true>(sums, span_.rows);
    else
      self.template finish_rows<true, false>(sums, span_.rows);
  }

 private:
  // kWhole: all columns of the panel are there. kClamps: else saturation is all that bounds the numbers.
  template <bool kWhole, bool kClamps>
  [[gnu::always_inline]] void finish_rows(const int32_t* sums, int rows) const {
    const RowPlaces<uint8_t> out(end_.out, end_.rows, span_);
    const Added added(end_.extra[0], end_.rows, span_);
    const auto width = static_cast<size_t>(span_.width);
    for (int r = 0; r < rows; r += 2) {
      const int next = std::min(r + 1, rows - 1);
      Words a[kByteVectors], b[kByteVectors];
      row<kWhole, kClamps>(sums + r * kDotColumns, added[r], width, a);
      row<kWhole, kClamps>(sums + next * kDotColumns, added[next], width, b);
      if constexpr (kWhole) {
        store_saturated(a, b, zeros_, flip_, out[r], out[r + 1]);
      } else {
        uint8_t some[2][kDotColumns];
        store_saturated(a, b, zeros_, flip_, some[0], some[1]);
        std::memcpy(out[r], some[0], width);
        std::memcpy(out[r + 1], some[1], width);
      }
    }
  }

  template <bool kWhole, bool kClamps>
  [[gnu::always_inline]] void row(const int32_t* sums, const uint8_t* added, size_t width,
                                  Words (&numbers)[kByteVectors]) const {
    uint8_t near[kDotColumns];
    if (kAdds && !kWhole) {
      std::memset(near, 0, sizeof(near));
      added = static_cast<const uint8_t*>(std::memcpy(near, added, width));
    }
#pragma GCC unroll 4
    for (int v = 0; v < kByteVectors; ++v) {
      const int at = v * Vec::kWidth;
      Vec x = floats_of(sum_of(load_words(sums + at), offsets_[v])) * scales_[v] + bias_[v];
      if constexpr (kAdds) x = x + (load_flipped(added + at, residual_flip_) - residual_zero_) * residual_scale_;
      if constexpr (kClamps) x = Vec::min(high_, Vec::max(low_, x));
      numbers[v] = rounded(x);
    }
  }

  const MmaEnd& end_;
  const MmaSpan& span_;
  int32_t zero_;
  Words flip_, residual_flip_ = flip_of(is_signed(end_.extra[0]));
  float least_ = static_cast<float>(-zero_), most_ = static_cast<float>(255 - zero_);
  bool clamps_ = !end_.are_integers || end_.params->low > least_ || end_.params->high < most_;
  Words offsets_[kByteVectors];
  Vec scales_[kByteVectors], bias_[kByteVectors];
  Vec low_ = Vec::splat(std::max(end_.params->low, least_)), high_ = Vec::splat(std::min(end_.params->high, most_));
  Vec residual_zero_ =
      Vec::splat(static_cast<float>(end_.params->attrs.residual_zero + (is_signed(end_.extra[0]) ? 128 : 0)));
  Vec residual_scale_ = Vec::splat(static_cast<float>(end_.params->attrs.residual_scale));
  Words zeros_ =
      splat_word(static_cast<int32_t>((static_cast<uint32_t>(zero_) & 0xffffu) | static_cast<uint32_t>(zero_) << 16));
};

// A block of the sums of rows span.row ….
inline void finish_block(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.kind == MmaEnd::Kind::any) return finish_mma_block(end, span, sums);
  if (end.kind == MmaEnd::Kind::floats) return finish_floats(end, columns, span, sums);
  end.params->extras == 0 ? NumberRows<false>(end, columns, span).finish(sums)
                          : NumberRows<true>(end, columns, span).finish(sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
