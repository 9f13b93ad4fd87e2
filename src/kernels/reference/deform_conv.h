#pragma once
// Attributes of deform_conv.

#include <cstdint>
#include <vector>

namespace planish {

struct DeformConvAttrs {
  std::vector<int64_t> dilations, kernel_shape, pads, strides;
  int64_t group = 1, offset_group = 1;
  template <class V>
  void fields(V& v) {
    v("dilations", dilations);
    v("kernel_shape", kernel_shape);
    v("pads", pads);
    v("strides", strides);
    v("group", group);
    v("offset_group", offset_group);
  }
};

}  // namespace planish
