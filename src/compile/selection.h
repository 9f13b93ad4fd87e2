#pragma once
// Selection: which candidate computes a node. Nodes outside of regions are decided jointly with the layouts of their
// values; those inside one after the other.

#include <functional>
#include <map>
#include <optional>

#include "compile/emitter.h"
#include "compile/layout/assign.h"

namespace planish {

struct Choice {
  CandidateSink sink;  // all that was offered or refused
  size_t index = 0;
  const Candidate& candidate() const { return sink.candidates[index]; }
};

// Whether values of f32 may lie in memory as bf16.
bool stores_half(const EmitOptions& options);

class Selection {
 public:
  Selection(const Graph& graph, const EmitOptions& options);

  // Whether operand i can be read by the candidate as it lies.
  using Fits = std::function<bool(const Candidate&, size_t i)>;
  // Nothing: no candidate computes the node.
  // `on_host`: the node is part of a body that the processor runs.
  std::optional<Choice> choose(const Graph& graph, const Node& node, const Fits& fits, bool on_host) const;
  // The layout decided for a node's results; null inside of regions.
  const Assigned* assigned(const Graph& graph, const Node& node) const;
  // The candidate decided with it; null inside of regions, and for what no candidate computes.
  const Candidate* decided(const Graph& graph, const Node& node) const;
  // Whether result 0 of the node lies as bf16.
  bool is_half(const Graph& graph, const Node& node) const;
  // The one that is forced, of what `sink` then has; null: the node does not offer it.
  const Candidate* named(const Graph& graph, const Node& node, CandidateSink& sink) const;

 private:
  CandidateSink offers(const Graph& graph, const Node& node, bool on_host = false) const;
  std::vector<double> times_of(const Graph& graph, const Node& node, const CandidateSink& sink) const;
  std::optional<size_t> cheapest(const Graph& graph, const Node& node, const CandidateSink& sink,
                                 const Fits& fits) const;
  void report(const Graph& graph, const Node& node, const Choice& choice) const;

  const Graph& graph_;
  const EmitOptions& options_;
  std::map<const Node*, CandidateSink> sinks_;
  std::map<const Node*, Assigned> assigned_;
};

}  // namespace planish
