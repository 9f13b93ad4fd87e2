#pragma once
// Attributes of dynamic_quantize_linear, and its arithmetic, which every kernel of it shares: all in f32.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace planish {

// rows: each row along the last axis has a scale and a zero point of its own; else one for all.
// symmetric: i8 in -127 … 127, scale = largest magnitude / 127, zero point 0; else u8 as ONNX defines it.
struct DynamicQuantizeAttrs {
  int64_t rows = 0, symmetric = 0;
  template <class V>
  void fields(V& v) {
    v("rows", rows);
    v("symmetric", symmetric);
  }
};

struct DynamicScale {
  float scale = 1;
  int32_t zero = 0;
};

// Of values between low <= 0 and high >= 0. Nothing but zeros: scale 1. `finite`: false where one of them is not: then
// the scale is NaN, and so is what comes of the numbers.
//   scale = (high - low) / 255, zero = clamp(round_half_even(-low / scale), 0, 255)
inline DynamicScale dynamic_scale(float low, float high, bool finite, bool symmetric) {
  DynamicScale found;
  const float range = symmetric ? std::max(-low, high) / 127.f : (high - low) / 255.f;
  if (!finite)
    found.scale = NAN;
  else if (range != 0)
    found.scale = range;
  if (!symmetric && finite)
    found.zero = static_cast<int32_t>(std::clamp(std::nearbyint(-low / found.scale), 0.f, 255.f));
  return found;
}

}  // namespace planish
