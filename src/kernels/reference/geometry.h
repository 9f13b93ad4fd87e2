#pragma once
// Attributes of affine_grid.

#include <cstdint>

namespace planish {

struct AffineGridAttrs {
  int64_t align_corners = 0;
  template <class V>
  void fields(V& v) {
    v("align_corners", align_corners);
  }
};

}  // namespace planish
