// What moves elements of any type, and what turns one type into another.

#include <cmath>

#include "support/tensors.h"
#include "sweep/sketch.h"

namespace planish::testing {
namespace {

Ints extents_of(Sketch& d, int64_t rank, int64_t most) {
  Ints extents;
  int64_t count = 1;
  for (int64_t i = 0; i < rank; ++i) {
    extents.push_back(d.extent(std::max<int64_t>(1, std::min<int64_t>(most, 20'000 / count))));
    count *= extents.back();
  }
  return extents;
}

// Of 4, 1 or 8 bytes each.
ValueId elements(Sketch& d, const Ints& extents) {
  d.sample.bound = Bound::exact;
  switch (d.pick(4)) {
    case 0:
      return d.bytes(extents, DataType::u8);
    case 1:
      return d.placed(extents, [&](const Ints& dims) { return random_integers<int64_t>(dims, d.random(), -99, 99); });
    default:
      return d.operand(extents);
  }
}

ValueId indices(Sketch& d, const Ints& extents, int64_t low, int64_t high) {
  const Tensor values = d.one_in(3) ? random_integers<int32_t>(extents, d.random(), low, high)
                                    : random_integers<int64_t>(extents, d.random(), low, high);
  return d.one_in(2) ? d.input(values) : d.graph.add_constant(values);
}

void gather(Sketch& d) {
  const Ints extents = extents_of(d, d.between(1, 4), 60);
  const int64_t axis = d.pick(static_cast<int>(extents.size())), count = extents[static_cast<size_t>(axis)];
  const Ints shape = d.one_in(4) ? Ints{} : d.one_in(2) ? Ints{d.between(1, 9)} : Ints{2, d.between(1, 5)};
  d.finish(d.op("gather", {elements(d, extents), indices(d, shape, -count, count - 1)}, {{"axis", axis}}));
}

void gather_elements(Sketch& d) {
  const Ints extents = extents_of(d, d.between(1, 4), 40);
  const auto axis = static_cast<size_t>(d.pick(static_cast<int>(extents.size())));
  Ints shape = extents;
  shape[axis] = d.between(1, 12);
  d.finish(d.op("gather_elements", {elements(d, extents), indices(d, shape, -extents[axis], extents[axis] - 1)},
                {{"axis", static_cast<int64_t>(axis)}}));
}

void gather_nd(Sketch& d) {
  const int64_t rank = d.between(2, 4), taken = d.between(1, rank);
  const Ints extents = extents_of(d, rank, 20);
  int64_t least = extents[0];
  for (int64_t i = 0; i < taken; ++i) least = std::min(least, extents[static_cast<size_t>(i)]);
  d.finish(d.op("gather_nd", {elements(d, extents), indices(d, {d.between(1, 9), taken}, -least, least - 1)}));
}

void pad(Sketch& d) {
  static const char* const modes[] = {"constant", "constant", "edge", "reflect", "wrap"};
  const Ints extents = extents_of(d, d.between(1, 4), 40);
  const std::string mode = d.any_of(modes);
  Ints pads;
  for (size_t i = 0; i < 2 * extents.size(); ++i) {
    const int64_t most =
        mode == "reflect" || mode == "wrap" ? std::min<int64_t>(extents[i % extents.size()] - 1, 3) : 3;
    pads.push_back(d.between(0, most));
  }
  d.finish(d.op("pad", {elements(d, extents), d.ints(pads)}, {{"mode", mode}}));
}

void tile(Sketch& d) {
  const Ints extents = extents_of(d, d.between(1, 4), 14);
  Ints repeats;
  for (size_t i = 0; i < extents.size(); ++i) repeats.push_back(d.between(1, 3));
  d.finish(d.op("tile", {elements(d, extents), d.ints(repeats)}));
}

void depth_and_space(Sketch& d) {
  const int64_t block = d.between(1, 3), channels = d.between(1, 20), h = d.between(1, 9), w = d.between(1, 20);
  static const char* const modes[] = {"DCR", "CRD"};
  if (d.one_in(2))
    return d.finish(d.op("depth_to_space", {elements(d, {d.between(1, 2), channels * block * block, h, w})},
                         {{"blocksize", block}, {"mode", std::string(d.any_of(modes))}}));
  d.finish(
      d.op("space_to_depth", {elements(d, {d.between(1, 2), channels, h * block, w * block})}, {{"blocksize", block}}));
}

// Copies: what no window reaches.
void transpose(Sketch& d) {
  const Ints extents = extents_of(d, d.between(2, 5), 40);
  Ints perm;
  for (size_t i = 0; i < extents.size(); ++i) perm.push_back(static_cast<int64_t>(i));
  std::shuffle(perm.begin(), perm.end(), d.random);
  const ValueId y = d.op("transpose", {elements(d, extents)}, {{"perm", perm}});
  d.graph.add_output(d.one_in(2) ? y : d.op("reshape", {y, d.ints({-1})}));
}

void resize(Sketch& d) {
  static const char* const modes[] = {"nearest", "nearest", "linear", "cubic"};
  static const char* const coordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
  const std::string mode = d.any_of(modes);
  Ints extents = {d.between(1, 2), d.extent(40)}, sizes = extents;
  for (int64_t i = d.between(1, mode == "cubic" ? 2 : 3); i > 0; --i) {
    extents.push_back(d.between(1, 12));
    sizes.push_back(d.one_in(3) ? extents.back() * 2 : d.between(1, 20));
  }
  const bool nearest = mode == "nearest";
  const ValueId x = nearest ? elements(d, extents) : d.operand(extents);
  if (!nearest) d.sample.bound = Bound::rounded;
  d.finish(d.op("resize", {x, {}, {}, d.ints(sizes)},
                {{"mode", mode}, {"coordinate_transformation_mode", std::string(d.any_of(coordinates))}}));
}

void cast(Sketch& d) {
  static const DataType types[] = {DataType::i64,     DataType::i32, DataType::i8,   DataType::u8,
                                   DataType::boolean, DataType::f16, DataType::bf16, DataType::f32};
  const Ints extents = extents_of(d, d.between(1, 4), 70);
  d.whole = true;
  const ValueId x = d.cast(elements(d, extents), d.any_of(types));
  d.graph.add_output(d.cast(x, d.any_of(types)));
}

void quantize(Sketch& d) {
  const Ints extents = extents_of(d, d.between(2, 4), 60);
  const bool each = d.one_in(2), is_signed = d.one_in(2);
  const Ints row = each ? Ints{extents[1]} : Ints{};
  std::vector<float> scales;
  for (int64_t i = 0; i < (each ? extents[1] : 1); ++i) scales.push_back(std::ldexp(1.f + d.pick(7) / 8.f, -d.pick(6)));
  const ValueId scale = d.graph.add_constant(Tensor::of<float>(row, scales));
  const ValueId zero = d.graph.add_constant(is_signed ? random_integers<int8_t>(row, d.random(), -20, 20)
                                                      : random_integers<uint8_t>(row, d.random(), 100, 140));
  d.sample.bound = Bound::exact;
  const Attrs attrs = {{"axis", int64_t{1}}};
  if (d.one_in(2)) return d.finish(d.op("quantize_linear", {d.operand(extents), scale, zero}, attrs));
  d.finish(d.op("dequantize_linear", {d.bytes(extents, is_signed ? DataType::i8 : DataType::u8), scale, zero}, attrs));
}

}  // namespace

std::span<const Family> movement_families() {
  static const Family families[] = {{"gather", gather},       {"gather_elements", gather_elements},
                                    {"gather_nd", gather_nd}, {"pad", pad},
                                    {"tile", tile},           {"depth_to_space", depth_and_space},
                                    {"transpose", transpose}, {"resize", resize},
                                    {"cast", cast},           {"quantize", quantize}};
  return families;
}

}  // namespace planish::testing
