#pragma once
// Kernels, strides and pads of convolutions and poolings, which a text gives once for all axes, once an axis, or by
// height and width.

#include <string>
#include <vector>

#include "importers/caffe/text/message.h"

namespace planish::caffe {

// One value a spatial axis. `name`: the field; `of_axis`: the stem of the fields for height and width ("kernel"), which
// stand for two axes only. `fallback` where none is given; negative: one must be.
std::vector<int64_t> spatial_values(const text::Message& param, const std::string& name, const std::string& of_axis,
                                    size_t spatial, int64_t fallback);

// {a, b} -> {a, b, a, b}: the same before and behind.
std::vector<int64_t> both_sides(const std::vector<int64_t>& pads);

}  // namespace planish::caffe
