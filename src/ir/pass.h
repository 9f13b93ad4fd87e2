#pragma once
// Pass: a graph-to-graph change as a value. Idempotent and deterministic.

#include <functional>
#include <string>

#include "ir/graph.h"

namespace planish {

struct Pass {
  std::string name;
  std::function<bool(Graph&)> run;  // true when it changed something
  bool enters_regions = false;      // `run` is given the outermost graph alone and goes into regions itself
};

// Applies `pass` to the graph and, inside out, to every region. Returns whether anything changed.
bool run_pass(const Pass& pass, Graph& graph);

}  // namespace planish
