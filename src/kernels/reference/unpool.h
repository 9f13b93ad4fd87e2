#pragma once
// Attributes of col2im and max_unpool.

#include <cstdint>
#include <vector>

#include "kernels/reference/conv.h"

namespace planish {

struct Col2ImAttrs {
  std::vector<int64_t> dilations, pads, strides;
  template <class V>
  void fields(V& v) {
    v("dilations", dilations);
    v("pads", pads);
    v("strides", strides);
  }
};

struct MaxUnpoolAttrs {
  std::vector<int64_t> kernel_shape, pads, strides;
  template <class V>
  void fields(V& v) {
    v("kernel_shape", kernel_shape);
    v("pads", pads);
    v("strides", strides);
  }
};

// Extent of the picture that so many windows along an axis were taken from.
inline int64_t unpooled_extent(const MaxUnpoolAttrs& attrs, size_t axis, int64_t windows) {
  return (windows - 1) * at_or(attrs.strides, axis, 1) + attrs.kernel_shape[axis] - at_or(attrs.pads, axis, 0) -
         at_or(attrs.pads, axis + attrs.kernel_shape.size(), 0);
}

}  // namespace planish
