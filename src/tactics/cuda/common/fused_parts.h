#pragma once
// Nodes that passes have fused with what is no epilogue of theirs: each part is read as a node of its own.

#include "tactics/tactic.h"

namespace planish::tactics::cuda {

// The body of a fused node, with the node's constants in place of inputs. Parts are its nodes, in order.
class FusedParts {
 public:
  explicit FusedParts(const TacticQuery& query);
  size_t count() const { return nodes_.size(); }
  const Node& node(size_t i) const { return body_.node(nodes_[i]); }
  TacticQuery part(size_t i) const;  // valid as long as this is
  // Of the whole node: the operand that operand `i` of a part is. Error(internal): another part makes it.
  size_t operand(size_t part, size_t i) const;
  bool made_inside(size_t part, size_t i) const;

 private:
  const TacticQuery& query_;
  Graph body_;
  std::vector<NodeId> nodes_;
};

}  // namespace planish::tactics::cuda
