#pragma once
// Patch: one atomic change of a graph. What is added stays invisible until apply(); a patch that is dropped
// leaves the graph as it was.

#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish {

class Patch {
 public:
  explicit Patch(Graph& graph) : graph_(graph) {}
  ~Patch();  // not applied: removes what it added
  Patch(const Patch&) = delete;
  Patch& operator=(const Patch&) = delete;

  Graph& graph() { return graph_; }
  // Nodes made through add() are part of the patch. ops/builder.h has a form that infers types.
  NodeId add(OpName op, std::vector<ValueId> inputs, Attrs attrs, std::vector<TensorType> output_types);
  ValueId constant(Tensor tensor, std::string name = {});

  // Uses of `from` become uses of `to`. Types must agree in dtype and rank. A value that the patch
  // adds, or that becomes an output, takes over the name of the old one; its node those of the nodes that the patch
  // makes dead as origins, the one replaced last. So do nodes added without origins of their own. An output cannot
  // become an input, a constant or another output, whose names must stay: Error(internal).
  void replace(ValueId from, ValueId to);

  // Replaces, and removes what this makes dead. Costs what it changes, whatever the size of the graph.
  void apply();

 private:
  bool added(ValueId id) const;
  void take_name(ValueId from, ValueId to);

  Graph& graph_;
  std::vector<NodeId> added_;
  std::vector<ValueId> added_constants_;
  std::vector<std::pair<ValueId, ValueId>> replaced_;
  bool applied_ = false;
};

}  // namespace planish
