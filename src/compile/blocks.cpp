#include "compile/blocks.h"

#include <algorithm>
#include <set>

#include "passes/common/depthwise_chains.h"
#include "passes/common/fusion.h"

namespace planish {
namespace {

using Chain = std::vector<NodeId>;

// What is saved; not above 0 where a cost is not known.
double saving_of(const Graph& graph, const Chain& chain, const NodeCost& cost) {
  double apart = 0;
  for (NodeId id : chain) {
    const double us = cost(graph, graph.node(id));
    if (us < 0) return 0;
    apart += us;
  }
  Graph trial = graph.clone();
  const ValueId result = passes::fuse(trial, chain);
  const double together = cost(trial, trial.node(trial.value(result).producer));
  return together < 0 ? 0 : apart - together;
}

}  // namespace

int fuse_blocks(Graph& graph, const NodeCost& cost) {
  std::set<NodeId> taken;
  int count = 0;
  for (const auto& chains : passes::depthwise_chains(graph)) {
    const Chain* best = nullptr;
    double most = 0;
    for (const Chain& chain : chains) {
      if (std::any_of(chain.begin(), chain.end(), [&](NodeId id) { return taken.count(id) > 0; })) continue;
      const double saving = saving_of(graph, chain, cost);
      if (saving <= most) continue;
      most = saving;
      best = &chain;
    }
    if (best == nullptr) continue;
    passes::fuse(graph, *best);
    taken.insert(best->begin(), best->end());
    ++count;
  }
  graph.remove_dead();
  return count;
}

}  // namespace planish
