// Elementwise operators on floats.

#include "random/draft.h"

namespace planish::testing {
namespace {

void unary(Draft& d, ValueId x) {
  static const char* const names[] = {"relu", "sigmoid",  "tanh",     "neg", "abs",          "silu",
                                      "gelu", "identity", "softsign", "erf", "hard_swish",   "softplus",
                                      "mish", "elu",      "selu",     "sin", "hard_sigmoid", "leaky_relu"};
  d.keep(d.op(d.any_of(names), {x}));
}

// Operators with poles stay away from them.
void guarded_unary(Draft& d, ValueId x) {
  const ValueId away = d.op("add", {d.op("abs", {x}), d.scalar(0.5f)});
  static const char* const names[] = {"sqrt", "log", "reciprocal"};
  d.keep(d.op(d.any_of(names), {away}));
}

// A scalar, a row, a value a channel, or a whole tensor, on either side.
void with_constant(Draft& d, ValueId x) {
  Ints dims = d.dims(x);
  const int kind = d.pick(4);
  if (kind == 0) dims = d.one_in(2) ? Ints{} : Ints{1};
  if (kind == 1) dims = {dims.back()};
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] < 0 || (kind == 2 && i != 1)) dims[i] = 1;
  static const char* const names[] = {"add", "mul", "sub", "max", "min"};
  const ValueId c = d.floats(dims);
  d.keep(d.one_in(2) ? d.op(d.any_of(names), {x, c}) : d.op(d.any_of(names), {c, x}));
}

void divided(Draft& d, ValueId x) { d.keep(d.op("div", {x, d.scalar(d.one_in(2) ? 4.f : 3.f)})); }

void powered(Draft& d, ValueId x) {
  static const float exponents[] = {2, 3, 0.5f, -0.5f, 1};
  const float exponent = exponents[d.pick(5)];
  const bool whole = exponent == 2 || exponent == 3;
  const ValueId base = whole ? d.op("tanh", {x}) : d.op("add", {d.op("abs", {x}), d.scalar(0.5f)});
  d.keep(d.op("pow", {base, d.scalar(exponent)}));
}

void with_value(Draft& d, ValueId x) {
  static const char* const names[] = {"add", "mul", "sub", "max"};
  if (const auto other = d.another_like(x)) d.keep(d.op("tanh", {d.op(d.any_of(names), {x, *other})}));
}

// Two values of any extents that go together.
void broadcast(Draft& d, ValueId x) {
  static const char* const names[] = {"add", "mul", "sub", "min"};
  if (const auto other = d.any(&Draft::holds_floats)) d.keep(d.op("tanh", {d.op(d.any_of(names), {*other, x})}));
}

// Against a value with extents of 1 in it.
void broadcast_slice(Draft& d, ValueId x) {
  const int64_t axis = d.pick(d.rank(x));
  const ValueId row = d.op("reduce_max", {x, d.ints({axis})});
  d.keep(d.one_in(2) ? d.op("sub", {x, row}) : d.op("tanh", {d.op("add", {row, x})}));
}

void clip(Draft& d, ValueId x) {
  const ValueId low = d.graph.add_constant(d.one_in(2) ? Tensor::scalar(-0.5f) : Tensor::scalar(-0.5f).reshaped({1}));
  d.keep(d.op("clip", d.one_in(2) ? std::vector<ValueId>{x, low} : std::vector<ValueId>{x, low, d.scalar(0.75f)}));
}

void variadic(Draft& d, ValueId x) {
  std::vector<ValueId> operands = {x, d.scalar(0.25f)};
  if (const auto other = d.another_like(x)) operands.push_back(*other);
  static const char* const names[] = {"max", "min", "sum", "mean"};
  d.keep(d.op(d.any_of(names), operands));
}

}  // namespace

std::span<const Step> pointwise_steps() {
  static const Step steps[] = {unary,         unary,    unary,      with_constant, with_constant,
                               guarded_unary, divided,  with_value, broadcast,     broadcast_slice,
                               clip,          variadic, powered};
  return steps;
}

}  // namespace planish::testing
