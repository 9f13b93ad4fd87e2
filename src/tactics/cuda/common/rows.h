#pragma once
// Operands as rows of adjacent elements, all equally far apart: pixels of an image channels last, rows of a matrix.

#include <string>

#include "tactics/tactic.h"

namespace planish::tactics::cuda {

// Elements from row to row; 0: its rows are not equally far apart, or one (an expand's), or it does not lie at
// multiples of `align` bytes.
// `channels`: the axis whose elements are adjacent.
int64_t row_pitch(const ViewDesc& view, int channels, int64_t align);

// The axis whose elements are adjacent under a rule: 1 where channels come last, else the last one.
int adjacent_axis(LayoutRule rule, size_t rank);

// Operand `i` of the node where it lies, or copied to where it is such rows.
Operand rows_input(StepBuilder& builder, size_t i, LayoutRule rule, int64_t align, const std::string& arch);

// Result 0 as such rows; finish() after the last step brings it to where it belongs. `columns`: of rows that are longer
// than those of the result, whose first ones count; 0: they are as long.
class RowsOutput {
 public:
  RowsOutput(StepBuilder& builder, LayoutRule rule, int64_t align, std::string arch, int64_t columns = 0);
  Operand operand() const { return rows_; }
  int64_t pitch() const { return pitch_; }
  void finish();

 private:
  StepBuilder& builder_;
  std::string arch_;
  Operand result_, rows_;
  int channels_;
  int64_t pitch_;
};

}  // namespace planish::tactics::cuda
