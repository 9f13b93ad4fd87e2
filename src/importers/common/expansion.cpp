#include "importers/common/expansion.h"

#include <cmath>

namespace planish::importers {

ValueId Expansion::scalar_like(ValueId like, double value) {
  const DataType dtype = this->value(like).type.dtype;
  if (!is_float(dtype) && !(std::abs(value) < 1e15))
    fail(Code::invalid_model, "a value of {} for elements of {}", value, data_type_name(dtype));
  return constant(Tensor::make(dtype, {}, [&](std::byte* out) { store_double(make_view(out, dtype, {}), 0, value); }));
}

ValueId normal_rows(Expansion& context, ValueId x, int64_t groups, double epsilon) {
  const ValueId rows = context.add("reshape", {x, context.ints({0, groups, -1})});
  return context.add("layer_normalization", {rows, context.scalar_like(x, 1)},
                     {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
}

ValueId in_shape_of(Expansion& context, ValueId rows, ValueId x) {
  return context.add("reshape", {rows, context.add("shape", {x})});
}

ValueId per_channel(Expansion& context, ValueId values, int rank) {
  std::vector<int64_t> axes;
  for (int64_t i = 1; i < rank - 1; ++i) axes.push_back(i);
  return axes.empty() ? values : context.add("unsqueeze", {values, context.ints(axes)});
}

int64_t fixed_extent(Expansion& context, ValueId value, int axis, const char* what) {
  const Dim extent = shape_of(context, value)[axis];
  if (!extent.is_constant()) fail(Code::unsupported, "{} is {}; a fixed extent is accepted", what, extent.str());
  return extent.value();
}

// The mean over neighbouring channels is a pooling of [N, 1, C, rest].
ValueId channel_divisor(Expansion& context, ValueId x, const ChannelNorm& norm) {
  const ValueId squares = context.add("reshape", {context.add("mul", {x, x}), context.ints({0, 0, -1})});
  const ValueId means = context.add("average_pool", {context.add("unsqueeze", {squares, context.ints({1})})},
                                    {{"kernel_shape", std::vector<int64_t>{norm.size, 1}},
                                     {"pads", std::vector<int64_t>{(norm.size - 1) / 2, 0, norm.size / 2, 0}},
                                     {"count_include_pad", int64_t{1}}});
  const auto number = [&](double value) { return context.scalar_like(x, value); };
  const ValueId sum = context.add("add", {context.add("mul", {means, number(norm.alpha)}), number(norm.bias)});
  const ValueId powers = context.add("pow", {sum, number(norm.beta)});
  return context.add("reshape", {powers, context.add("shape", {x})});
}

}  // namespace planish::importers
