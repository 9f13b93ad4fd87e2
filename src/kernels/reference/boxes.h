#pragma once
// Boxes by their corners, and how much two of them share.

#include <algorithm>

namespace planish {

struct Corners {
  double left = 0, top = 0, right = 0, bottom = 0;
};

// Extents count `unit` beyond the difference of corners: 0 in shares of the image, 1 in whole pixels.
inline double area_of(const Corners& box, double unit) {
  if (box.right < box.left || box.bottom < box.top) return 0;
  return (box.right - box.left + unit) * (box.bottom - box.top + unit);
}

// Intersection over union.
inline double shared_part(const Corners& a, const Corners& b, double unit) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left) + unit,
               height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top) + unit;
  if (!(width > 0) || !(height > 0)) return 0;
  const double common = width * height;
  return common / (area_of(a, unit) + area_of(b, unit) - common);
}

}  // namespace planish
