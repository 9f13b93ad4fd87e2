// Operators that move elements; of any type.

#include <algorithm>
#include <numeric>

#include "random/draft.h"

namespace planish::testing {
namespace {

void transpose(Draft& d, ValueId x) {
  Ints perm(static_cast<size_t>(d.rank(x)));
  std::iota(perm.begin(), perm.end(), 0);
  if (perm.size() == 4 && d.one_in(2))
    perm = d.one_in(2) ? Ints{0, 2, 3, 1} : Ints{0, 3, 1, 2};
  else
    std::shuffle(perm.begin(), perm.end(), d.random);
  d.keep(d.op("transpose", {x}, {{"perm", perm}}));
}

void flatten(Draft& d, ValueId x) { d.keep(d.op("flatten", {x}, {{"axis", int64_t{d.pick(d.rank(x) + 1)}}})); }

void unsqueeze(Draft& d, ValueId x) { d.keep(d.op("unsqueeze", {x, d.ints({d.pick(d.rank(x) + 1)})})); }

void squeeze(Draft& d, ValueId x) {
  const Ints dims = d.dims(x);
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] == 1) return d.keep(d.op("squeeze", {x, d.ints({static_cast<int64_t>(i)})}));
}

// An axis in two, or two axes in one; one extent may be left to be found (-1), others be copied (0).
void reshape(Draft& d, ValueId x) {
  Ints dims = d.dims(x);
  const auto at = static_cast<size_t>(d.pick(static_cast<int>(dims.size())));
  if (d.one_in(2)) {
    if (dims[at] < 2 || dims[at] % 2 != 0) return;
    dims[at] /= 2;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(at), 2);
  } else {
    if (at + 1 >= dims.size()) return;
    dims[at] = dims[at] < 0 || dims[at + 1] < 0 ? -1 : dims[at] * dims[at + 1];
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
  if (dims[0] == d.dims(x)[0] && d.one_in(2)) dims[0] = 0;
  d.keep(d.op("reshape", {x, d.ints(dims)}));
}

// The extents by arithmetic on the operand's shape, as exporters write dynamic ones.
void reshape_by_shape(Draft& d, ValueId x) {
  if (d.rank(x) < 2) return;
  const ValueId extents = d.op("shape", {x});
  const ValueId first = d.op("gather", {extents, d.ints({0})});
  const ValueId rest = d.op("slice", {extents, d.ints({1}), d.ints({d.rank(x)}), d.ints({0})});
  const ValueId product = d.op("reduce_prod", {rest, d.ints({0})});
  d.keep(d.op("reshape", {x, d.op("concat", {d.one_in(2) ? first : d.ints({-1}), product}, {{"axis", int64_t{0}}})}));
}

void concat(Draft& d, ValueId x) {
  const int64_t axis = d.pick(d.rank(x));
  std::vector<ValueId> parts = {x};
  for (ValueId other : d.values) {
    if (d.rank(other) != d.rank(x) || d.type(other).dtype != d.type(x).dtype || parts.size() == 3) continue;
    bool fits = true;
    for (int i = 0; i < d.rank(x); ++i) fits = fits && (i == axis || d.shape(other)[i] == d.shape(x)[i]);
    if (fits) parts.push_back(other);
  }
  d.keep(d.op("concat", parts, {{"axis", axis}}));
}

void slice(Draft& d, ValueId x) {
  const int64_t axis = d.pick(d.rank(x)), extent = d.dims(x)[static_cast<size_t>(axis)];
  const int64_t begin = extent > 0 ? d.pick(static_cast<int>(extent)) : 0, step = 1 + d.pick(2);
  switch (d.pick(3)) {
    case 0:
      return d.keep(d.op("slice", {x, d.ints({begin}), d.ints({INT64_MAX}), d.ints({axis}), d.ints({step})}));
    case 1:
      return d.keep(d.op("slice", {x, d.ints({-1}), d.ints({INT64_MIN}), d.ints({axis}), d.ints({-step})}));
    default:
      return d.keep(d.op("slice", {x, d.ints({0}), d.ints({-1}), d.ints({axis})}));
  }
}

void gather(Draft& d, ValueId x) {
  const int64_t axis = d.pick(d.rank(x)), extent = d.dims(x)[static_cast<size_t>(axis)];
  const int64_t any = extent > 0 ? d.pick(static_cast<int>(extent)) : 0;
  const ValueId index = d.one_in(2) ? d.graph.add_constant(Tensor::scalar(any)) : d.ints({any, -1, 0});
  d.keep(d.op("gather", {x, index}, {{"axis", axis}}));
}

// Indices that are computed: remainders of an integer value.
void gather_computed(Draft& d, ValueId x) {
  const auto source = d.any(&Draft::holds_integers);
  const int64_t axis = d.pick(d.rank(x)), extent = d.dims(x)[static_cast<size_t>(axis)];
  if (!source || extent < 1 || d.rank(*source) > 3) return;
  const ValueId index = d.op("mod", {*source, d.integers(d.type(*source).dtype, {}, extent, extent)});
  d.keep(d.op("gather", {x, index}, {{"axis", axis}}));
}

void gather_elements(Draft& d, ValueId x) {
  const Ints dims = d.dims(x);
  const auto axis = static_cast<size_t>(d.pick(d.rank(x)));
  if (std::count(dims.begin(), dims.end(), -1) > 0) return;
  const ValueId index = d.integers(DataType::i64, dims, -dims[axis], dims[axis] - 1);
  d.keep(d.op("gather_elements", {x, index}, {{"axis", static_cast<int64_t>(axis)}}));
}

void split(Draft& d, ValueId x) {
  const int64_t axis = d.pick(d.rank(x)), extent = d.dims(x)[static_cast<size_t>(axis)];
  if (extent < 2) return;
  const bool even = extent % 2 == 0 && d.one_in(2);
  const std::vector<ValueId> operands =
      even ? std::vector<ValueId>{x} : std::vector<ValueId>{x, d.ints({1, extent - 1})};
  const NodeId parts = add_node(d.graph, "split", operands, {{"axis", axis}}, {}, 2);
  for (ValueId part : d.graph.node(parts).outputs) d.keep(part);
}

void expand(Draft& d, ValueId x) {
  Ints wide = d.dims(x);
  for (int64_t& extent : wide)
    if (extent <= 1) extent = extent == 1 ? 1 + d.pick(3) : 1;
  if (d.one_in(2)) wide.insert(wide.begin(), 2);
  d.keep(d.op("expand", {x, d.ints(wide)}));
}

void tile(Draft& d, ValueId x) {
  Ints repeats(static_cast<size_t>(d.rank(x)), 1);
  repeats[static_cast<size_t>(d.pick(d.rank(x)))] = 2;
  d.keep(d.op("tile", {x, d.ints(repeats)}));
}

}  // namespace

std::span<const Step> move_steps() {
  static const Step steps[] = {
      transpose, transpose,       transpose,       flatten, unsqueeze, squeeze, reshape, reshape, reshape_by_shape,
      concat,    concat,          slice,           slice,   gather,    split,   expand,  tile,    gather,
      unsqueeze, gather_computed, gather_elements, reshape};
  return steps;
}

}  // namespace planish::testing
