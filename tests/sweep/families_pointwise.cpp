// Pointwise programs: operators alone and together, over extents that spread over one another.

#include "support/tensors.h"
#include "sweep/sketch.h"

namespace planish::testing {
namespace {

Ints extents_for(Sketch& d) {
  Ints extents;
  int64_t count = 1;
  for (int64_t i = d.between(0, 5); i > 0; --i) {
    extents.push_back(d.extent(std::max<int64_t>(1, std::min<int64_t>(300, 20'000 / count))));
    count *= extents.back();
  }
  return extents;
}

Ints spread(Sketch& d, Ints extents) {
  for (int64_t& extent : extents) extent = d.one_in(3) ? 1 : extent;
  if (!extents.empty() && d.one_in(4)) extents.erase(extents.begin());
  return extents;
}

// Operators that are exact on integers, or any on reals.
void floats(Sketch& d) {
  static const char* const binary[] = {"add", "sub", "mul", "min", "max"};
  static const char* const exact[] = {"neg", "abs", "relu", "floor", "sign", "identity"};
  static const char* const curves[] = {"sigmoid", "tanh",     "exp",  "erf",      "gelu", "silu", "hard_swish",
                                       "elu",     "softplus", "mish", "softsign", "sin",  "cos",  "selu"};
  const Ints extents = extents_for(d);
  d.sample.tolerance = 4e-6;
  ValueId y = d.operand(extents);
  for (int64_t steps = d.between(1, 4); steps > 0; --steps) {
    if (d.one_in(2))
      y = d.op(d.any_of(binary), {y, d.operand(spread(d, extents))});
    else
      y = d.op(d.whole ? d.any_of(exact) : d.any_of(curves), {y});
    if (!d.whole) y = d.op("clip", {y, d.scalar(-8), d.scalar(8)});  // what exp is asked for
  }
  d.finish(y);
}

void conditions(Sketch& d) {
  static const char* const compare[] = {"less", "greater", "equal", "less_equal", "greater_equal"};
  static const char* const logic[] = {"and", "or", "xor"};
  const Ints extents = extents_for(d);
  d.whole = true;
  d.sample.bound = Bound::exact;
  ValueId mask = d.op(d.any_of(compare), {d.operand(extents), d.operand(spread(d, extents))});
  if (d.one_in(2))
    mask = d.op(d.any_of(logic), {mask, d.op(d.any_of(compare), {d.operand(extents), d.operand(extents)})});
  if (d.one_in(3)) mask = d.op("not", {mask});
  d.graph.add_output(d.one_in(3) ? mask : d.op("where", {mask, d.operand(spread(d, extents)), d.operand(extents)}));
}

void integers(Sketch& d) {
  static const char* const binary[] = {"add", "sub", "mul", "min", "max", "bitwise_and", "bitwise_or", "bitwise_xor"};
  static const char* const divided[] = {"div", "mod"};
  const Ints extents = extents_for(d);
  const bool wide = d.one_in(2);
  d.sample.bound = Bound::exact;
  const auto any = [&](const Ints& shape, int64_t low, int64_t high) {
    return d.placed(shape, [&d, wide, low, high](const Ints& dims) {
      return wide ? random_integers<int64_t>(dims, d.random(), low, high)
                  : random_integers<int32_t>(dims, d.random(), low, high);
    });
  };
  ValueId y = any(extents, -1000, 1000);
  for (int64_t steps = d.between(1, 3); steps > 0; --steps)
    y = d.one_in(4) ? d.op(d.any_of(divided), {y, any(spread(d, extents), 1, 19)})
                    : d.op(d.any_of(binary), {y, any(spread(d, extents), -9, 9)});
  d.finish(y);
}

}  // namespace

std::span<const Family> pointwise_families() {
  static const Family families[] = {{"pointwise", floats}, {"conditions", conditions}, {"integers", integers}};
  return families;
}

}  // namespace planish::testing
