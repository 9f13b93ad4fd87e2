#pragma once
// Graphs made of graphs: one written into another, a part taken out, a loop around a body.

#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace planish {

// The nodes of `other` once more in `graph`, where its inputs are `inputs`; the values of its outputs. Types are
// inferred again. On failure nothing stays.
std::vector<ValueId> append_graph(Graph& graph, const Graph& other, const std::vector<ValueId>& inputs);

// The nodes that depend on `inputs` and that `outputs` need, as a graph. Its inputs are `inputs` and then `captured`:
// what these nodes take from around them, but for constants, which are shared.
struct Extract {
  Graph graph;
  std::vector<ValueId> captured;  // of the graph it was taken from
};
Extract extract_graph(const Graph& graph, const std::vector<ValueId>& inputs, const std::vector<ValueId>& outputs);

// An extent of the state that a turn of the body (outputs: the condition, state…) changes becomes a symbol of `graph`.
// Returns whether one did.
bool widen_state(Graph& graph, std::vector<TensorType>& state, const Graph& body, std::set<std::string>& widened);

// A `loop`: operands are trips?, condition?, state…, captured…; the body takes the turn, the condition, state…,
// captured… and gives the condition, state…, rows…. The types of the body's inputs follow from the operands.
NodeId add_loop(Graph& graph, std::vector<ValueId> operands, size_t carried, const Graph& body, std::string name);

}  // namespace planish
