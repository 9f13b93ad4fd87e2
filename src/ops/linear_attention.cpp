#include "kernels/reference/linear_attention.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

Dim per_head(InferContext& context, size_t i, int64_t heads) {
  const Dim width = context.shape(i)[2];
  if (width.is_constant() && width.value() % heads != 0)
    fail(Code::invalid_model, "{} is {}; an extent 2 that {} heads divide is accepted", context.operand(i),
         context.input(i).str(), heads);
  return floor_div(width, heads);
}

// An optional operand whose last extent is one of two.
void require_either(InferContext& context, size_t i, const Shape& first, Dim second) {
  if (!context.has_input(i)) return;
  context.require_rank(i, 3, 3);
  std::vector<Dim> dims = first.dims();
  if (context.shape(i)[2] == second) dims[2] = second;
  context.require_shape(i, Shape(std::move(dims)));
}

void require_for_rule(InferContext& context, size_t i, bool needed, const std::string& rule) {
  if (needed && !context.has_input(i))
    fail(Code::invalid_model, "{} is missing; the rule '{}' needs it", context.operand(i), rule);
}

// query [B, T, Hq K], key [B, T, H K], value [B, T, H V] -> [B, T, Hq V], [B, H, K, V]
void linear_attention_infer(InferContext& context) {
  const auto attrs = context.attrs<LinearAttentionAttrs>();
  const int64_t heads = attrs.kv_num_heads, queries = attrs.q_num_heads;
  if (heads < 1 || queries < 1 || queries % heads != 0)
    fail(Code::invalid_model, "{} heads of keys for {} of queries; a divisor is accepted", heads, queries);
  context.require_choice("update_rule", attrs.update_rule, {"linear", "gated", "delta", "gated_delta"});
  for (size_t i = 0; i < context.input_count(); ++i)
    if (i < 3 || context.has_input(i)) context.require_dtype(i, kFloats);
  for (size_t i : {0, 1, 2}) context.require_rank(i, 3, 3);
  const Dim keys = per_head(context, 1, heads), values = per_head(context, 2, heads);
  const Dim batch = context.shape(0)[0], steps = context.shape(0)[1];
  context.require_shape(0, Shape{batch, steps, keys * Dim(queries)});
  context.require_shape(1, Shape{batch, steps, keys * Dim(heads)});
  context.require_shape(2, Shape{batch, steps, values * Dim(heads)});
  const Shape state{batch, heads, keys, values};
  if (context.has_input(3)) context.require_shape(3, state);
  require_for_rule(context, 4, attrs.gated(), attrs.update_rule);
  require_for_rule(context, 5, attrs.delta(), attrs.update_rule);
  require_either(context, 4, Shape{batch, steps, keys * Dim(heads)}, heads);
  require_either(context, 5, Shape{batch, steps, heads}, 1);
  context.output(0, context.dtype(0), Shape{batch, steps, values * Dim(queries)});
  if (context.node().outputs.size() > 1) context.output(1, context.dtype(context.has_input(3) ? 3 : 0), state);
}

Dim linear_attention_flops(const Graph& graph, const Node& node) {
  const Shape& value = graph.value(node.inputs[2]).type.shape;
  const auto heads = node.attrs.get_or<int64_t>("kv_num_heads", 1);
  return value.element_count() * floor_div(graph.value(node.inputs[1]).type.shape[2], heads) * Dim(6);
}

}  // namespace

void register_linear_attention(OpTable& table) {
  OpDef def;
  def.name = "linear_attention";
  def.min_inputs = 3;
  def.max_inputs = 6;
  def.outputs = -1;
  def.operand_names = {"query", "key", "value", "past_state", "decay", "beta"};
  def.check_attrs = check_attrs_as<LinearAttentionAttrs>;
  def.infer = linear_attention_infer;
  def.flops = linear_attention_flops;
  table.add(std::move(def));
}

}  // namespace planish::ops
