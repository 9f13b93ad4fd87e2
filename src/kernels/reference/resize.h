#pragma once
// Which elements of the input, with which weights, make one position of a resized axis.

#include <optional>
#include <utility>
#include <vector>

#include "kernels/kernel.h"
#include "kernels/reference/move.h"

namespace planish {

struct ResizeTaps {
  size_t count = 1;
  std::array<int64_t, 4> positions{};
  std::array<double, 4> weights{1, 0, 0, 0};
};

// The fraction of small numbers that a scale, above 0 and at most kMostScale, was rounded from.
constexpr double kMostScale = 1e6;
std::optional<std::pair<int64_t, int64_t>> fraction_of(float scale);

// floor(extent * scale), where 10 * 0.7 is 7.
double scaled_extent(double extent, double scale);

// One axis of a resize step. `scale`: as given, or what the sizes and their policy make of it; length: what the
// result's extent would be if it need not be whole; [start, end]: the part of the input that tf_crop_and_resize shows.
struct ResizeAxis {
  int64_t in = 1, out = 1;
  double scale = 1, length = 1, start = 0, end = 1;
};
ResizeAxis resize_axis(const KernelArgs& args, const ResizeAttrs& attrs, size_t axis);

// Every position is the input's own.
bool keeps_positions(const ResizeAttrs& attrs, const ResizeAxis& axis);

// Where position `out` of the result lies in the input.
double resize_source(const ResizeAttrs& attrs, const ResizeAxis& axis, int64_t out);

// Positions are inside [0, axis.in). An axis that keeps its positions gets {out, weight 1}. Without antialias.
ResizeTaps resize_taps(const ResizeAttrs& attrs, const ResizeAxis& axis, int64_t out);

// The same, antialiased or not: any number of taps. `outside`: the position shows the extrapolation value.
struct ResizePosition {
  std::vector<int64_t> positions;
  std::vector<double> weights;
  bool outside = false;
};
ResizePosition resize_position(const ResizeAttrs& attrs, const ResizeAxis& axis, int64_t out);

}  // namespace planish
