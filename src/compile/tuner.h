#pragma once
// Times candidates the way they will run: as a one-node plan in a context, weights cold.

#include <set>
#include <span>
#include <string>

#include "compile/build.h"
#include "compile/emitter.h"
#include "compile/timing_cache.h"
#include "runtime/engine.h"

namespace planish {

// Microseconds of the steps that compute: what copies cost depends on the neighbours, and is estimated with them.
double computing_us(std::span<const StepTiming> timings);

class Tuner {
 public:
  Tuner(Device& device, const BuildOptions& options, const EmitOptions& emit);

  // Times what the cache does not know, for every node that has a choice; writes the cache.
  void tune(const Graph& graph);
  // < 0: not timed. Where the cache names the one that computes the node, all others take far too long.
  double measured_us(const Graph& graph, const Node& node, const std::string& candidate) const;
  int timed() const { return timed_; }
  int cached() const { return cached_; }

 private:
  void load_cache();
  void save_cache() const;
  std::string key_of(const Graph& graph, const Node& node) const;
  void tune_node(const Graph& graph, const Node& node);
  double time_candidate(const Graph& one_node, const std::string& candidate, double best_us);

  Device& device_;
  const BuildOptions& options_;
  EmitOptions emit_;
  TimingCache times_;
  std::set<std::string> seen_;
  int timed_ = 0, cached_ = 0;
  bool foreign_cache_ = false;  // the file is something else of the user's
  double spent_seconds_ = 0;
};

}  // namespace planish
