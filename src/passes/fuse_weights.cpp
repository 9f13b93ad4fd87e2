// Products by a constant matrix of numbers keep the numbers, which few rows read sooner than floats:
//   matmul(x, transpose(dq(w)))  -> matmul(x, dq(transpose(w)))
//   p(matmul(x, dq(w)))          -> fused(x, w)        w: [K, N], scales and zero points its own; p: an epilogue
// A dequantisation that others read too is copied.

#include "ops/builder.h"
#include "ops/common/block_weights.h"
#include "ops/common/quantized.h"
#include "passes/common/fold.h"
#include "passes/common/fusion.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

const Node* producer_of(const Graph& graph, ValueId id, OpName op) {
  const NodeId producer = graph.value(id).producer;
  return producer.valid() && graph.node(producer).op == op ? &graph.node(producer) : nullptr;
}

bool is_swap(const Node& transpose) {
  const auto perm = transpose.attrs.get_or<std::vector<int64_t>>("perm", {1, 0});
  return perm == std::vector<int64_t>{1, 0};
}

// The operand of dequantize_linear, turned; scales of one axis stay rows.
ValueId turned(Graph& graph, ValueId operand) {
  if (!operand.valid() || graph.value(operand).type.shape.rank() != 2) return operand;
  return add_op(graph, "transpose", {operand}, {{"perm", std::vector<int64_t>{1, 0}}});
}

bool turn_weights(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul") return false;
  const Node* transpose = producer_of(graph, node.inputs[1], "transpose");
  if (transpose == nullptr || graph.value(node.inputs[1]).type.shape.rank() != 2 || !is_swap(*transpose)) return false;
  const Node* dequantize = producer_of(graph, transpose->inputs[0], "dequantize_linear");
  if (dequantize == nullptr || !graph.value(dequantize->inputs[0]).is_constant()) return false;
  const Attrs attrs = dequantize->attrs;
  const std::vector<ValueId> operands = dequantize->inputs;
  std::vector<ValueId> turned_operands;
  for (ValueId operand : operands) turned_operands.push_back(turned(graph, operand));
  Attrs of_turned = attrs;
  of_turned.set("axis", static_cast<int64_t>(1 - normalize_axis(attrs.get_or<int64_t>("axis", 1), 2)));
  const ValueId weights = add_op(graph, "dequantize_linear", turned_operands, of_turned);
  graph.set_input(id, 1, weights);
  return true;
}

bool is_number_product(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul" || graph.value(node.inputs[0]).type.shape.rank() < 2 ||
      producer_of(graph, node.inputs[0], "dequantize_linear") != nullptr)
    return false;
  const Node* dequantize = producer_of(graph, node.inputs[1], "dequantize_linear");
  return dequantize != nullptr && block_weights(graph, *dequantize).has_value();
}

}  // namespace

Pass fuse_weights() {
  return {"fuse_weights", [](Graph& graph) {
            bool changed = sweep(graph, turn_weights);
            graph.remove_dead();
            for (NodeId id : graph.nodes())
              changed |= is_foldable(graph, graph.node(id)) && graph.node(id).op == "transpose" && fold_node(graph, id);
            graph.remove_dead();
            for (NodeId id : graph.nodes()) {
              if (!graph.alive(id) || !is_number_product(graph, id)) continue;
              std::vector<NodeId> chain = epilogue_chain(graph, id);
              OwnDequantizations copies(graph);
              copies.read_by(id);
              std::vector<NodeId> nodes = copies.nodes;
              nodes.insert(nodes.end(), chain.begin(), chain.end());
              fuse(graph, nodes);
              changed = true;
            }
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
