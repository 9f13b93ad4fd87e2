#pragma once
// Nodes that read one value by kernels alike, and become one.

#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish::passes {

// The nodes of a body with their operands by place: equal where two bodies compute the same of their operands.
std::string text_of(const Graph& body);

struct Part {
  NodeId node;
  int64_t extent;  // of its result along the axis
};

// The first of the nodes with other operands takes the place of all: its result is split along `axis` into theirs.
void merge_nodes(Graph& graph, std::vector<ValueId> operands, const std::vector<Part>& parts, int64_t axis);

}  // namespace planish::passes
