// Products of quantised numbers become one node that keeps the arithmetic between them as its body:
//   q(p(conv(dq(x), dq(w), b), dq(z)))  -> fused(x, w, b, z)        w, b: constant, p: an epilogue; q: perhaps none
//   q(p(dq(q1(conv(dq(x), dq(w), b))) + dq(z)))  -> the same        p: nothing, relu or clip
// The body is what it means; the matrix kernels of integers compute it. A dequantisation that others read too is
// copied into each. Weights that no such product took are dequantised here, once and for all.

#include <algorithm>

#include "ops/common/quantized.h"
#include "passes/common/fold.h"
#include "passes/common/fusion.h"
#include "passes/common/quantized_product.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_quantized_product(const Graph& graph, NodeId id) {
  const Node& anchor = graph.node(id);
  if (anchor.op != "conv" && anchor.op != "matmul") return false;
  const Value& weights = graph.value(anchor.inputs[1]);
  ProductExtents extents;
  const bool numbers = tensor_scale_of(graph, anchor.inputs[0]) || has_dynamic_scale(graph, anchor.inputs[0]);
  if (!numbers || !weights.producer.valid() || !refuse_numbers(graph, anchor, extents).empty()) return false;
  return quantized_weights(graph, graph.node(weights.producer), extents.axis).has_value();
}

// The node that alone reads the result of `id`; none where there are others.
NodeId only_reader(const Graph& graph, NodeId id) {
  const ValueId result = graph.node(id).outputs[0];
  return is_private(graph, result) ? graph.users(result)[0] : NodeId{};
}

bool is_quantization(const Graph& graph, NodeId id) {
  return id.valid() && graph.node(id).op == "quantize_linear" && tensor_scale(graph, graph.node(id));
}

// Behind q1: dq, + dq(z), p, q. Empty: something else, or another sum of numbers.
std::vector<NodeId> sum_behind(const Graph& graph, NodeId quantization) {
  const NodeId back = only_reader(graph, quantization);
  if (!back.valid() || graph.node(back).op != "dequantize_linear" ||
      tensor_scale(graph, graph.node(back)) != tensor_scale(graph, graph.node(quantization)))
    return {};
  const NodeId add = only_reader(graph, back);
  if (!add.valid() || graph.node(add).op != "add") return {};
  const ValueId own = graph.node(back).outputs[0];
  const auto& inputs = graph.node(add).inputs;
  const ValueId other = inputs[inputs[0] == own ? 1 : 0];
  const Node* numbers = tensor_scale_of(graph, other) ? &graph.node(graph.value(other).producer) : nullptr;
  if (numbers == nullptr || graph.value(numbers->inputs[0]).is_constant() ||
      graph.value(other).type.shape != graph.value(own).type.shape)
    return {};
  std::vector<NodeId> sum = {back, add};
  NodeId next = only_reader(graph, add);
  if (next.valid() && (graph.node(next).op == "relu" || graph.node(next).op == "clip")) {
    const auto& bounds = graph.node(next).inputs;
    if (!std::all_of(bounds.begin() + 1, bounds.end(), [&](ValueId id) { return is_scalar_constant(graph, id); }))
      return {};
    sum.push_back(next);
    next = only_reader(graph, next);
  }
  if (!is_quantization(graph, next)) return {};
  sum.push_back(next);
  return sum;
}

void fuse_product(Graph& graph, NodeId anchor) {
  std::vector<NodeId> chain = epilogue_chain(graph, anchor);
  OwnDequantizations copies(graph);
  for (NodeId id : chain) copies.read_by(id);
  if (const NodeId next = only_reader(graph, chain.back()); is_quantization(graph, next)) {
    chain.push_back(next);
    const std::vector<NodeId> sum = chain.size() == 2 ? sum_behind(graph, next) : std::vector<NodeId>{};
    if (!sum.empty()) {
      const ValueId own = graph.node(sum[0]).outputs[0];
      copies.read_by(sum[1], graph.node(sum[1]).inputs[0] == own ? 1 : 0);
      chain.insert(chain.end(), sum.begin(), sum.end());
    }
  }
  std::vector<NodeId> nodes = copies.nodes;
  nodes.insert(nodes.end(), chain.begin(), chain.end());
  fuse(graph, nodes);
}

}  // namespace

Pass fuse_quantized() {
  return {"fuse_quantized", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              if (!graph.alive(id) || !is_quantized_product(graph, id)) continue;
              fuse_product(graph, id);
              changed = true;
            }
            graph.remove_dead();
            for (NodeId id : graph.nodes()) changed |= is_foldable(graph, graph.node(id)) && fold_node(graph, id);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
