#pragma once
// From the graph to a plan: which candidate computes each node, in which layout each value lies, which
// values are windows on others, and where every buffer stands in the arena.

#include <functional>
#include <map>
#include <string>

#include "compile/build.h"
#include "tactics/target.h"

namespace planish {

struct EmitOptions {
  Target target;
  Precisions precisions;
  bool fallback = true;  // false: what the target's accelerator has no kernel for is an error
  bool reference_only = false;
  bool keep_intermediates = false;  // every buffer keeps its own memory
  // Measured microseconds of a candidate, or a negative number: then its estimate counts.
  std::function<double(const Graph&, const Node&, const Candidate&)> measured;
  bool timings_by_name = false;  // of keys in the report
  std::string forced;            // candidate to take for every node that offers it (tuning)
  bool half_bindings = false;    // of the one node: what the forced candidate takes and gives as bf16 lies so
  BuildReport* report = nullptr;
};

Plan emit_plan(const Graph& graph, const EmitOptions& options);

}  // namespace planish
