#include "ops/common/integer_product.h"
#include "ops/common/window.h"

namespace planish::ops {
namespace {

void conv_check(const InferContext& context, const ConvAttrs& attrs) {
  context.require_rank(0, 3, 5);
  context.require_rank(1, context.rank(0), context.rank(0));
  const auto spatial = static_cast<size_t>(context.rank(0) - 2);
  check_auto_pad(context, attrs.auto_pad);
  check_window(attrs.kernel_shape, spatial, 1, "kernel_shape");
  check_window(attrs.strides, spatial, 1, "strides");
  check_window(attrs.dilations, spatial, 1, "dilations");
  check_window(attrs.pads, 2 * spatial, 0, "pads");
  if (attrs.group < 1) fail(Code::invalid_model, "attribute 'group' is {}, at least 1 is accepted", attrs.group);
  const Shape& weights = context.shape(1);
  for (size_t i = 0; i < attrs.kernel_shape.size(); ++i)
    if (weights[static_cast<int>(i) + 2] != Dim(attrs.kernel_shape[i]))
      fail(Code::invalid_model, "attribute 'kernel_shape' differs from the weights' {}", weights.str());
}

void conv_check_groups(int64_t count, int64_t group, const char* what) {
  if (count % group != 0)
    fail(Code::invalid_model, "{} {} in {} groups; a multiple of the groups is accepted", count, what, group);
}

int64_t conv_static(Dim dim, const char* what) {
  if (!dim.is_constant()) fail(Code::unsupported, "{} must be fixed, found {}", what, dim.str());
  if (dim.value() < 1) fail(Code::invalid_model, "{} is {}", what, dim.value());
  return dim.value();
}

void conv_check_some(const Shape& weights, int axis, const char* what) {
  if (weights[axis] == Dim(0)) fail(Code::invalid_model, "weights {} without {}", weights.str(), what);
}

// Operand 2: one value a filter.
void conv_check_bias(InferContext& context, Dim filters) {
  if (!context.has_input(2)) return;
  const Shape& bias = context.shape(2);
  if (bias.rank() != 1 || !context.assume_equal(bias[0], filters))
    fail(Code::invalid_model, "a bias of {} for {} filters", bias.str(), filters.str());
  context.require_same_dtype(0, 2);
}

void conv_check_floats(const InferContext& context) {
  context.require_dtype(0, kFloats);
  context.require_same_dtype(0, 1);
}

// [N, C, spatial…] * [M, C/group, kernel…] -> [N, M, spatial…]
Shape conv_shape(InferContext& context) {
  const auto attrs = context.attrs<ConvAttrs>();
  conv_check(context, attrs);
  const Shape &in = context.shape(0), &weights = context.shape(1);
  const auto spatial = static_cast<size_t>(in.rank() - 2);
  const int64_t outputs = conv_static(weights[0], "the number of filters");
  conv_check_some(weights, 1, "channels");
  const Dim channels = weights[1] * Dim(attrs.group);
  if (!context.assume_equal(in[1], channels))
    fail(Code::invalid_model, "input {} has {} channels, weights {} in {} groups take {}", in.str(), in[1].str(),
         weights.str(), attrs.group, channels.str());
  conv_check_groups(outputs, attrs.group, "filters");
  std::vector<Dim> dims = {in[0], weights[0]};
  for (size_t i = 0; i < spatial; ++i)
    dims.push_back(window_extent(context, attrs.auto_pad, attrs.pads, i, spatial, in[static_cast<int>(i) + 2],
                                 conv_static(weights[static_cast<int>(i) + 2], "the kernel's extent"),
                                 at_or(attrs.strides, i, 1), at_or(attrs.dilations, i, 1), false));
  return Shape(std::move(dims));
}

void conv_infer(InferContext& context) {
  conv_check_floats(context);
  Shape shape = conv_shape(context);
  conv_check_bias(context, context.shape(1)[0]);
  context.output(0, context.dtype(0), std::move(shape));
}

// x, w, their zero points -> i32. No kernel computes it: passes/integer_products takes it apart.
void conv_integer_infer(InferContext& context) {
  check_centred_bytes(context);
  context.output(0, DataType::i32, conv_shape(context));
}

// out = stride * (in - 1) + output_padding + dilation * (kernel - 1) + 1 - pads
void conv_transpose_infer(InferContext& context) {
  const auto attrs = context.attrs<ConvAttrs>();
  conv_check_floats(context);
  conv_check(context, attrs);
  const Shape &in = context.shape(0), &weights = context.shape(1);
  const auto spatial = static_cast<size_t>(in.rank() - 2);
  check_window(attrs.output_padding, spatial, 0, "output_padding");
  check_window(attrs.output_shape, spatial, 1, "output_shape");
  if (!context.assume_equal(in[1], weights[0]))
    fail(Code::invalid_model, "input {} and weights {} differ in channels", in.str(), weights.str());
  conv_check_groups(conv_static(weights[0], "the number of channels"), attrs.group, "channels");
  conv_check_some(weights, 1, "filters");
  conv_check_bias(context, weights[1] * Dim(attrs.group));
  std::vector<Dim> dims = {in[0], weights[1] * Dim(attrs.group)};
  for (size_t i = 0; i < spatial; ++i) {
    const Dim extent = in[static_cast<int>(i) + 2];
    const int64_t stride = at_or(attrs.strides, i, 1), extra = at_or(attrs.output_padding, i, 0);
    const int64_t most = std::max(stride, at_or(attrs.dilations, i, 1));
    if (extra > 0 && extra >= most)
      fail(Code::invalid_model, "an output_padding of {}; less than the stride or dilation of {} is accepted", extra,
           most);
    const int64_t reach =
        at_or(attrs.dilations, i, 1) * (conv_static(weights[static_cast<int>(i) + 2], "the kernel's extent") - 1) + 1;
    if (!attrs.output_shape.empty())
      dims.push_back(at_or(attrs.output_shape, i, 1));
    else if (attrs.auto_pad.starts_with("SAME"))
      dims.push_back(extent * Dim(stride));
    else
      dims.push_back((extent - 1) * Dim(stride) + extra + reach - at_or(attrs.pads, i, 0) -
                     at_or(attrs.pads, i + spatial, 0));
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// Two operations a multiply-add: out elements * (C/group) * kernel.
Dim conv_flops(const Graph& graph, const Node& node) {
  const Shape &out = graph.value(node.outputs[0]).type.shape, &weights = graph.value(node.inputs[1]).type.shape;
  Dim taps = weights[1];
  for (int i = 2; i < weights.rank(); ++i) taps = taps * weights[i];
  return out.element_count() * taps * Dim(2);
}

Dim conv_transpose_flops(const Graph& graph, const Node& node) {
  const Shape &in = graph.value(node.inputs[0]).type.shape, &weights = graph.value(node.inputs[1]).type.shape;
  Dim taps = weights[1];
  for (int i = 2; i < weights.rank(); ++i) taps = taps * weights[i];
  return in.element_count() * taps * Dim(2);
}

}  // namespace

void register_conv(OpTable& table) {
  OpDef def;
  def.name = "conv";
  def.min_inputs = 2;
  def.max_inputs = 3;
  def.operand_names = {"X", "W", "B"};
  def.check_attrs = check_attrs_as<ConvAttrs>;
  def.infer = conv_infer;
  def.flops = conv_flops;
  OpDef integers = def;
  integers.name = "conv_integer";
  integers.max_inputs = 4;
  integers.operand_names = {"x", "w", "x_zero_point", "w_zero_point"};
  integers.infer = conv_integer_infer;
  table.add(std::move(integers));
  OpDef transposed = def;
  transposed.name = "conv_transpose";
  transposed.infer = conv_transpose_infer;
  transposed.flops = conv_transpose_flops;
  table.add(std::move(def));
  table.add(std::move(transposed));
}

}  // namespace planish::ops
