#pragma once
// Contracts that a reference kernel shares with the fast kernels of its operator, which add what they ask for beyond.

#include "kernels/check.h"
#include "kernels/reference/conv.h"

namespace planish::kernels::reference {

void check_gather(const KernelArgs& args);
void check_gather_elements(const KernelArgs& args);
void check_gather_nd(const KernelArgs& args);
void check_tile(const KernelArgs& args);
void check_pad(const KernelArgs& args);
void check_depth_to_space(const KernelArgs& args);
void check_space_to_depth(const KernelArgs& args);
void check_pool(const KernelArgs& args);
void check_reduce(const KernelArgs& args);
void check_arg(const KernelArgs& args);
void check_layer_norm(const KernelArgs& args);
void check_softmax(const KernelArgs& args);
void check_quantize(const KernelArgs& args);
void check_dynamic_quantize(const KernelArgs& args);
void check_resize(const KernelArgs& args);
void check_cast(const KernelArgs& args);

// The axes that a reduction takes away. They are data: that the result's extents are what remains shows itself here,
// as Error(invalid_argument).
std::array<bool, kMaxRank> reduced_axes(const KernelArgs& args);

// Elements that are put before each axis (negative: cut away), as the pads and axes of a pad step say.
std::array<int64_t, kMaxRank> pads_before(const KernelArgs& args);

// For the rows extents.*: gives these values to the symbols that the step binds. Error(invalid_argument) for extents
// below 0, or of another rank than was planned for.
void bind_extents(const KernelArgs& args, const std::vector<int64_t>& extents);
std::vector<int64_t> extents_list(const KernelArgs& args, size_t i);  // the elements of operand i

// The window of a convolution or pooling along one spatial axis of x and y.
template <class A>
void check_window_axis(const A& attrs, const Slot& x, const Slot& y, size_t axis, int64_t kernel) {
  const auto i = static_cast<int>(axis) + 2;
  check_window({x.extent(i), y.extent(i), kernel, at_or(attrs.strides, axis, 1), at_or(attrs.dilations, axis, 1),
                at_or(attrs.pads, axis, 0), x.view().strides[axis + 2]});
}

}  // namespace planish::kernels::reference
