#pragma once
// The end of most products of bytes: a block of exact sums becomes rows of bytes in vectors, from the sums to the
// store.
//   q = saturate(round_half_even(clamp(v [+ (residual - its zero) * its scale]))) + zero, v = float(sum + offset) *
//   scale + bias, of a number within (InnerNumbers) what that means

#include <limits>

#include "kernels/cpu/common/mma_floats.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// What a number means and becomes, in vectors. Signed bytes are turned into unsigned ones, 128 more, in registers.
class NumberScale {
  static constexpr bool kAlwaysClamps = Vec::kWidth < 16;  // short vectors have time for it
  static bool is_signed(const MmaOperand& bytes) { return bytes.type == DataType::i8; }

 public:
  NumberScale(const MmaEnd& end, const MmaColumns& columns)
      : zero_(static_cast<int32_t>(end.params->attrs.out_zero) + (is_signed(end.out) ? 128 : 0)),
        flip_(flip_of(is_signed(end.out))),
        residual_flip_(flip_of(is_signed(end.extra[0]))) {
    const auto least = static_cast<float>(-zero_), most = static_cast<float>(255 - zero_);
    const float low = end.params->low, high = end.params->high;
    const MmaAttrs& attrs = end.params->attrs;
    clamps_ = kAlwaysClamps || !end.are_integers || low > least || high < most;
    low_ = Vec::splat(std::max(low, least));
    high_ = Vec::splat(std::min(high, most));
    residual_zero_ = Vec::splat(static_cast<float>(attrs.residual_zero + (is_signed(end.extra[0]) ? 128 : 0)));
    residual_scale_ = Vec::splat(static_cast<float>(attrs.residual_scale));
    const InnerNumbers inner(attrs);
    has_inner_ = inner.scale > 0;
    inner_low_ = Vec::splat(inner.low);
    inner_high_ = Vec::splat(inner.high);
    inner_scale_ = Vec::splat(inner.scale);
    const auto half = static_cast<uint32_t>(zero_) & 0xffffu;
    zeros_ = splat_word(static_cast<int32_t>(half | half << 16));
#pragma GCC unroll 4
    for (int v = 0; v < kByteVectors; ++v) {
      scales_[v] = Vec::load(columns.scales + v * Vec::kWidth);
      bias_[v] = Vec::load(columns.bias + v * Vec::kWidth);
    }
  }

  bool clamps() const { return clamps_; }  // else saturation is all that bounds the numbers
  // Vector v of a row, its offset in the sum.
  Vec scaled(Words sum, int v) const { return floats_of(sum) * scales_[v] + bias_[v]; }
  bool has_inner() const { return has_inner_; }
  Vec numbered(Vec x) const {
    const Vec rounds = Vec::splat(InnerNumbers::kRounds);
    return ((Vec::min(inner_high_, Vec::max(inner_low_, x)) + rounds) - rounds) * inner_scale_;
  }
  Vec joined(Vec x, const uint8_t* residual) const {
    return x + (load_flipped(residual, residual_flip_) - residual_zero_) * residual_scale_;
  }
  Vec clamped(Vec x) const { return Vec::min(high_, Vec::max(low_, x)); }
#if defined(PLANISH_ISA_avx512)
  Words saturated(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors]) const {
    return planish::kernels::cpu::PLANISH_ISA::saturated(a, b, zeros_, flip_);
  }
#endif
  void store(const Words (&a)[kByteVectors], const Words (&b)[kByteVectors], uint8_t* to_a, uint8_t* to_b) const {
    store_saturated(a, b, zeros_, flip_, to_a, to_b);
  }

 private:
  int32_t zero_;
  bool clamps_, has_inner_;
  Words flip_, residual_flip_, zeros_;
  Vec scales_[kByteVectors], bias_[kByteVectors];
  Vec low_, high_, residual_zero_, residual_scale_, inner_low_, inner_high_, inner_scale_;
};

// kAdds: there is a residual.
template <bool kAdds>
class NumberRows {
  using Added = std::conditional_t<kAdds, RowPlaces<uint8_t>, NoRows<uint8_t>>;

 public:
  NumberRows(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span)
      : end_(end), span_(span), scale_(end, columns) {
#pragma GCC unroll 4
    for (int v = 0; v < kByteVectors; ++v) offsets_[v] = load_words(columns.offsets + v * Vec::kWidth);
  }

  // `self` is a copy: what bytes are stored may be no part of it, so that it stays in registers.
  void finish(const int32_t* sums) const {
    const NumberRows self = *this;
    if (span_.width < kDotColumns)
      self.template finish_rows<false, true>(sums, span_.rows);
    else if (scale_.clamps())
      self.template finish_rows<true, true>(sums, span_.rows);
    else
      self.template finish_rows<true, false>(sums, span_.rows);
  }

 private:
  // kWhole: all columns of the panel are there.
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
        scale_.store(a, b, out[r], out[r + 1]);
      } else {
        uint8_t some[2][kDotColumns];
        scale_.store(a, b, some[0], some[1]);
        std::memcpy(out[r], some[0], width);
        std::memcpy(out[r + 1], some[1], width);
      }
    }
    for (int r = 0; r < rows && end_.params->has_table; ++r) look_up(end_.params->table, out[r], out[r], span_.width);
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
      Vec x = scale_.scaled(sum_of(load_words(sums + at), offsets_[v]), v);
      if (kAdds && scale_.has_inner()) x = scale_.numbered(x);
      if constexpr (kAdds) x = scale_.joined(x, added + at);
      if constexpr (kClamps) x = scale_.clamped(x);
      numbers[v] = rounded(x);
    }
  }

  const MmaEnd& end_;
  const MmaSpan& span_;
  NumberScale scale_;
  Words offsets_[kByteVectors];
};

// A block of the sums of rows span.row ….
inline void finish_block(const MmaEnd& end, const MmaColumns& columns, const MmaSpan& span, const int32_t* sums) {
  if (end.kind == MmaEnd::Kind::any) return finish_mma_block(end, span, sums);
  if (end.kind == MmaEnd::Kind::floats) return finish_floats(end, columns, span, sums);
  end.params->extras == 0 ? NumberRows<false>(end, columns, span).finish(sums)
                          : NumberRows<true>(end, columns, span).finish(sums);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
