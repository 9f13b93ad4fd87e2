#include "kernels/reference/normalization.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

void batch_norm_infer(InferContext& context) {
  if (context.attrs<BatchNormAttrs>().training_mode != 0)
    fail(Code::unsupported, "training_mode=1; inference is accepted");
  context.require_rank(0, 2);
  const Dim channels = context.shape(0)[1];
  for (size_t i = 1; i < 5; ++i) {
    context.require_rank(i, 1, 1);
    if (channels.is_constant() && context.shape(i)[0] != channels)
      fail(Code::invalid_model, "operand {} is {} for {} channels", i, context.input(i).str(), channels.str());
  }
  context.output(0, context.input(0));
}

template <class A>
void axis_norm_infer(InferContext& context) {
  normalize_axis(context.attrs<A>().axis, context.rank(0));
  context.output(0, context.input(0));
}

OpDef norm_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&)) {
  OpDef def;
  def.name = name;
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
  table.add(norm_row("layer_normalization", 2, 3, check_attrs_as<LayerNormAttrs>, axis_norm_infer<LayerNormAttrs>));
  table.add(norm_row("rms_normalization", 2, 2, check_attrs_as<LayerNormAttrs>, axis_norm_infer<LayerNormAttrs>));
  table.add(norm_row("softmax", 1, 1, check_attrs_as<AxisAttrs>, axis_norm_infer<AxisAttrs>));
  table.add(norm_row("log_softmax", 1, 1, check_attrs_as<AxisAttrs>, axis_norm_infer<AxisAttrs>));
}

}  // namespace planish::ops
