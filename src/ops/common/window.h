#pragma once
// Extents of convolutions and poolings, on expressions.

#include "kernels/reference/conv.h"
#include "ops/op.h"

namespace planish::ops {

// Refuses kernels, strides, dilations and groups below 1, negative pads, and lists of another length.
void check_window(const std::vector<int64_t>& list, size_t spatial, int64_t least, const char* name);

void check_auto_pad(const InferContext& context, const std::string& auto_pad);

// floor((in + pads - dilation * (kernel - 1) - 1) / stride) + 1; ceil_mode rounds up but no window starts in the
// padding behind the last element.
Dim window_extent(const InferContext& context, const std::string& auto_pad, const std::vector<int64_t>& pads,
                  size_t axis, size_t spatial, Dim in, int64_t kernel, int64_t stride, int64_t dilation,
                  bool ceil_mode);

}  // namespace planish::ops
