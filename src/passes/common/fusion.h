#pragma once
// Making a fused node of a set of nodes.

#include <map>
#include <vector>

#include "ir/graph.h"

namespace planish::passes {

// Nodes in topological order, of which only the last one's result is used outside. They become one `fused`
// node that keeps them as its body; scalar constants move inside, everything else enters as an operand.
void fuse(Graph& graph, const std::vector<NodeId>& nodes);

// A pointwise node on f32 and booleans; constants of one element may be of any type.
bool is_fusible_pointwise(const Graph& graph, const Node& node);

// A fused node that is a map from bytes to bytes: elementwise, of one operand.
bool is_table(const Graph& graph, const Node& node);

// The dequantisations that nodes read, copied for these alone.
class OwnDequantizations {
 public:
  explicit OwnDequantizations(Graph& graph) : graph_(graph) {}
  void read_by(NodeId id);
  void read_by(NodeId id, size_t input);
  std::vector<NodeId> nodes;  // the copies

 private:
  ValueId copy_of(ValueId value);
  Graph& graph_;
  std::map<ValueId, ValueId> copies_;
};

// The anchor (conv, conv_transpose, matmul) and the pointwise nodes behind it that its epilogue can take along.
std::vector<NodeId> epilogue_chain(const Graph& graph, NodeId anchor);

}  // namespace planish::passes
