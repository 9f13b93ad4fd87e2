#include "ir/pass.h"

namespace planish {

bool run_pass(const Pass& pass, Graph& graph) {
  if (pass.enters_regions) return pass.run(graph);
  bool changed = false;
  for (NodeId id : graph.nodes()) {
    if (graph.node(id).op == "fused") continue;  // a fused body is finished
    for (const auto& region : graph.mutable_node(id).regions) {
      share_symbols(graph, *region);
      changed |= run_pass(pass, *region);
      share_symbols(*region, graph);
    }
  }
  return pass.run(graph) || changed;
}

}  // namespace planish
