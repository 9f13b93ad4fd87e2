// Products of quantised numbers become one node that keeps the arithmetic between them as its body:
//   q(p(conv(dq(x), dq(w), b), dq(z)))  -> fused(x, w, b, z)        w, b: constant, p: an epilogue; q: perhaps none
// The body is what it means; the matrix kernels of integers compute it. A dequantisation that others read too is
// copied into each. Weights that no such product took are dequantised here, once and for all.

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

void fuse_product(Graph& graph, NodeId anchor) {
  std::vector<NodeId> chain = epilogue_chain(graph, anchor);
  const ValueId result = graph.node(chain.back()).outputs[0];
  if (is_private(graph, result)) {
    const NodeId next = graph.users(result)[0];
    if (graph.node(next).op == "quantize_linear" && tensor_scale(graph, graph.node(next))) chain.push_back(next);
  }
  OwnDequantizations copies(graph);
  for (NodeId id : chain) copies.read_by(id);
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
