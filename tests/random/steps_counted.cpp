// Results whose extents the elements of operands decide on.

#include "random/draft.h"

namespace planish::testing {
namespace {

// One number of [low, low + span), computed from data: i64[1].
std::optional<ValueId> computed(Draft& d, int64_t low, int64_t span) {
  const auto source = d.any(&Draft::holds_integers);
  if (!source) return std::nullopt;
  const ValueId flat = d.op("reshape", {d.cast(*source, DataType::i64), d.ints({-1})});
  const ValueId sum = d.op("reduce_sum", {flat, d.ints({0})});
  return d.op("add", {d.op("mod", {sum, d.ints({span})}), d.ints({low})});
}

void positions_of_true(Draft& d, ValueId x) {
  const ValueId mask = d.op("greater", {x, d.scalar(0.3125f)});
  d.keep(d.op("nonzero", {mask}));
}

void elements_that_hold(Draft& d, ValueId x) {
  const ValueId flat = d.op("reshape", {x, d.ints({-1})}), mask = d.op("less", {flat, d.scalar(0.3125f)});
  d.keep(d.op("compress", {x, mask}));
}

void different_ones(Draft& d, ValueId) {
  const auto source = d.any(&Draft::holds_integers);
  if (!source) return;
  const NodeId node = add_node(d.graph, "unique", {*source}, {}, {}, 4);
  for (size_t i : {0, 2}) d.keep(d.graph.node(node).outputs[i]);
}

void computed_slice(Draft& d, ValueId x) {
  if (const auto end = computed(d, 1, 3)) d.keep(d.op("slice", {x, d.ints({0}), *end, d.ints({d.pick(d.rank(x))})}));
}

void computed_range(Draft& d, ValueId) {
  const auto count = computed(d, 1, 6);
  if (!count) return;
  const ValueId end = d.op("squeeze", {*count, d.ints({0})});
  d.keep(d.op("range", {d.graph.add_constant(Tensor::scalar<int64_t>(0)), end,
                        d.graph.add_constant(Tensor::scalar<int64_t>(1))}));
}

void computed_topk(Draft& d, ValueId x) {
  if (d.dims(x).back() < 3) return;
  const auto k = computed(d, 1, 2);
  if (k) d.keep(d.graph.node(add_node(d.graph, "topk", {x, *k})).outputs[0]);
}

void computed_tile(Draft& d, ValueId x) {
  if (d.rank(x) != 1) return;
  if (const auto repeats = computed(d, 1, 2)) d.keep(d.op("tile", {x, *repeats}));
}

void computed_expand(Draft& d, ValueId x) {
  const auto rows = computed(d, 1, 3);
  if (!rows) return;
  const ValueId extents = d.op("concat", {*rows, d.op("shape", {x})}, {{"axis", int64_t{0}}});
  d.keep(d.op("expand", {x, extents}));
}

}  // namespace

std::span<const Step> counted_steps() {
  static const Step steps[] = {positions_of_true, elements_that_hold, different_ones, computed_slice, computed_slice,
                               computed_range,    computed_topk,      computed_tile,  computed_expand};
  return steps;
}

}  // namespace planish::testing
