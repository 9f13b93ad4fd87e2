#pragma once
// What ends in vectors read and write: a panel's columns, a block's rows.

#include "kernels/cpu/common/bytes.h"
#include "kernels/cpu/common/mma_end.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// What an end in vectors knows of the columns of a panel, as many as a panel has.
class MmaColumns {
 public:
  MmaColumns(const MmaEnd& end, const MmaSpan& span) {
    if (end.kind == MmaEnd::Kind::any) return;
    bias = columns_of(end.bias, span, bias_);
    if (end.scales == nullptr) return;
    scales = columns_of(end.scales, span, scales_);
    offsets = columns_of(end.offsets, span, offsets_);
  }
  MmaColumns(const MmaColumns&) = delete;
  MmaColumns& operator=(const MmaColumns&) = delete;

  const float *bias = nullptr, *scales = nullptr;  // scales, offsets: of integers only
  const int32_t* offsets = nullptr;

 private:
  template <class T>
  static const T* columns_of(const T* all, const MmaSpan& span, T* to) {
    if (span.width == kDotColumns) return all + span.column;
    std::copy_n(all + span.column, span.width, to);
    std::fill(to + span.width, to + kDotColumns, T{});
    return to;
  }
  float scales_[kDotColumns], bias_[kDotColumns];
  int32_t offsets_[kDotColumns];
};

// Where the rows of a span begin; of an odd number of them the last one twice.
template <class T>
class RowPlaces {
 public:
  RowPlaces(const MmaOperand& operand, const RowWalk& rows, const MmaSpan& span) {
    if (operand.even) {
      auto* const first = reinterpret_cast<T*>(operand.data) + span.row * operand.pitch + span.column;
      for (int r = 0; r < span.rows; ++r) at_[r] = first + r * operand.pitch;
    } else {
      walk(operand, rows, span);
    }
    at_[span.rows] = at_[span.rows - 1];
  }
  T* operator[](int r) const { return at_[r]; }

 private:
  void walk(const MmaOperand& operand, RowWalk rows, const MmaSpan& span) {
    rows.seek(span.row);
    for (int r = 0; r < span.rows; ++r, rows.next()) at_[r] = reinterpret_cast<T*>(operand.row(rows)) + span.column;
  }
  T* at_[kMostMmaRows + 1] = {};
};

template <class T>
struct NoRows {
  NoRows(const MmaOperand&, const RowWalk&, const MmaSpan&) {}
  const T* operator[](int) const { return nullptr; }
};

}  // namespace planish::kernels::cpu::PLANISH_ISA
