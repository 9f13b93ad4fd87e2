// Convolutions: any window over one to three axes, and the shapes that have kernels of their own.

#include <cmath>

#include "sweep/windows.h"

namespace planish::testing {
namespace {

constexpr int64_t kMostWork = 300'000;  // multiplications

struct Channels {
  int64_t in = 1, out = 1, group = 1;  // in, out: of a group
};

// Fewer channels and images where it would take long; what has no result is no sample.
void convolve(Sketch& d, const Windows& w, Channels c) {
  int64_t batch = d.between(1, 3);
  const auto work = [&] { return batch * c.group * c.in * c.out * product_of(w.kernel) * product_of(w.results); };
  while (work() > kMostWork && (batch > 1 || c.in > 1 || c.out > 1 || c.group > 1)) {
    int64_t& largest = batch > 1 ? batch : c.in >= c.out && c.in > 1 ? c.in : c.out > 1 ? c.out : c.group;
    largest = std::max<int64_t>(1, largest * 2 / 3);
  }
  Ints x = {batch, c.in * c.group}, filters = {c.out * c.group, c.in};
  x.insert(x.end(), w.extents.begin(), w.extents.end());
  filters.insert(filters.end(), w.kernel.begin(), w.kernel.end());
  const float scale = 1 / std::sqrt(static_cast<float>(c.in * product_of(w.kernel)));
  std::vector<ValueId> operands = {d.operand(x), d.weights(filters, scale)};
  if (d.one_in(2)) operands.push_back(d.weights({c.out * c.group}));
  const ValueId y = d.op("conv", operands,
                         {{"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}, {"group", c.group}});
  d.finish(d.followed(y));
}

void any_conv(Sketch& d) { convolve(d, any_windows(d, 2, 5, 14), {d.extent(70), d.extent(130)}); }
void deep_conv(Sketch& d) { convolve(d, any_windows(d, 2, 3, 5), {d.between(200, 900), d.extent(40)}); }
void pointwise_conv(Sketch& d) {
  convolve(d, square_windows(d, 1, d.between(1, 2), 16), {d.extent(200), d.extent(200)});
}
void winograd_conv(Sketch& d) {
  const bool wide = d.one_in(3);
  convolve(d, square_windows(d, 3, 1, wide ? 50 : 18), {d.extent(wide ? 12 : 80), d.extent(wide ? 12 : 80)});
}
void winograd_volume(Sketch& d) {
  Windows w;
  w.add(d.between(1, 4), d.between(1, 3), d.between(1, 2), 1);
  for (int i = 0; i < 2; ++i) w.add(d.between(1, 7), 3, 1, 1);
  pad_windows(d, w, 2);
  convolve(d, w, {16, d.extent(12)});
}
void first_layer(Sketch& d) {
  Windows w;
  const int64_t taps = d.between(1, 7);
  w.add(d.between(1, 30), taps, d.between(1, 4), d.one_in(4) ? 2 : 1);
  w.add(d.between(1, d.one_in(6) ? 1500 : 60), d.one_in(4) ? d.between(1, 7) : taps, d.between(1, 4),
        d.one_in(4) ? 2 : 1);
  pad_windows(d, w, 4);
  convolve(d, w, {d.between(1, 6), d.extent(70)});
}
void depthwise(Sketch& d) {
  Windows w;
  static const int64_t usual[] = {3, 3, 5, 7};
  for (int i = 0; i < 2; ++i)
    w.add(d.between(1, 24), d.one_in(3) ? d.between(1, 7) : d.any_of(usual), d.between(1, 2), d.one_in(5) ? 2 : 1);
  pad_windows(d, w, 4);
  convolve(d, w, {1, d.one_in(5) ? d.between(2, 3) : 1, d.one_in(6) ? d.between(100, 600) : d.extent(140)});
}
ValueId activated(Sketch& d, ValueId y) {
  switch (d.pick(4)) {
    case 0:
      return y;
    case 1:
      return d.op("relu", {y});
    case 2:
      return d.op("clip", {y, d.scalar(-1), d.scalar(4)});
    default:
      return d.whole ? d.op("leaky_relu", {y}, {{"alpha", 0.5}}) : d.op("mul", {y, d.op("sigmoid", {y})});
  }
}
// Depthwise between 1x1 convolutions, of which one may be missing.
void depthwise_block(Sketch& d) {
  Windows w;
  d.sample.chained = true;
  static const int64_t usual[] = {3, 3, 5, 7};
  const int64_t taps = d.any_of(usual), stride = d.between(1, 2);
  for (int i = 0; i < 2; ++i) w.add(d.between(1, 14), taps, stride, 1);
  pad_windows(d, w, 3);
  const int form = d.pick(4);
  const int64_t batch = d.between(1, 3), hidden = d.between(2, d.one_in(4) ? 200 : 70);
  const int64_t channels = form == 1 ? hidden : d.extent(24), filters = d.extent(24);
  const auto conv = [&](ValueId x, const Ints& extents, Attrs attrs) {
    const float scale = 1 / std::sqrt(static_cast<float>(extents[1] * extents[2] * extents[3]));
    std::vector<ValueId> operands = {x, d.weights(extents, scale)};
    if (d.one_in(2)) operands.push_back(d.weights({extents[0]}));
    return d.op("conv", operands, std::move(attrs));
  };
  ValueId y = d.operand({batch, channels, w.extents[0], w.extents[1]});
  if (form != 1) y = activated(d, conv(y, {hidden, channels, 1, 1}, {}));
  y = activated(d, conv(y, {hidden, 1, taps, taps}, {{"group", hidden}, {"pads", w.pads}, {"strides", w.strides}}));
  if (form != 2) y = conv(y, {filters, hidden, 1, 1}, {});
  d.finish(d.followed(y));
}
void grouped_conv(Sketch& d) { convolve(d, any_windows(d, 2, 3, 12), {d.extent(20), d.extent(40), d.between(2, 6)}); }
void line_conv(Sketch& d) {
  convolve(d, any_windows(d, 1, 9, 90), {d.extent(70), d.extent(70), d.one_in(4) ? d.between(2, 4) : 1});
}
void volume_conv(Sketch& d) {
  convolve(d, any_windows(d, 3, 3, 7), {d.extent(20), d.extent(30), d.one_in(4) ? d.between(2, 3) : 1});
}

// out = (in - 1) stride + reach - pads + output_padding
void conv_transpose(Sketch& d) {
  const auto axes = static_cast<size_t>(d.between(1, 3));
  Windows w;
  Ints behind;
  for (size_t i = 0; i < axes; ++i) {
    const int64_t stride = d.between(1, 3);
    w.add(d.between(1, 8), d.one_in(3) ? stride : d.between(1, 4), stride, d.one_in(4) ? 2 : 1);
    behind.push_back(d.pick(static_cast<int>(stride)));
  }
  w.pads.assign(2 * axes, 0);
  for (size_t i = 0; i < axes; ++i) {
    const int64_t whole = (w.extents[i] - 1) * w.strides[i] + w.reach(i);
    w.pads[i] = whole > 4 ? d.pick(3) : 0;
    w.pads[i + axes] = whole > 4 ? d.pick(2) : 0;
  }
  const Channels c{d.extent(30), d.extent(40), d.one_in(3) ? d.between(2, 3) : 1};
  Ints x = {d.between(1, 2), c.in * c.group}, filters = {c.in * c.group, c.out};
  x.insert(x.end(), w.extents.begin(), w.extents.end());
  filters.insert(filters.end(), w.kernel.begin(), w.kernel.end());
  std::vector<ValueId> operands = {d.operand(x),
                                   d.weights(filters, 1 / std::sqrt(static_cast<float>(c.in * product_of(w.kernel))))};
  if (d.one_in(2)) operands.push_back(d.weights({c.out * c.group}));
  d.finish(d.followed(d.op("conv_transpose", operands,
                           {{"strides", w.strides},
                            {"dilations", w.dilations},
                            {"pads", w.pads},
                            {"output_padding", behind},
                            {"group", c.group}})));
}

}  // namespace

std::span<const Family> conv_families() {
  static const Family families[] = {{"conv", any_conv},
                                    {"conv.deep", deep_conv},
                                    {"conv.1x1", pointwise_conv},
                                    {"conv.3x3", winograd_conv},
                                    {"conv.kx3x3", winograd_volume},
                                    {"conv.first", first_layer},
                                    {"conv.depthwise", depthwise},
                                    {"conv.depthwise_block", depthwise_block},
                                    {"conv.groups", grouped_conv},
                                    {"conv.1d", line_conv},
                                    {"conv.3d", volume_conv},
                                    {"conv_transpose", conv_transpose}};
  return families;
}

}  // namespace planish::testing
