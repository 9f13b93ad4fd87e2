#pragma once
// Plans of a candidate that is forced, and taken: without it a test compares something else.

#include <string>

#include "base/error.h"
#include "compile/emitter.h"

namespace planish::testing {

// Error(internal): a node that offers the candidate is computed by another one, or no node is computed by it. The
// reference kernel is offered to nodes, too, that become windows and need none.
inline Plan forced_plan(const Graph& graph, EmitOptions emit, const std::string& candidate) {
  BuildReport report;
  emit.forced = candidate;
  emit.report = &report;
  Plan plan = emit_plan(graph, emit);
  bool taken = false;
  for (const TacticChoice& choice : report.choices) {
    taken = taken || choice.chosen == candidate;
    for (const auto& [offered, us] : choice.timings_us)
      if (choice.chosen != candidate && (offered == candidate || offered == candidate + " (estimate)"))
        fail(Code::internal, "node '{}' offers {} and is computed by {}", choice.node, candidate, choice.chosen);
  }
  if (!taken && candidate != "reference") fail(Code::internal, "no node is computed by {}", candidate);
  return plan;
}

}  // namespace planish::testing
