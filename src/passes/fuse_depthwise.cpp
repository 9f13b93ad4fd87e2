// expand -> depthwise -> project  becomes fused(expand, depthwise, project), of 1x1 convolutions and a depthwise one
// with what each of them has fused. The build asks for it chain by chain (compile/blocks.h); as a pass it takes the
// longest chain of each depthwise convolution whose nodes are not taken yet.

#include <algorithm>
#include <set>

#include "passes/common/depthwise_chains.h"
#include "passes/common/fusion.h"
#include "passes/passes.h"

namespace planish::passes {

Pass fuse_depthwise() {
  return {"fuse_depthwise", [](Graph& graph) {
            std::set<NodeId> taken;
            for (const auto& chains : depthwise_chains(graph))
              for (const auto& chain : chains) {
                if (std::any_of(chain.begin(), chain.end(), [&](NodeId id) { return taken.count(id) > 0; })) continue;
                taken.insert(chain.begin(), chain.end());
                fuse(graph, chain);
              }
            graph.remove_dead();
            return !taken.empty();
          }};
}

}  // namespace planish::passes
