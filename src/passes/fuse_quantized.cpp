// Products of quantised numbers become one node that keeps the arithmetic between them as its body:
//   q(p(conv(dq(x), dq(w), b), dq(z)))  -> fused(x, w, b, z)        w, b: constant, p: an epilogue; q: perhaps none
// The body is what it means; the matrix kernels of integers compute it. A dequantisation that others read too is
// copied into each. Weights that no such product took are dequantised here, once and for all.

#include "ops/common/quantized.h"
#include "passes/common/fold.h"
#include "passes/common/fusion.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// So many products of 255 by 255 are summed in 32 bits.
constexpr int64_t kMostDepth = 0x7fffffff / (255 * 255);
constexpr int64_t kLeastGroup = 8;  // channels of a group
constexpr int64_t kMostDepthwiseTaps = 256;

struct WeightExtents {
  int axis = 0;  // of the columns
  int64_t depth = 0;
};

// Convolutions of one group, of wide ones or of one channel each; matrices [K, N].
bool takes_weights(const Graph& graph, const Node& anchor, const Shape& weights, WeightExtents& extents) {
  if (anchor.op == "matmul") {
    extents = {1, weights[0].value()};
    return weights.rank() == 2 && graph.value(anchor.inputs[0]).type.shape.rank() >= 2;
  }
  const int64_t group = anchor.attrs.get_or<int64_t>("group", 1), channels = weights[1].value();
  const auto pad = anchor.attrs.get_or<std::string>("auto_pad", "NOTSET");
  const bool pads_known =
      pad == "NOTSET" || pad == "VALID" || pad.empty() || graph.value(anchor.inputs[0]).type.shape.is_static();
  extents.depth = 1;
  for (int i = 1; i < weights.rank(); ++i) extents.depth *= weights[i].value();
  const bool depthwise = channels == 1 && weights[0] == Dim(group) && extents.depth <= kMostDepthwiseTaps;
  return weights.rank() >= 3 && weights.rank() <= 5 && pads_known &&
         (group == 1 || channels >= kLeastGroup || depthwise);
}

bool is_quantized_product(const Graph& graph, NodeId id) {
  const Node& anchor = graph.node(id);
  if (anchor.op != "conv" && anchor.op != "matmul") return false;
  const Value& weights = graph.value(anchor.inputs[1]);
  WeightExtents extents;
  if (!tensor_scale_of(graph, anchor.inputs[0]) || !weights.producer.valid() || !weights.type.shape.is_static() ||
      !takes_weights(graph, anchor, weights.type.shape, extents) || extents.depth < 1 || extents.depth > kMostDepth)
    return false;
  const bool has_bias = anchor.inputs.size() > 2 && anchor.inputs[2].valid();
  if (has_bias && !is_float_constant(graph, anchor.inputs[2])) return false;
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
