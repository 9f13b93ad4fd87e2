#pragma once
// Which elements of the input, with which weights, make one position of a resized axis.

#include "kernels/kernel.h"
#include "kernels/reference/move.h"

namespace planish {

struct ResizeTaps {
  size_t count = 1;
  std::array<int64_t, 4> positions{};
  std::array<double, 4> weights{1, 0, 0, 0};
};

// Positions are inside [0, in_extent). An axis whose extent stays gets {out, weight 1}.
ResizeTaps resize_taps(const ResizeAttrs& attrs, int64_t out, double scale, int64_t in_extent, int64_t out_extent);

// Scale of an axis of a resize step: as given, else the ratio of the extents.
double resize_scale(const KernelArgs& args, const ResizeAttrs& attrs, size_t axis);

}  // namespace planish
