#pragma once
// Attributes of convolutions and poolings, and the geometry that follows from them.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace planish {

struct ConvAttrs {
  std::string auto_pad = "NOTSET";
  std::vector<int64_t> dilations, kernel_shape, pads, strides, output_padding, output_shape;
  int64_t group = 1;
  template <class V>
  void fields(V& v) {
    v("auto_pad", auto_pad);
    v("dilations", dilations);
    v("kernel_shape", kernel_shape);
    v("pads", pads);
    v("strides", strides);
    v("output_padding", output_padding);
    v("output_shape", output_shape);
    v("group", group);
  }
};

struct PoolAttrs {
  std::string auto_pad = "NOTSET";
  std::vector<int64_t> dilations, kernel_shape, pads, strides;
  int64_t ceil_mode = 0, count_include_pad = 0, storage_order = 0;
  template <class V>
  void fields(V& v) {
    v("auto_pad", auto_pad);
    v("dilations", dilations);
    v("kernel_shape", kernel_shape);
    v("pads", pads);
    v("strides", strides);
    v("ceil_mode", ceil_mode);
    v("count_include_pad", count_include_pad);
    v("storage_order", storage_order);
  }
};

struct LpPoolAttrs : PoolAttrs {
  int64_t p = 2;
  template <class V>
  void fields(V& v) {
    PoolAttrs::fields(v);
    v("p", p);
  }
};

// One spatial axis of a window.
struct WindowAxis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
};

inline int64_t at_or(const std::vector<int64_t>& list, size_t i, int64_t fallback) {
  return i < list.size() ? list[i] : fallback;
}

// Padding before the first element. SAME splits the total that out = ceil(in / stride) needs; an odd one goes
// to the end (SAME_UPPER) or to the start (SAME_LOWER).
inline int64_t pad_begin(const std::string& auto_pad, const std::vector<int64_t>& pads, size_t axis,
                         const WindowAxis& w) {
  if (auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER") return auto_pad == "VALID" ? 0 : at_or(pads, axis, 0);
  const int64_t total = std::max<int64_t>(0, (w.out - 1) * w.stride + (w.kernel - 1) * w.dilation + 1 - w.in);
  return auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
}

template <class A>
WindowAxis window_axis(const A& attrs, size_t axis, int64_t in, int64_t out, int64_t kernel) {
  WindowAxis w{in, out, kernel, at_or(attrs.strides, axis, 1), at_or(attrs.dilations, axis, 1), 0};
  w.pad = pad_begin(attrs.auto_pad, attrs.pads, axis, w);
  return w;
}

}  // namespace planish
