#pragma once
// The end of a product of reduced precision, whatever it is: a block of sums, scaled, joined by a residual or run
// through a program, clamped and stored as the result's type. Most ends are vectors: mma_floats.h, mma_numbers.h.

#include <bit>
#include <limits>

#include "kernels/cpu/common/bytes.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/half.h"
#include "kernels/mma.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kMostMmaRows = 32, kMostMmaColumns = 32;  // of a block of sums

struct MmaParams : EpilogueSetup {
  MmaAttrs attrs;
  Activation activation;  // the form of the program, if it has one
  Mma mma = Mma::madd_i16;
  MmaFormat format;
  bool has_table = false;  // of bytes of the result
  uint8_t table[256] = {};
};

// An operand of the epilogue of any of its types, or the result.
struct MmaOperand {
  std::byte* data = nullptr;
  DataType type = DataType::none;
  int64_t bytes = 0;  // of an element
  RowStrides rows{};
  int64_t step = 0;   // elements from one column to the next
  bool even = false;  // every row is `pitch` elements behind the one before
  int64_t pitch = 0;
  std::byte* row(const RowWalk& walk) const { return data + walk.offset(rows) * bytes; }
};

struct MmaEnd {
  // numbers: bytes from integers, no program, perhaps a residual of bytes, nothing that could be NaN
  // floats: f32 or bf16, perhaps an activation in registers, perhaps a residual of either
  enum class Kind : uint8_t { any, numbers, floats };
  bool are_integers = false;  // values of numbers round to integers of 32 bits
  const MmaParams* params = nullptr;
  RowWalk rows;  // of the result
  Kind kind = Kind::any;
  const Activation* activation = nullptr;          // of floats
  const float *bias = nullptr, *scales = nullptr;  // scales, offsets: of integers only
  const int32_t* offsets = nullptr;
  HalfStore store;
  const float* row_scales = nullptr;  // dynamic: of x, with zero points, `row_step` apart
  const uint8_t* row_zeros = nullptr;
  int64_t row_step = 0;
  bool signed_rows = false;
  int32_t raise = 0;  // of x's bytes in words

  float row_scale(int64_t row) const { return row_scales[row * row_step]; }
  // As it lies in words.
  int32_t row_zero(int64_t row) const {
    const uint8_t zero = row_zeros[row * row_step];
    return (signed_rows ? static_cast<int8_t>(zero) : zero) + raise;
  }
  MmaOperand out;
  std::array<MmaOperand, kMaxExtras> extra;
};

// Rows and columns of the result that a block of sums belongs to.
struct MmaSpan {
  int64_t column = 0, width = 0;
  int64_t row = 0;
  int rows = 0;
};

// body(i) for each column of a row; whole vectors where the panel is full: no row overlaps another one.
template <class Body>
inline void for_columns(int64_t width, Body body) {
  constexpr int64_t kFull = mma_format(Mma::madd_i16, Isa::PLANISH_ISA).columns;
  if (width == kFull) {
#if !defined(__clang__)
#pragma GCC ivdep
#endif
#pragma GCC unroll 1
    for (int64_t i = 0; i < kFull; ++i) body(i);
  } else {
    for (int64_t i = 0; i < width; ++i) body(i);
  }
}

inline float element_of(const MmaOperand& from, const std::byte* row, int64_t i) {
  if (from.type == DataType::f32) return reinterpret_cast<const float*>(row)[i * from.step];
  if (from.type == DataType::bf16) return to_float(reinterpret_cast<const BFloat16*>(row)[i * from.step]);
  if (from.type == DataType::u8) return reinterpret_cast<const uint8_t*>(row)[i * from.step];
  return reinterpret_cast<const int8_t*>(row)[i * from.step];
}

// values[i] = what the sums of row `at` mean, before anything is added
inline void scaled_row(const MmaEnd& end, const MmaSpan& span, int64_t at, const int32_t* sums,
                       float* __restrict__ values) {
  const float* __restrict__ bias = end.bias + span.column;
  if (end.scales == nullptr) {
    const auto* __restrict__ products = reinterpret_cast<const float*>(sums);
    return for_columns(span.width, [=](int64_t i) { values[i] = products[i] + bias[i]; });
  }
  const float* __restrict__ scales = end.scales + span.column;
  const int32_t* __restrict__ offsets = end.offsets + span.column;
  if (end.row_scales != nullptr) {
    const float scale = end.row_scale(at);
    const int32_t zero = end.row_zero(at);
    return for_columns(span.width, [=](int64_t i) {
      values[i] = static_cast<float>(sums[i] + zero * offsets[i]) * (scale * scales[i]) + bias[i];
    });
  }
  for_columns(span.width,
              [=](int64_t i) { values[i] = static_cast<float>(sums[i] + offsets[i]) * scales[i] + bias[i]; });
}

template <class T>
void add_residual(const MmaEnd& end, const T* __restrict__ residual, int64_t width, float* __restrict__ values) {
  const auto zero = static_cast<float>(end.params->attrs.residual_zero);
  const auto scale = static_cast<float>(end.params->attrs.residual_scale);
  for_columns(width, [=](int64_t i) { values[i] += (float_of(residual[i]) - zero) * scale; });
}

// The numbers that meet a residual, less their zero point: what is added and taken rounds half to even.
struct InnerNumbers {
  static constexpr float kRounds = 12582912.f;  // 1.5 * 2^23
  float low, high, scale, nan;
  explicit InnerNumbers(const MmaAttrs& attrs)
      : low(static_cast<float>((attrs.inner_signed != 0 ? -128 : 0) - attrs.inner_zero)),
        high(low + 255),
        scale(static_cast<float>(attrs.inner_scale)),
        nan(static_cast<float>(-attrs.inner_zero)) {}
};

