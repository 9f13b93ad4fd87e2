#pragma once
// The rows of a result in flat order, and where each of them begins in a strided operand.

#include <array>

#include "tensor/view.h"

namespace planish::kernels::cpu::PLANISH_ISA {

using RowStrides = std::array<int64_t, kMaxRank>;

struct RowWalk {
  int axes = 0;
  std::array<int64_t, kMaxRank> dims{}, at{};

  int64_t count() const {
    int64_t rows = 1;
    for (int i = 0; i < axes; ++i) rows *= dims[static_cast<size_t>(i)];
    return rows;
  }
  void seek(int64_t row) {
    for (int i = axes; i-- > 0;) {
      const auto axis = static_cast<size_t>(i);
      at[axis] = row % dims[axis];
      row /= dims[axis];
    }
  }
  void next() {
    for (int i = axes; i-- > 0;) {
      const auto axis = static_cast<size_t>(i);
      if (++at[axis] < dims[axis]) return;
      at[axis] = 0;
    }
  }
  int64_t offset(const RowStrides& strides) const {
    int64_t sum = 0;
    for (int i = 0; i < axes; ++i) sum += at[static_cast<size_t>(i)] * strides[static_cast<size_t>(i)];
    return sum;
  }
};

// The values of an array of extents or strides without the axis of the columns.
inline RowStrides without_axis(const std::array<int64_t, kMaxRank>& values, int rank, int axis) {
  RowStrides rows{};
  for (int i = 0, to = 0; i < rank; ++i)
    if (i != axis) rows[static_cast<size_t>(to++)] = values[static_cast<size_t>(i)];
  return rows;
}

inline RowWalk rows_of(const TensorView& view, int column_axis) {
  RowWalk walk;
  walk.axes = view.rank - 1;
  walk.dims = without_axis(view.dims, view.rank, column_axis);
  return walk;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
