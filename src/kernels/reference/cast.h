#pragma once
// Attributes of cast.

#include <cstdint>
#include <string>

#include "tensor/data_type.h"

namespace planish {

// The last two are of narrow floats: what is too large becomes the largest; rounding to f8e8m0 goes up, down or to the
// nearest.
struct CastAttrs {
  DataType to = DataType::none;
  int64_t saturate = 1;
  std::string round_mode = "up";
  template <class V>
  void fields(V& v) {
    v("to", to);
    v("saturate", saturate);
    v("round_mode", round_mode);
  }
};

}  // namespace planish
