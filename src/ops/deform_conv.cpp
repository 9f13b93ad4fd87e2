#include "kernels/reference/deform_conv.h"

#include "ops/common/window.h"

namespace planish::ops {
namespace {

void check_deformed(const InferContext& context, const DeformConvAttrs& attrs) {
  context.require_rank(0, 3, 5);
  context.require_rank(1, context.rank(0), context.rank(0));
  context.require_rank(2, context.rank(0), context.rank(0));
  context.require_dtype(0, kFloats);
  for (size_t i = 1; i < context.input_count(); ++i)
    if (context.has_input(i)) context.require_same_dtype(0, i);
  const auto spatial = static_cast<size_t>(context.rank(0) - 2);
  check_window(attrs.kernel_shape, spatial, 1, "kernel_shape");
  check_window(attrs.strides, spatial, 1, "strides");
  check_window(attrs.dilations, spatial, 1, "dilations");
  check_window(attrs.pads, 2 * spatial, 0, "pads");
  const Shape& weights = context.shape(1);
  for (int i = 0; i < weights.rank(); ++i)
    if (!weights[i].is_constant() || weights[i].value() < 1)
      fail(weights[i].is_constant() ? Code::invalid_model : Code::unsupported,
           "weights {}; fixed extents of 1 and more are accepted", weights.str());
  for (size_t i = 0; i < attrs.kernel_shape.size(); ++i)
    if (weights[static_cast<int>(i) + 2] != Dim(attrs.kernel_shape[i]))
      fail(Code::invalid_model, "attribute 'kernel_shape' differs from the weights' {}", weights.str());
}

void check_deform_groups(const InferContext& context, const DeformConvAttrs& attrs) {
  const Shape &in = context.shape(0), &weights = context.shape(1);
  const int64_t channels = weights[1].value();
  if (attrs.group < 1 || attrs.offset_group < 1 || attrs.group > INT32_MAX || weights[0].value() % attrs.group != 0 ||
      channels * attrs.group % attrs.offset_group != 0)
    fail(Code::invalid_model, "{} filters of {} channels in {} groups with offsets of {} groups", weights[0].value(),
         channels, attrs.group, attrs.offset_group);
  if (!context.assume_equal(in[1], channels * attrs.group))
    fail(Code::invalid_model, "input {} has {} channels, weights {} in {} groups take {}", in.str(), in[1].str(),
         weights.str(), attrs.group, channels * attrs.group);
}

// [N, C, space…], W [M, C/group, kernel…], offsets, B?, mask? -> [N, M, result…]
void deform_conv_infer(InferContext& context) {
  const auto attrs = context.attrs<DeformConvAttrs>();
  check_deformed(context, attrs);
  check_deform_groups(context, attrs);
  const Shape &in = context.shape(0), &weights = context.shape(1);
  const auto spatial = static_cast<size_t>(in.rank() - 2);
  std::vector<Dim> dims = {in[0], weights[0]};
  Dim taps = attrs.offset_group;
  for (size_t i = 0; i < spatial; ++i) {
    const Dim kernel = weights[static_cast<int>(i) + 2];
    taps = taps * kernel;
    dims.push_back(window_extent(context, "NOTSET", attrs.pads, i, spatial, in[static_cast<int>(i) + 2], kernel.value(),
                                 at_or(attrs.strides, i, 1), at_or(attrs.dilations, i, 1), false));
  }
  const auto with_channels = [&](Dim channels) {
    std::vector<Dim> result = dims;
    result[1] = channels;
    return Shape(std::move(result));
  };
  context.require_shape(2, with_channels(taps * Dim(static_cast<int64_t>(spatial))));
  if (context.has_input(3)) context.require_shape(3, Shape{weights[0]});
  if (context.has_input(4)) context.require_shape(4, with_channels(taps));
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// Interpolation and sum: four operations a tap and channel.
Dim deform_conv_flops(const Graph& graph, const Node& node) {
  const Shape &out = graph.value(node.outputs[0]).type.shape, &weights = graph.value(node.inputs[1]).type.shape;
  Dim taps = weights[1];
  for (int i = 2; i < weights.rank(); ++i) taps = taps * weights[i];
  return out.element_count() * taps * Dim(4);
}

}  // namespace

void register_deform_conv(OpTable& table) {
  OpDef def;
  def.name = "deform_conv";
  def.min_inputs = 3;
  def.max_inputs = 5;
  def.operand_names = {"X", "W", "offset", "B", "mask"};
  def.check_attrs = check_attrs_as<DeformConvAttrs>;
  def.infer = deform_conv_infer;
  def.flops = deform_conv_flops;
  table.add(std::move(def));
}

}  // namespace planish::ops
