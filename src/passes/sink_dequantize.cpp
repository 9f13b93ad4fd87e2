// Bytes move, not the floats that they mean (dq, q: by one scale for all):
//   f(dq(x))           -> dq(f(x))         f: views, slices, max_pool, nearest resize, depth_to_space
//   split(dq(x))       -> dq(part of x) …
//   arg_max(dq(x))     -> arg_max(x)       dq: rising
//   concat(dq(x) …)    -> dq(concat(x …))  of one scale and zero point
//   q(f(x))            -> f(q(x))          f: concat too; f(x) being read by q alone
//   q(dq(x))           -> x                of one scale, zero point and type

#include <algorithm>

#include "ir/patch.h"
#include "ops/builder.h"
#include "ops/common/quantized.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// As the node, of another first operand.
std::vector<ValueId> with_first(const Node& node, ValueId first) {
  std::vector<ValueId> operands = node.inputs;
  operands[0] = first;
  return operands;
}

bool replace_result(Graph& graph, Patch& patch, NodeId id, ValueId by) {
  patch.replace(graph.node(id).outputs[0], by);
  patch.apply();
  return true;
}

bool sink_below_move(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_move(node) || !tensor_scale_of(graph, node.inputs[0])) return false;
  const Node& dequantize = graph.node(graph.value(node.inputs[0]).producer);
  if (graph.value(dequantize.inputs[0]).is_constant()) return false;
  Patch patch(graph);
  const ValueId moved = add_op(patch, node.op, with_first(node, dequantize.inputs[0]), node.attrs);
  const ValueId value = add_op(patch, "dequantize_linear", with_first(dequantize, moved), dequantize.attrs);
  return replace_result(graph, patch, id, value);
}

bool sink_below_split(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "split" || !tensor_scale_of(graph, node.inputs[0])) return false;
  const Node& dequantize = graph.node(graph.value(node.inputs[0]).producer);
  if (graph.value(dequantize.inputs[0]).is_constant()) return false;
  std::vector<TensorType> types;
  for (ValueId output : node.outputs) {
    types.push_back(graph.value(output).type);
    types.back().dtype = graph.value(dequantize.inputs[0]).type.dtype;
  }
  Patch patch(graph);
  const NodeId parts = patch.add("split", with_first(node, dequantize.inputs[0]), node.attrs, types);
  for (size_t i = 0; i < types.size(); ++i) {
    const ValueId part = graph.node(parts).outputs[i];
    const Node& old = graph.node(graph.value(graph.node(id).inputs[0]).producer);
    patch.replace(graph.node(id).outputs[i], add_op(patch, old.op, with_first(old, part), old.attrs));
  }
  patch.apply();
  return true;
}

// Equal numbers mean equal values, greater ones greater values, unless they overflow or vanish.
bool drop_below_extreme(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "arg_max" && node.op != "arg_min") return false;
  const auto scale = tensor_scale_of(graph, node.inputs[0]);
  if (!scale || scale->scale < 1e-30 || scale->scale > 1e30) return false;
  const ValueId numbers = graph.node(graph.value(node.inputs[0]).producer).inputs[0];
  Patch patch(graph);
  return replace_result(graph, patch, id, add_op(patch, node.op, with_first(node, numbers), node.attrs));
}

bool sink_below_concat(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "concat") return false;
  const auto scale = tensor_scale_of(graph, node.inputs[0]);
  const bool equal = scale && std::all_of(node.inputs.begin(), node.inputs.end(),
                                          [&](ValueId input) { return tensor_scale_of(graph, input) == scale; });
  if (!equal) return false;
  std::vector<ValueId> numbers;
  for (ValueId input : node.inputs) numbers.push_back(graph.node(graph.value(input).producer).inputs[0]);
  const Node& dequantize = graph.node(graph.value(node.inputs[0]).producer);
  Patch patch(graph);
  const ValueId joined = add_op(patch, "concat", numbers, node.attrs);
  const ValueId value = add_op(patch, "dequantize_linear", with_first(dequantize, joined), dequantize.attrs);
  return replace_result(graph, patch, id, value);
}

bool hoist_quantize(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "quantize_linear" || !tensor_scale(graph, node) || !graph.value(node.inputs[0]).producer.valid() ||
      !is_private(graph, node.inputs[0]))
    return false;
  const Node& move = graph.node(graph.value(node.inputs[0]).producer);
  const bool concat = move.op == "concat";
  if (!concat && (!is_move(move) || move.op == "slice")) return false;
  Patch patch(graph);
  std::vector<ValueId> operands = move.inputs;
  for (size_t i = 0; i < (concat ? operands.size() : 1); ++i)
    operands[i] = add_op(patch, "quantize_linear", with_first(node, operands[i]), node.attrs);
  return replace_result(graph, patch, id, add_op(patch, move.op, operands, move.attrs));
}

bool drop_pair(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "quantize_linear") return false;
  const auto scale = tensor_scale(graph, node);
  if (!scale || tensor_scale_of(graph, node.inputs[0]) != scale) return false;
  const ValueId numbers = graph.node(graph.value(node.inputs[0]).producer).inputs[0];
  const bool ends_here = !graph.value(numbers).producer.valid() || graph.is_output(numbers);
  if (graph.is_output(node.outputs[0]) && ends_here) return false;
  Patch patch(graph);
  return replace_result(graph, patch, id, numbers);
}

bool move_bytes(Graph& graph, NodeId id) {
  return drop_pair(graph, id) || sink_below_move(graph, id) || sink_below_split(graph, id) ||
         sink_below_concat(graph, id) || drop_below_extreme(graph, id) || hoist_quantize(graph, id);
}

}  // namespace

Pass sink_dequantize() {
  return {"sink_dequantize", [](Graph& graph) { return until_settled(graph, move_bytes); }};
}

}  // namespace planish::passes