inline void number_row(const MmaEnd& end, int64_t width, float* __restrict__ values) {
  const InnerNumbers inner(end.params->attrs);
  for_columns(width, [=](int64_t i) {
    const float number = values[i] == values[i] ? values[i] : inner.nan;
    const float bounded = std::min(std::max(number, inner.low), inner.high);
    values[i] = ((bounded + InnerNumbers::kRounds) - InnerNumbers::kRounds) * inner.scale;
  });
}

inline void add_residual_row(const MmaEnd& end, const MmaSpan& span, const RowWalk& walk, float* values) {
  const MmaOperand& residual = end.extra[0];
  const std::byte* row = residual.row(walk) + span.column * residual.step * residual.bytes;
  if (residual.type == DataType::f32)
    add_residual(end, reinterpret_cast<const float*>(row), span.width, values);
  else if (residual.type == DataType::bf16)
    add_residual(end, reinterpret_cast<const BFloat16*>(row), span.width, values);
  else if (residual.type == DataType::u8)
    add_residual(end, reinterpret_cast<const uint8_t*>(row), span.width, values);
  else
    add_residual(end, reinterpret_cast<const int8_t*>(row), span.width, values);
}

// Integers: adding 1.5 * 2^23 rounds half to even and leaves the number in the low bits; bounds are whole.
template <class T>
void store_integers(const MmaEnd& end, const float* __restrict__ values, int64_t width, T* __restrict__ out) {
  constexpr float kMagic = 12582912.f;
  const auto zero = static_cast<float>(end.params->attrs.out_zero);
  const float low = std::max(end.params->low, static_cast<float>(std::numeric_limits<T>::min()) - zero);
  const float high = std::min(end.params->high, static_cast<float>(std::numeric_limits<T>::max()) - zero);
  for_columns(width, [=](int64_t i) {
    const float number = values[i] == values[i] ? values[i] : -zero;
    const float raised = number > low ? number : low;
    const float bounded = raised < high ? raised : high;
    out[i] = static_cast<T>(std::bit_cast<int32_t>((bounded + kMagic) + zero));
  });
}

inline void store_mma_row(const MmaEnd& end, const MmaSpan& span, const RowWalk& walk,
                          const float* __restrict__ values) {
  std::byte* const row = end.out.row(walk) + span.column * end.out.bytes;
  auto* const bytes = reinterpret_cast<uint8_t*>(row);
  if (end.out.type == DataType::u8)
    store_integers(end, values, span.width, bytes);
  else if (end.out.type == DataType::i8)
    store_integers(end, values, span.width, reinterpret_cast<int8_t*>(row));
  if (end.params->has_table) look_up(end.params->table, bytes, bytes, span.width);
  if (element_bytes(end.out.type) == 1) return;
  const float low = end.params->low, high = end.params->high;
  const auto clamped = [=](float value) {
    const float raised = low > value ? low : value;
    return high < raised ? high : raised;
  };
  if (end.out.type == DataType::bf16) {
    auto* __restrict__ halves = reinterpret_cast<BFloat16*>(row);
    return for_columns(span.width, [=](int64_t i) { halves[i] = to_bfloat16(clamped(values[i])); });
  }
  auto* __restrict__ out = reinterpret_cast<float*>(row);
  for_columns(span.width, [=](int64_t i) { out[i] = clamped(values[i]); });
}

// The program over `rows` rows of values, kMostMmaColumns apart: one tile, so that an instruction is read once for
// many.
inline void run_mma_program(const MmaEnd& end, const MmaSpan& span, RowWalk walk, int64_t rows, float* values) {
  alignas(64) float extras[kMaxExtras][kTile];
  TileOperand operands[kMaxExtras + 1];
  operands[0] = {values, 1};
  for (size_t k = 0; k < end.params->extras; ++k) operands[k + 1] = {extras[k], 1};
  for (int64_t r = 0; r < rows; ++r, walk.next())
    for (size_t k = 0; k < end.params->extras; ++k) {
      const MmaOperand& extra = end.extra[k];
      const std::byte* row = extra.row(walk) + span.column * extra.step * extra.bytes;
      float* to = extras[k] + r * kMostMmaColumns;
      for (int64_t i = 0; i < span.width; ++i) to[i] = element_of(extra, row, i);
      std::fill(to + span.width, to + kMostMmaColumns, 0.f);
    }
  run_tile(end.params->program, operands, rows * kMostMmaColumns, values);
}

inline void finish_mma_block(const MmaEnd& end, const MmaSpan& span, const int32_t* sums) {
  constexpr int64_t kRowsAtOnce = kTile / kMostMmaColumns;
  alignas(64) float values[kTile];
  const int64_t columns = end.params->format.columns;
  RowWalk walk = end.rows;
  walk.seek(span.row);
  for (int64_t m = 0; m < span.rows; m += kRowsAtOnce) {
    const int64_t rows = std::min<int64_t>(kRowsAtOnce, span.rows - m);
    RowWalk at = walk;
    for (int64_t r = 0; r < rows; ++r) {
      float* row = values + r * kMostMmaColumns;
      scaled_row(end, span, span.row + m + r, sums + (m + r) * columns, row);
      if (end.params->has_program) std::fill(row + span.width, row + kMostMmaColumns, 0.f);
      if (end.params->attrs.inner_scale > 0) number_row(end, span.width, row);
      if (end.params->attrs.residual != 0) add_residual_row(end, span, at, row);
      at.next();
    }
    if (end.params->has_program) run_mma_program(end, span, walk, rows, values);
    for (int64_t r = 0; r < rows; ++r, walk.next()) store_mma_row(end, span, walk, values + r * kMostMmaColumns);
  }
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
