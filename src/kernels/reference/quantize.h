#pragma once
// Attributes of quantize_linear and dequantize_linear.

#include <cstdint>

namespace planish {

struct QuantizeAttrs {
  int64_t axis = 1, block_size = 0, saturate = 1, output_dtype = 0;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("block_size", block_size);
    v("saturate", saturate);
    v("output_dtype", output_dtype);
  }
};

}  // namespace planish
