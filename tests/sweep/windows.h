#pragma once
// Windows of convolutions and poolings, over one to three axes.

#include "sweep/sketch.h"

namespace planish::testing {

struct Windows {
  Ints extents, kernel, strides, dilations, pads, results;

  void add(int64_t extent, int64_t taps, int64_t stride, int64_t dilation) {
    extents.push_back(extent);
    kernel.push_back(taps);
    strides.push_back(stride);
    dilations.push_back(dilation);
  }
  int64_t reach(size_t axis) const { return dilations[axis] * (kernel[axis] - 1) + 1; }
};

int64_t product_of(const Ints& values);

// Pads of any widths up to `most`, beyond the kernel too; extents as short as pads permit. Sets the results' extents.
void pad_windows(Sketch& d, Windows& w, int64_t most);
Windows any_windows(Sketch& d, size_t axes, int64_t most_taps, int64_t most_extent);
Windows square_windows(Sketch& d, int64_t taps, int64_t stride, int64_t most_extent);

}  // namespace planish::testing
