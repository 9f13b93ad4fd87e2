#pragma once
// Attributes of crop_and_resize.

#include <cstdint>

namespace planish {

struct CropAttrs {
  int64_t height = 1, width = 1;
  template <class V>
  void fields(V& v) {
    v("height", height);
    v("width", width);
  }
};

}  // namespace planish
