#pragma once
// The epilogue of a product of quantised numbers, as the matrix kernels of integers take it.

#include "tactics/cpu/common/packing.h"
#include "tactics/quantized_form.h"

namespace planish::tactics::cpu {

// The epilogue of a quantised product. What is linear is divided by the scale of the result; else the program takes
// numbers and divides itself.
struct QuantizedEpilogue {
  EpilogueParams params;
  std::vector<float> scales;  // of the sums, one a column
  double residual_scale = 1;
  int64_t residual_zero = 0, out_zero = 0;
  double inner_scale = 0;  // what a step of the inner numbers is in those of the result
};
QuantizedEpilogue quantized_epilogue(const QuantizedForm& q, EpilogueParams params, int64_t columns);

}  // namespace planish::tactics::cpu
