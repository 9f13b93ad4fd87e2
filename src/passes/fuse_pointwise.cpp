// p1 -> p2 -> …  becomes fused(p1, p2 …) where each result has one use and all have the same shape: one pass
// over memory instead of several.

#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr size_t kLongestChain = 32;

bool fuse_chain(Graph& graph, NodeId first) {
  if (!is_fusible_pointwise(graph, graph.node(first))) return false;
  std::vector<NodeId> chain = {first};
  ValueId current = graph.node(first).outputs[0];
  while (chain.size() < kLongestChain) {
    const auto users = graph.users(current);
    if (users.size() != 1 || graph.is_output(current)) break;
    const Node& next = graph.node(users[0]);
    if (!is_fusible_pointwise(graph, next) || graph.value(next.outputs[0]).type.shape != graph.value(current).type.shape) break;
    chain.push_back(users[0]);
    current = next.outputs[0];
  }
  if (chain.size() == 1) return false;
  fuse(graph, chain);
  return true;
}

}  // namespace

Pass fuse_pointwise() {
  return {"fuse_pointwise", [](Graph& graph) {
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              // Nodes that a chain took are dead by now: their results have no use.
              const Node& node = graph.node(id);
              if (node.outputs.size() != 1 || (graph.users(node.outputs[0]).empty() && !graph.is_output(node.outputs[0]))) continue;
              changed |= fuse_chain(graph, id);
            }
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
