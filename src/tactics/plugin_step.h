#pragma once
// A user's operator as a candidate: one step, run by its plugin.

#include "tactics/tactic.h"

namespace planish {

Candidate plugin_candidate(const Node& node, MemorySpace space);

}  // namespace planish
