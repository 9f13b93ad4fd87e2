#pragma once
// Bounds that the operators before a value set: what a rectifier, a sigmoid or a clip leaves.

#include "ir/graph.h"

namespace planish {

struct Bounds {
  double low, high;  // infinite: none
};

Bounds bounds_of(const Graph& graph, ValueId value);

}  // namespace planish
