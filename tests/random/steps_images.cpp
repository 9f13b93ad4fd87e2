// Convolutions, pools and what else happens to pictures.

#include <limits>

#include "random/draft.h"

namespace planish::testing {
namespace {

void conv(Draft& d, ValueId x) {
  const Ints dims = d.dims(x);
  if (dims.size() != 4 || dims[1] < 0) return;
  const int64_t kernel = d.one_in(2) ? 1 : 3, groups = dims[1] % 2 == 0 && d.one_in(3) ? 2 : 1;
  const int64_t border = kernel == 3 && d.pick(3) > 0 ? 1 : 0, stride = d.one_in(4) ? 2 : 1;
  static const int64_t widths[] = {4, 4, 2, 8, 18};
  const int64_t filters = d.any_of(widths);
  const bool transposed = d.one_in(5);
  const Ints shape =
      transposed ? Ints{dims[1], filters / groups, kernel, kernel} : Ints{filters, dims[1] / groups, kernel, kernel};
  std::vector<ValueId> operands = {x, d.floats(shape, 0.4f)};
  if (d.one_in(2)) operands.push_back(d.floats({filters}));
  ValueId y = d.op(transposed ? "conv_transpose" : "conv", operands,
                   {{"group", groups}, {"pads", Ints(4, border)}, {"strides", Ints(2, stride)}});
  if (d.one_in(2)) {
    std::vector<float> variance;
    for (int64_t i = 0; i < filters; ++i) variance.push_back(0.5f + 0.25f * static_cast<float>(i));
    const ValueId deviations = d.graph.add_constant(Tensor::of<float>({filters}, std::span<const float>(variance)));
    y = d.op("batch_normalization", {y, d.floats({filters}), d.floats({filters}), d.floats({filters}), deviations});
  }
  d.keep(y);
}

void depthwise(Draft& d, ValueId x) {
  const Ints dims = d.dims(x);
  if (dims.size() != 4 || dims[1] < 0) return;
  d.keep(d.op("conv", {x, d.floats({dims[1], 1, 3, 3}, 0.4f)}, {{"group", dims[1]}, {"pads", Ints(4, 1)}}));
}

void pool_of(Draft& d, ValueId x, bool maximum) {
  if (d.rank(x) != 4) return;
  const Attrs attrs = {
      {"kernel_shape", Ints{3, 3}}, {"strides", Ints(2, 1 + d.pick(2))}, {"pads", Ints(4, maximum ? 0 : d.pick(2))}};
  ValueId y = maximum || d.one_in(2) ? d.op("max_pool", {x}, attrs) : d.op("average_pool", {x}, attrs);
  if (maximum) y = d.op("max", {y, d.scalar(-9)});
  d.keep(y);
}

void pool(Draft& d, ValueId x) { pool_of(d, x, false); }

void pad(Draft& d, ValueId x) {
  if (d.rank(x) != 4) return;
  Ints pads(8, 0);
  for (size_t i : {2, 3, 6, 7}) pads[i] = d.pick(3);
  static const float values[] = {0, 0, 1, -std::numeric_limits<float>::infinity()};
  const float value = values[d.pick(4)];
  const ValueId padded = d.op("pad", {x, d.ints(pads), d.scalar(value)});
  // Infinities go into a maximum only: elsewhere they would become NaN.
  const bool infinite = value < -1;
  if (!infinite) d.keep(padded);
  if (infinite || d.one_in(2)) pool_of(d, padded, infinite);
}

void pad_by_mode(Draft& d, ValueId x) {
  static const char* const modes[] = {"reflect", "edge"};
  Ints pads(2 * static_cast<size_t>(d.rank(x)), 0);
  pads[static_cast<size_t>(d.rank(x)) - 1] = pads.back() = 1;
  d.keep(d.op("pad", {x, d.ints(pads)}, {{"mode", d.any_of(modes)}}));
}

void global_pool(Draft& d, ValueId x) {
  if (d.rank(x) == 4) d.keep(d.op(d.one_in(2) ? "global_average_pool" : "global_max_pool", {x}));
}

void resize(Draft& d, ValueId x) {
  if (d.rank(x) != 4) return;
  const ValueId scales = d.graph.add_constant(Tensor::of<float>({4}, std::vector<float>{1, 1, 2, 2}));
  if (d.one_in(2))
    d.keep(d.op("resize", {x, {}, scales},
                {{"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}}));
  else
    d.keep(d.op("resize", {x, {}, scales}, {{"mode", "linear"}}));
}

void shuffle_space(Draft& d, ValueId x) {
  if (d.rank(x) == 4) d.keep(d.op(d.one_in(2) ? "depth_to_space" : "space_to_depth", {x}, {{"blocksize", int64_t{2}}}));
}

}  // namespace

std::span<const Step> image_steps() {
  static const Step steps[] = {conv, conv,        conv,        conv,   depthwise,    pool,
                               pad,  pad_by_mode, global_pool, resize, shuffle_space};
  return steps;
}

}  // namespace planish::testing
