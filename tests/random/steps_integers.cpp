// Integers and booleans, and where they meet floats.

#include "random/draft.h"

namespace planish::testing {
namespace {

// Results stay small: what is multiplied is reduced at once.
void with_constant(Draft& d, ValueId x) {
  const DataType type = d.type(x).dtype;
  static const char* const names[] = {"add", "sub", "mul", "min", "max"};
  const ValueId y = d.op(d.any_of(names), {x, d.integers(type, d.one_in(2) ? Ints{} : Ints{1}, -5, 5)});
  d.keep(d.op("mod", {y, d.integers(type, {}, 19, 19)}));
}

void divided(Draft& d, ValueId x) {
  const ValueId divisor = d.integers(d.type(x).dtype, {}, 2, 5);
  d.keep(d.op(d.one_in(2) ? "div" : "mod", {x, divisor}));
}

void with_value(Draft& d, ValueId x) {
  static const char* const names[] = {"add", "sub", "mul", "min", "max", "bitwise_and", "bitwise_or", "bitwise_xor"};
  if (const auto other = d.another_like(x))
    d.keep(d.op("mod", {d.op(d.any_of(names), {x, *other}), d.integers(d.type(x).dtype, {}, 19, 19)}));
}

void unary(Draft& d, ValueId x) {
  static const char* const names[] = {"neg", "abs", "sign", "bitwise_not", "relu", "identity"};
  d.keep(d.op(d.any_of(names), {x}));
}

void compared(Draft& d, ValueId x) {
  static const char* const names[] = {"equal", "less", "greater", "less_equal", "greater_equal"};
  const auto other = d.another_like(x);
  d.keep(d.op(d.any_of(names), {x, other ? *other : d.integers(d.type(x).dtype, {}, -3, 3)}));
}

void to_floats(Draft& d, ValueId x) { d.keep(d.op("mul", {d.cast(x, DataType::f32), d.scalar(0.125f)})); }

void to_other_integers(Draft& d, ValueId x) {
  d.keep(d.cast(x, d.type(x).dtype == DataType::i64 ? DataType::i32 : DataType::i64));
}

void reduce_integers(Draft& d, ValueId x) {
  static const char* const names[] = {"reduce_sum", "reduce_max", "reduce_min"};
  const ValueId y = d.op(d.any_of(names), {x, d.ints({d.pick(d.rank(x))})}, {{"keepdims", int64_t{d.pick(2)}}});
  d.keep(d.op("mod", {y, d.integers(d.type(x).dtype, {}, 19, 19)}));
}

// --- booleans

void logic(Draft& d, ValueId x) {
  static const char* const names[] = {"and", "or", "xor"};
  if (const auto other = d.another_like(x)) return d.keep(d.op(d.any_of(names), {x, *other}));
  d.keep(d.op("not", {x}));
}

void bool_to_numbers(Draft& d, ValueId x) {
  d.keep(d.cast(x, d.one_in(2) ? DataType::f32 : d.one_in(2) ? DataType::i64 : DataType::i32));
}

void chosen_floats(Draft& d, ValueId x) {
  const auto other = d.any(&Draft::holds_floats);
  if (other) d.keep(d.op("where", {x, *other, d.scalar(0.5f)}));
}

void chosen_integers(Draft& d, ValueId x) {
  const auto other = d.any(&Draft::holds_integers);
  if (other) d.keep(d.op("where", {x, d.integers(d.type(*other).dtype, {}, 3, 3), *other}));
}

// --- floats with them

// Values in steps. A saturated function gives many values next to a whole number, and rounding decides on which side:
// the steps lie elsewhere, and what is equal stays equal.
ValueId stepped(Draft& d, ValueId x) {
  static const char* const names[] = {"floor", "ceil", "round"};
  return d.op(d.any_of(names), {d.op("add", {d.op("mul", {x, d.scalar(3)}), d.scalar(0.37f)})});
}

void masked(Draft& d, ValueId x) {
  static const char* const names[] = {"less", "greater_equal", "greater"};
  const ValueId mask = d.op(d.any_of(names), {x, d.scalar(0.3125f)});
  const auto other = d.another_like(x);
  d.keep(d.op("where", {mask, other ? *other : d.scalar(-1), x}));
  d.keep(mask);
}

void causal_mask(Draft& d, ValueId x) {
  const int64_t width = d.dims(x).back();
  if (width < 1) return;
  const ValueId mask = d.cast(d.integers(DataType::i64, {width}, 0, 1), DataType::boolean);
  d.keep(d.op("where", {mask, x, d.scalar(-3)}));
}

void position_of_largest(Draft& d, ValueId x) {
  const Attrs attrs = {{"axis", int64_t{d.pick(d.rank(x))}}, {"keepdims", int64_t{d.pick(2)}}};
  d.keep(d.op(d.one_in(2) ? "arg_max" : "arg_min", {stepped(d, x)}, attrs));
}

void rounded(Draft& d, ValueId x) {
  const ValueId y = d.op("clip", {stepped(d, x), d.scalar(-9), d.scalar(9)});
  d.keep(d.one_in(2) ? d.op("sign", {y}) : d.one_in(2) ? y : d.cast(y, DataType::i64));
}

// [0, 1, …] along the last axis, as positions are made.
void positions(Draft& d, ValueId x) {
  const ValueId extents = d.op("shape", {x});
  const ValueId last = d.op("gather", {extents, d.graph.add_constant(Tensor::scalar<int64_t>(-1))});
  const ValueId range = d.op("range", {d.graph.add_constant(Tensor::scalar<int64_t>(0)), last,
                                       d.graph.add_constant(Tensor::scalar<int64_t>(1))});
  d.keep(d.op("add", {x, d.op("mul", {d.cast(range, DataType::f32), d.scalar(0.1f)})}));
}

}  // namespace

std::span<const Step> integer_steps() {
  static const Step steps[] = {with_constant, with_constant, divided,   with_value,        with_value,
                               unary,         compared,      to_floats, to_other_integers, reduce_integers};
  return steps;
}

std::span<const Step> boolean_steps() {
  static const Step steps[] = {logic, logic, bool_to_numbers, chosen_floats, chosen_floats, chosen_integers};
  return steps;
}

std::span<const Step> mixed_steps() {
  static const Step steps[] = {masked, masked, causal_mask, position_of_largest, rounded, positions};
  return steps;
}

}  // namespace planish::testing
