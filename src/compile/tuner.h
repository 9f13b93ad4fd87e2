#pragma once
// Times candidates the way they will run: as a one-node plan in a context, weights cold.

#include <atomic>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compile/build.h"
#include "compile/emitter.h"
#include "compile/timing_cache.h"

namespace planish {

class Tuner {
 public:
  Tuner(Device& device, const BuildOptions& options, const EmitOptions& emit);

  // Times what the cache does not know, for every node that has a choice; writes the cache.
  void tune(const Graph& graph);
  // The same with other precisions permitted; times are kept.
  void permit(Precisions precisions);
  // Of the fastest candidate of a node, timed if it is not yet; < 0: the time for tuning is spent, or there is none.
  double best_us(const Graph& graph, const Node& node);
  // < 0: not timed. Where the cache names the one that computes the node, all others take far too long.
  double measured_us(const Graph& graph, const Node& node, const Candidate& candidate) const;
  // Which of the plans of one network is the fastest, as a whole and in turns; `names` tell them apart in the cache.
  // The first, where they cannot be run without their inputs' values, or the time for tuning is spent.
  size_t fastest(const Graph& graph, const std::vector<const Plan*>& plans, const std::vector<std::string>& names);
  int timed() const { return timed_; }
  int cached() const { return cached_; }

 private:
  TimingCache read_cache();
  void save_cache();
  // `stop`: somebody wants it to end.
  void compile_ahead(const Graph& graph, const Node& node, const std::atomic<bool>& stop) const;
  bool goes_on(int done, int total) const;  // the caller has not cancelled
  bool is_spent() const { return options_.tuning_seconds > 0 && spent_seconds_ > options_.tuning_seconds; }
  bool is_full() const { return options_.tuning == Tuning::full; }
  // Null: there is none, or it was not taken carefully enough.
  const TimingCache::Row* usable(const std::string& key, const std::string& name) const;
  std::string key_of(const Graph& graph, const Node& node) const;
  // Where it has so many candidates or more: one is no choice.
  void tune_node(const Graph& graph, const Node& node, int least = 2);
  std::string row_name(const Candidate& candidate) const;
  double time_candidate(const Graph& one_node, const Candidate& candidate, double best_us);
  std::vector<double> time_plans(const std::vector<const Plan*>& plans);

  Device& device_;
  const BuildOptions& options_;
  EmitOptions emit_;
  const std::string cache_;  // file; empty: none
  TimingCache times_;
  std::set<std::string> seen_;
  int timed_ = 0, cached_ = 0;
  bool foreign_cache_ = false;  // the file is something else of the user's
  double spent_seconds_ = 0;
  std::pair<int, int> at_;  // node of how many: the caller may cancel before each candidate
};

}  // namespace planish
