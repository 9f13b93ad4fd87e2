#pragma once
// Attributes of dft and mel_weight_matrix.

#include <cstdint>

#include "tensor/data_type.h"

namespace planish {

struct DftAttrs {
  int64_t inverse = 0, onesided = 0;
  template <class V>
  void fields(V& v) {
    v("inverse", inverse);
    v("onesided", onesided);
  }
};

struct MelAttrs {
  DataType output_datatype = DataType::f32;
  template <class V>
  void fields(V& v) {
    v("output_datatype", output_datatype);
  }
};

}  // namespace planish
