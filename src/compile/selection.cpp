#include "compile/selection.h"

#include <algorithm>

#include "compile/timing_cache.h"

namespace planish {

namespace {

bool waits_for_data(const Graph& graph, const Node& node) {
  const auto waits = [&](ValueId id) {
    if (!id.valid()) return false;
    const Shape& shape = graph.value(id).type.shape;
    return std::any_of(shape.begin(), shape.end(), [&](Dim dim) { return depends_on_data(dim, graph.symbols); });
  };
  return std::any_of(node.inputs.begin(), node.inputs.end(), waits) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), waits);
}

}  // namespace

// Values that are compared with those of other plans are kept as they are stated.
bool stores_half(const EmitOptions& options) {
  return options.precisions.bf16 && options.target.stores_half() && !options.reference_only &&
         !options.keep_intermediates;
}

Selection::Selection(const Graph& graph, const EmitOptions& options) : graph_(graph), options_(options) {
  if (options_.reference_only || !options_.forced.empty()) return;
  LayoutCosts costs;
  costs.copy_rate = options_.target.copy_rate();
  costs.half = stores_half(options_);
  std::map<const Candidate*, double> microseconds;
  costs.candidates = [&](const Node& node) -> const CandidateSink& {
    const CandidateSink& sink = sinks_[&node] = offers(graph_, node);
    const auto times = times_of(graph_, node, sink);
    for (size_t c = 0; c < times.size(); ++c) microseconds[&sink.candidates[c]] = times[c];
    return sink;
  };
  costs.microseconds = [&](const Node&, const Candidate& candidate) { return microseconds.at(&candidate); };
  assigned_ = assign_layouts(graph_, costs);
}

// What an accelerator has a kernel for it computes; extents that data decides are known to the host alone.
CandidateSink Selection::offers(const Graph& graph, const Node& node, bool on_host) const {
  const Target& target = options_.target;
  const bool host_alone = !target.is_accelerated() || on_host || options_.reference_only || waits_for_data(graph, node);
  if (host_alone) return target.propose_on_host(graph, node, options_.precisions);
  CandidateSink sink = target.propose(graph, node, options_.precisions);
  if (!sink.candidates.empty() || node.op == "fused") return sink;
  CandidateSink host = target.propose_on_host(graph, node, options_.precisions);
  host.refusals.insert(host.refusals.begin(), sink.refusals.begin(), sink.refusals.end());
  return host;
}

const Assigned* Selection::assigned(const Graph& graph, const Node& node) const {
  const auto at = &graph == &graph_ ? assigned_.find(&node) : assigned_.end();
  return at == assigned_.end() ? nullptr : &at->second;
}

const Candidate* Selection::decided(const Graph& graph, const Node& node) const {
  const Assigned* decision = assigned(graph, node);
  const auto known = sinks_.find(&node);
  return decision == nullptr || known == sinks_.end() ? nullptr : &known->second.candidates[decision->candidate];
}

// Measured, or estimated; estimates next to measured times are as far off as that of the fastest one.
std::vector<double> Selection::times_of(const Graph& graph, const Node& node, const CandidateSink& sink) const {
  std::vector<double> times;
  double best = -1, scale = 1;
  for (const Candidate& candidate : sink.candidates) {
    times.push_back(options_.measured ? options_.measured(graph, node, candidate) : -1);
    if (times.back() < 0 || (best >= 0 && times.back() >= best)) continue;
    best = times.back();
    if (candidate.estimated_us > 0) scale = best / candidate.estimated_us;
  }
  for (size_t c = 0; c < times.size(); ++c)
    if (times[c] < 0) times[c] = sink.candidates[c].estimated_us * scale;
  return times;
}

// By the time of the candidate plus the conversions of its operands.
std::optional<size_t> Selection::cheapest(const Graph& graph, const Node& node, const CandidateSink& sink,
                                          const Fits& fits) const {
  std::optional<size_t> best;
  double best_cost = 0;
  const auto times = times_of(graph, node, sink);
  for (size_t c = 0; c < sink.candidates.size(); ++c) {
    const Candidate& candidate = sink.candidates[c];
    if (options_.reference_only && candidate.name != "reference" && node.op != "custom") continue;
    if (!options_.forced.empty() && candidate.name == options_.forced) return c;
    double cost = times[c];
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!fits(candidate, i))
        cost += conversion_us(graph, graph.value(node.inputs[i]).type, options_.target.copy_rate());
    if (best && cost >= best_cost) continue;
    best = c;
    best_cost = cost;
  }
  return best;
}

bool Selection::is_half(const Graph& graph, const Node& node) const {
  const Assigned* decision = assigned(graph, node);
  return decision != nullptr && decision->half;
}

const Candidate* Selection::named(const Graph& graph, const Node& node, CandidateSink& sink) const {
  sink = offers(graph, node);
  const auto at = std::find_if(sink.candidates.begin(), sink.candidates.end(),
                               [&](const Candidate& candidate) { return candidate.name == options_.forced; });
  return at == sink.candidates.end() ? nullptr : &*at;
}

std::optional<Choice> Selection::choose(const Graph& graph, const Node& node, const Fits& fits, bool on_host) const {
  const auto known = &graph == &graph_ ? sinks_.find(&node) : sinks_.end();
  Choice choice{known != sinks_.end() ? known->second : offers(graph, node, on_host)};
  const Assigned* decided = assigned(graph, node);
  const std::optional<size_t> index =
      decided != nullptr ? decided->candidate : cheapest(graph, node, choice.sink, fits);
  if (!index) return std::nullopt;
  choice.index = *index;
  if (options_.report != nullptr) report(graph, node, choice);
  return choice;
}

void Selection::report(const Graph& graph, const Node& node, const Choice& choice) const {
  TacticChoice row;
  row.node = node.name;
  row.key = timing_key(graph, node, options_.target, options_.timings_by_name);
  row.chosen = choice.candidate().name;
  for (const Candidate& candidate : choice.sink.candidates) {
    const double measured = options_.measured ? options_.measured(graph, node, candidate) : -1;
    row.timings_us.emplace_back(candidate.name + (measured < 0 ? " (estimate)" : ""),
                                measured < 0 ? candidate.estimated_us : measured);
  }
  row.refusals = choice.sink.refusals;
  options_.report->choices.push_back(std::move(row));
}

}  // namespace planish
