// anchor -> p1 -> p2 …  becomes fused(anchor, p1, p2 …), for anchors conv, conv_transpose and matmul and single-use
// pointwise nodes whose other operands are scalars, rows along the anchor's channel axis, or tensors of the result's
// shape.

#include <algorithm>

#include "passes/common/fusion.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_anchor(const Graph& graph, const Node& node) {
  const bool convolution = node.op == "conv" || node.op == "conv_transpose";
  if (!convolution && node.op != "matmul") return false;
  return graph.value(node.outputs[0]).type.dtype == DataType::f32 && graph.value(node.inputs[1]).is_constant() &&
         (convolution || graph.value(node.inputs[1]).type.shape.rank() == 2);
}

bool fuse_from(Graph& graph, NodeId anchor) {
  const std::vector<NodeId> chain = epilogue_chain(graph, anchor);
  if (chain.size() == 1) return false;
  fuse(graph, chain);
  return true;
}

}  // namespace

Pass fuse_epilogue() {
  return {"fuse_epilogue", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) changed |= is_anchor(graph, graph.node(id)) && fuse_from(graph, id);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
