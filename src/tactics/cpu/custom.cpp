#include "tactics/plugin_step.h"

namespace planish::tactics::cpu {

void register_custom(TacticTable& table) {
  table.add("custom", [](const TacticQuery& query, CandidateSink& sink) {
    sink.offer(plugin_candidate(query.node, MemorySpace::host));
  });
}

}  // namespace planish::tactics::cpu
