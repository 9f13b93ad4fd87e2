#pragma once
// Boxes by their corners, how much two of them share, and which of many are kept.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/error.h"

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

struct Suppression {
  double threshold, eta, unit;
  size_t most;
};

// Of boxes in falling order of score those that share no more than the threshold with one before them that is kept.
inline std::vector<size_t> suppressed(const std::vector<Corners>& boxes, const std::vector<size_t>& order,
                                      const Suppression& rule) {
  std::vector<size_t> kept;
  double threshold = rule.threshold;
  for (size_t candidate : order) {
    if (kept.size() >= rule.most) break;
    const bool hidden = std::any_of(kept.begin(), kept.end(), [&](size_t other) {
      return shared_part(boxes[candidate], boxes[other], rule.unit) > threshold;
    });
    if (hidden) continue;
    kept.push_back(candidate);
    if (rule.eta < 1 && threshold > 0.5) threshold *= rule.eta;
  }
  return kept;
}

// Rows of results: stored while there are as many as were planned for.
inline void require_planned(int64_t found, int64_t planned) {
  if (found != planned) fail(Code::invalid_argument, "{} boxes are found, {} were planned for", found, planned);
}

}  // namespace planish
