#pragma once
// Attributes of quantize_linear and dequantize_linear.

#include <cstdint>

#include "tensor/data_type.h"

namespace planish {

// block_size 0: scales are one for all, or one for each position of the axis; else each is for so many neighbours along
// the axis, and scales have X's rank. saturate: of f8 results. output_dtype none: the zero point's type, u8 without one
// (quantize_linear), the scale's type (dequantize_linear).
struct QuantizeAttrs {
  int64_t axis = 1, block_size = 0, saturate = 1;
  DataType output_dtype = DataType::none;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("block_size", block_size);
    v("saturate", saturate);
    v("output_dtype", output_dtype);
  }
};

}  // namespace planish
