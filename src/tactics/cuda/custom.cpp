#include "tactics/plugin_step.h"

namespace planish::tactics::cuda {

void register_custom(TacticTable& table) {
  table.add("custom", [](const TacticQuery& query, CandidateSink& sink) {
    if (query.node.attrs.get_or<int64_t>("on_device", 0) == 0) return sink.refuse("plugin", "it computes on the host");
    sink.offer(plugin_candidate(query.node, MemorySpace::device));
  });
}

}  // namespace planish::tactics::cuda
