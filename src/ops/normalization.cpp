#include "kernels/reference/normalization.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

void batch_norm_infer(InferContext& context) {
  if (context.attrs<BatchNormAttrs>().training_mode != 0)
    fail(Code::unsupported, "training_mode=1; inference is accepted");
  context.require_rank(0, 2);
  context.require_dtype(0, kFloats);
  for (size_t i = 1; i < 5; ++i) {
    context.require_dtype(i, kFloats);
    context.require_shape(i, Shape{context.shape(0)[1]});
  }
  context.output(0, context.input(0));
}

void softmax_infer(InferContext& context) {
  context.require_dtype(0, kFloats);
  normalize_axis(context.attrs<AxisAttrs>().axis, context.rank(0));
  context.output(0, context.input(0));
}

// Scale and bias repeat over the axes that are normalised.
void layer_norm_infer(InferContext& context) {
  const Shape& in = context.shape(0);
  const int axis = normalize_axis(context.attrs<LayerNormAttrs>().axis, in.rank());
  const Shape tail(std::vector<Dim>(in.begin() + axis, in.end()));
  for (size_t i = 0; i < context.input_count(); ++i) {
    if (i > 0 && !context.has_input(i)) continue;
    context.require_dtype(i, kFloats);
    if (i > 0) context.require_broadcasts_to(i, tail);
  }
  if (context.node().outputs.size() > 1) fail(Code::unsupported, "the results Mean and InvStdDev; Y is accepted");
  context.output(0, context.input(0));
}

OpDef norm_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&)) {
  OpDef def;
  def.name = name;
  if (least > 1) def.operand_names = {"X", "scale", "B", "mean", "var"};
  def.min_inputs = least;
  def.max_inputs = most;
  def.check_attrs = check;
  def.infer = infer;
  def.flops = [](const Graph& graph, const Node& node) {
    return graph.value(node.inputs[0]).type.shape.element_count() * Dim(6);
  };
  return def;
}

}  // namespace

void register_normalization(OpTable& table) {
  table.add(norm_row("batch_normalization", 5, 5, check_attrs_as<BatchNormAttrs>, batch_norm_infer));
  table.add(norm_row("layer_normalization", 2, 3, check_attrs_as<LayerNormAttrs>, layer_norm_infer));
  table.add(norm_row("rms_normalization", 2, 2, check_attrs_as<LayerNormAttrs>, layer_norm_infer));
  table.add(norm_row("softmax", 1, 1, check_attrs_as<AxisAttrs>, softmax_infer));
  table.add(norm_row("log_softmax", 1, 1, check_attrs_as<AxisAttrs>, softmax_infer));
}

}  // namespace planish::ops
