// Poolings over windows and over everything.

#include "sweep/windows.h"

namespace planish::testing {
namespace {

Attrs pool_attrs(Sketch& d, const Windows& w) {
  return {{"kernel_shape", w.kernel},
          {"strides", w.strides},
          {"dilations", w.dilations},
          {"pads", w.pads},
          {"ceil_mode", int64_t{d.one_in(3)}}};
}

// Pads are narrower than the kernel: a window of nothing has no largest element.
Windows pool_windows(Sketch& d) {
  const auto axes = static_cast<size_t>(d.between(1, 3));
  static const int64_t taps[] = {1, 2, 2, 3, 3, 5}, most[] = {60, 14, 7};
  Windows w;
  for (size_t i = 0; i < axes; ++i) {
    w.add(0, d.any_of(taps), d.between(1, 3), d.one_in(4) ? 2 : 1);
    w.extents[i] = w.reach(i) + d.pick(static_cast<int>(most[axes - 1]));
  }
  for (size_t i = 0; i < 2 * axes; ++i) w.pads.push_back(d.pick(static_cast<int>(w.kernel[i % axes])));
  return w;
}

Ints image(Sketch& d, const Windows& w) {
  Ints extents = {d.between(1, 2), d.extent(70)};
  extents.insert(extents.end(), w.extents.begin(), w.extents.end());
  return extents;
}

void largest(Sketch& d) {
  const Windows w = pool_windows(d);
  const bool bytes = d.one_in(3);
  const ValueId x = bytes ? d.bytes(image(d, w), d.one_in(2) ? DataType::u8 : DataType::i8) : d.operand(image(d, w));
  const ValueId y = d.op("max_pool", {x}, pool_attrs(d, w));
  d.finish(bytes ? y : d.followed(y));
}

void average(Sketch& d) {
  const Windows w = pool_windows(d);
  Attrs attrs = pool_attrs(d, w);
  attrs.set("count_include_pad", int64_t{d.one_in(2)});
  d.sample.bound = Bound::rounded;
  d.finish(d.op("average_pool", {d.operand(image(d, w))}, attrs));
}

void over_all(Sketch& d) {
  Ints extents = {d.between(1, 3), d.extent(140)};
  for (int64_t i = d.between(1, 3); i > 0; --i) extents.push_back(d.between(1, 12));
  d.sample.bound = Bound::rounded;
  d.finish(d.op(d.one_in(2) ? "global_average_pool" : "global_max_pool", {d.operand(extents)}));
}

}  // namespace

std::span<const Family> pool_families() {
  static const Family families[] = {{"max_pool", largest}, {"average_pool", average}, {"global_pool", over_all}};
  return families;
}

}  // namespace planish::testing
