// The usual layers, on planish::Network. Shapes: x is [N, C, spatial…]; every function returns the result. Whatever
// is not here is Network::add with the operator's name.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "planish/network.hpp"

namespace planish {
inline namespace v0 {

// Empty lists mean 1 (strides, dilations) or 0 (pads) on every axis. pads: all begins, then all ends.
struct Window {
  Extents kernel, strides, pads, dilations;
  bool ceil_mode = false;          // pooling: round the number of windows up
  bool count_include_pad = false;  // average pooling: padding counts as elements
};

namespace detail {

inline Attributes window_attributes(const Window& window) {
  Attributes attributes;
  const auto add = [&](const char* name, const Extents& list) {
    if (!list.empty()) attributes.add({name, Attribute::Value(list)});
  };
  add("kernel_shape", window.kernel);
  add("strides", window.strides);
  add("pads", window.pads);
  add("dilations", window.dilations);
  return attributes;
}

inline std::vector<Value> without_absent_tail(std::vector<Value> values) {
  while (!values.empty() && !values.back().present()) values.pop_back();
  return values;
}

}  // namespace detail

// weights [K, C / groups, spatial…], bias [K] or absent; result [N, K, spatial'…].
inline Value convolution(Network& net, Value x, Value weights, Value bias = {}, const Window& window = {},
                         int64_t groups = 1, const std::string& name = {}) {
  Attributes attributes = detail::window_attributes(window);
  attributes.add({"group", groups});
  return net.add("conv", detail::without_absent_tail({x, weights, bias}), attributes, name);
}

// weights [C, K / groups, spatial…]; output_padding: rows and columns added at the end.
inline Value deconvolution(Network& net, Value x, Value weights, Value bias = {}, const Window& window = {},
                           int64_t groups = 1, const Extents& output_padding = {}, const std::string& name = {}) {
  Attributes attributes = detail::window_attributes(window);
  attributes.add({"group", groups});
  if (!output_padding.empty()) attributes.add({"output_padding", Attribute::Value(output_padding)});
  return net.add("conv_transpose", detail::without_absent_tail({x, weights, bias}), attributes, name);
}

inline Value max_pool(Network& net, Value x, const Window& window, const std::string& name = {}) {
  Attributes attributes = detail::window_attributes(window);
  attributes.add({"ceil_mode", window.ceil_mode});
  return net.add("max_pool", {x}, attributes, name);
}
inline Value average_pool(Network& net, Value x, const Window& window, const std::string& name = {}) {
  Attributes attributes = detail::window_attributes(window);
  attributes.add({"ceil_mode", window.ceil_mode});
  attributes.add({"count_include_pad", window.count_include_pad});
  return net.add("average_pool", {x}, attributes, name);
}
// Result [N, C, 1…].
inline Value global_average_pool(Network& net, Value x, const std::string& name = {}) {
  return net.add("global_average_pool", {x}, {}, name);
}

// x [M, K] (flattened from axis 1 on when it has more), weights [N, K], bias [N] or absent; result [M, N].
inline Value fully_connected(Network& net, Value x, Value weights, Value bias = {}, const std::string& name = {}) {
  if (net.extents(x).size() != 2) x = net.add("flatten", {x});
  return net.add("gemm", detail::without_absent_tail({x, weights, bias}), {{"transB", 1}}, name);
}
// Of the last two axes; the others are batches and broadcast.
inline Value matmul(Network& net, Value a, Value b, const std::string& name = {}) {
  return net.add("matmul", {a, b}, {}, name);
}

enum class Activation {
  relu,
  leaky_relu,
  elu,
  selu,
  sigmoid,
  hard_sigmoid,
  hard_swish,
  tanh,
  softplus,
  softsign,
  gelu,
  silu,
  mish
};

// alpha: slope (leaky_relu, hard_sigmoid) or scale (elu); NaN: the operator's default.
inline Value activation(Network& net, Value x, Activation kind, double alpha = std::numeric_limits<double>::quiet_NaN(),
                        const std::string& name = {}) {
  static constexpr const char* kOps[] = {"relu",         "leaky_relu", "elu",  "selu",     "sigmoid",
                                         "hard_sigmoid", "hard_swish", "tanh", "softplus", "softsign",
                                         "gelu",         "silu",       "mish"};
  const Attributes attributes = alpha == alpha ? Attributes{{"alpha", alpha}} : Attributes{};
  return net.add(kOps[static_cast<size_t>(kind)], {x}, attributes, name);
}

enum class Elementwise {
  add,
  sub,
  mul,
  div,
  pow,
  min,
  max,
  equal,
  less,
  greater,
  logical_and,
  logical_or,
  logical_xor
};

// NumPy broadcasting.
inline Value elementwise(Network& net, Elementwise kind, Value a, Value b, const std::string& name = {}) {
  static constexpr const char* kOps[] = {"add",   "sub",  "mul",     "div", "pow", "min", "max",
                                         "equal", "less", "greater", "and", "or",  "xor"};
  return net.add(kOps[static_cast<size_t>(kind)], {a, b}, {}, name);
}

enum class Unary {
  neg,
  abs,
  exp,
  log,
  sqrt,
  reciprocal,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  erf,
  floor,
  ceil,
  round,
  sign,
  logical_not
};

inline Value unary(Network& net, Unary kind, Value x, const std::string& name = {}) {
  static constexpr const char* kOps[] = {"neg", "abs",   "exp",  "log",   "sqrt", "reciprocal", "sin",
                                         "cos", "tan",   "asin", "acos",  "atan", "sinh",       "cosh",
                                         "erf", "floor", "ceil", "round", "sign", "not"};
  return net.add(kOps[static_cast<size_t>(kind)], {x}, {}, name);
}

// Where the condition holds a, else b.
inline Value select(Network& net, Value condition, Value a, Value b, const std::string& name = {}) {
  return net.add("where", {condition, a, b}, {}, name);
}

enum class Reduction { sum, mean, max, min, prod, l1, l2, sum_square };

inline Value reduce(Network& net, Value x, Reduction kind, const Extents& axes, bool keep_dims = true,
                    const std::string& name = {}) {
  static constexpr const char* kOps[] = {"reduce_sum",  "reduce_mean", "reduce_max", "reduce_min",
                                         "reduce_prod", "reduce_l1",   "reduce_l2",  "reduce_sum_square"};
  return net.add(kOps[static_cast<size_t>(kind)], {x, net.ints(axes)}, {{"keepdims", keep_dims}}, name);
}

inline Value softmax(Network& net, Value x, int64_t axis = -1, const std::string& name = {}) {
  return net.add("softmax", {x}, {{"axis", axis}}, name);
}

// y = scale * (x - mean) / sqrt(variance + epsilon) + bias, all [C].
inline Value batch_normalization(Network& net, Value x, Value scale, Value bias, Value mean, Value variance,
                                 double epsilon = 1e-5, const std::string& name = {}) {
  return net.add("batch_normalization", {x, scale, bias, mean, variance}, {{"epsilon", epsilon}}, name);
}
inline Value layer_normalization(Network& net, Value x, Value scale, Value bias = {}, int64_t axis = -1,
                                 double epsilon = 1e-5, const std::string& name = {}) {
  return net.add("layer_normalization", detail::without_absent_tail({x, scale, bias}),
                 {{"axis", axis}, {"epsilon", epsilon}}, name);
}
// y = (x * scale + shift) ^ power; absent operands are left out. Operands broadcast: [C, 1, 1] is one number a channel.
inline Value scale(Network& net, Value x, Value scale, Value shift = {}, Value power = {},
                   const std::string& name = {}) {
  if (scale.present()) x = net.add("mul", {x, scale}, {}, name);
  if (shift.present()) x = net.add("add", {x, shift}, {}, name.empty() ? name : name + ".shift");
  return power.present() ? net.add("pow", {x, power}, {}, name.empty() ? name : name + ".power") : x;
}

inline Value concatenation(Network& net, const std::vector<Value>& parts, int64_t axis, const std::string& name = {}) {
  return net.add("concat", parts, {{"axis", axis}}, name);
}
// Parts of these extents along the axis.
inline std::vector<Value> split(Network& net, Value x, const Extents& extents, int64_t axis,
                                const std::string& name = {}) {
  return net.outputs(
      net.add_node("split", {x, net.ints(extents)}, {{"axis", axis}}, name, static_cast<int>(extents.size())));
}
// From start (inclusive) to end (exclusive) in steps, along the axes given (empty: the first ones).
inline Value slice(Network& net, Value x, const Extents& starts, const Extents& ends, const Extents& axes = {},
                   const Extents& steps = {}, const std::string& name = {}) {
  const Value along = axes.empty() ? Value{} : net.ints(axes), by = steps.empty() ? Value{} : net.ints(steps);
  return net.add("slice", detail::without_absent_tail({x, net.ints(starts), net.ints(ends), along, by}), {}, name);
}
inline Value gather(Network& net, Value data, Value indices, int64_t axis = 0, const std::string& name = {}) {
  return net.add("gather", {data, indices}, {{"axis", axis}}, name);
}
// 0: as in x; one -1: what remains.
inline Value reshape(Network& net, Value x, const Extents& extents, const std::string& name = {}) {
  return net.add("reshape", {x, net.ints(extents)}, {}, name);
}
inline Value flatten(Network& net, Value x, int64_t axis = 1, const std::string& name = {}) {
  return net.add("flatten", {x}, {{"axis", axis}}, name);
}
inline Value transpose(Network& net, Value x, const Extents& permutation, const std::string& name = {}) {
  return net.add("transpose", {x}, {{"perm", Attribute::Value(permutation)}}, name);
}
inline Value squeeze(Network& net, Value x, const Extents& axes, const std::string& name = {}) {
  return net.add("squeeze", {x, net.ints(axes)}, {}, name);
}
inline Value unsqueeze(Network& net, Value x, const Extents& axes, const std::string& name = {}) {
  return net.add("unsqueeze", {x, net.ints(axes)}, {}, name);
}
inline Value expand(Network& net, Value x, Value extents, const std::string& name = {}) {
  return net.add("expand", {x, extents}, {}, name);
}
// pads: all begins, then all ends. mode: constant, reflect, edge, wrap.
inline Value pad(Network& net, Value x, const Extents& pads, const char* mode = "constant", Value fill = {},
                 const std::string& name = {}) {
  return net.add("pad", detail::without_absent_tail({x, net.ints(pads), fill}), {{"mode", mode}}, name);
}
// To `extents` (all axes). mode: nearest, linear, cubic; coordinates as in ONNX: half_pixel, align_corners, asymmetric,
// …
inline Value resize(Network& net, Value x, const Extents& extents, const char* mode = "nearest",
                    const char* coordinates = "half_pixel", const std::string& name = {}) {
  return net.add("resize", {x, {}, {}, net.ints(extents)},
                 {{"mode", mode}, {"coordinate_transformation_mode", coordinates}}, name);
}
// Extents of x as an i64 tensor.
inline Value shape(Network& net, Value x, const std::string& name = {}) { return net.add("shape", {x}, {}, name); }
inline Value cast(Network& net, Value x, DataType to, const std::string& name = {}) {
  return net.add("cast", {x}, {{"to", Attribute::Value(to)}}, name);
}
inline Value identity(Network& net, Value x, const std::string& name = {}) {
  return net.add("identity", {x}, {}, name);
}
// scale is one number, or one for each element of `axis`; zero_point has the quantised type.
inline Value quantize(Network& net, Value x, Value scale, Value zero_point, int64_t axis = 1,
                      const std::string& name = {}) {
  return net.add("quantize_linear", {x, scale, zero_point}, {{"axis", axis}}, name);
}
inline Value dequantize(Network& net, Value x, Value scale, Value zero_point, int64_t axis = 1,
                        const std::string& name = {}) {
  return net.add("dequantize_linear", {x, scale, zero_point}, {{"axis", axis}}, name);
}

}  // namespace v0
}  // namespace planish
