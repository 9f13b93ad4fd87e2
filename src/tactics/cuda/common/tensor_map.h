#pragma once
// Tensor maps of a launch step: what hardware copies read and write.

#include <vector>

#include "tensor/data_type.h"
#include "tensor/dim.h"

namespace planish::tactics::cuda {

// The fields of a tensor map as plan/launch.h has them; axes from the innermost on.
struct TensorMapFields {
  int64_t operand = 0, im2col = 0, element = 0;
  std::vector<Dim> dims, strides;  // strides: bytes
  std::vector<int64_t> box, steps;
  std::vector<int64_t> lower, upper;
  int64_t channels = 0, pixels = 0, row_bytes = 0;  // row_bytes: of a box, 128, 64 or 32; the swizzle

  void append_to(std::vector<Dim>& out) const;
};

int64_t tensor_map_element(DataType type);  // CUtensorMapDataType

}  // namespace planish::tactics::cuda
