#pragma once
// What was measured: microseconds by node and candidate, as text that builds read and write.
//
//   planish timing cache 2
//   <fingerprint of the machine>
//   <key of a node, 32 hexadecimal digits> <candidate> <microseconds>[ full][ only]
//
// `full`: taken by full tuning, which takes those of fast tuning again.
// `only`: this candidate computes the node, whatever the others cost (a cache may be edited).
// Candidates that begin with kWholePlan are plans of a network as a whole; their key stands for all of its nodes.

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "ir/graph.h"
#include "tactics/target.h"

namespace planish {

inline constexpr std::string_view kWholePlan = "plan/";

// What a timing depends on, apart from the machine: what computes, operator, attributes, types, body. With `by_name`
// the node's name, too: then each node has timings of its own.
std::string timing_key(const Graph& graph, const Node& node, const Target& target, bool by_name);

class TimingCache {
 public:
  struct Row {
    double us = 0;
    bool only = false;
    bool full = false;
  };

  using Rows = std::map<std::string, std::map<std::string, Row>>;  // by key, by candidate

  TimingCache() = default;
  explicit TimingCache(std::string machine) : machine_(std::move(machine)) {}
  // Error(mismatch): of another version. Error(invalid_argument): no timing cache, or damaged.
  static TimingCache parse(std::string_view text);
  // Error(mismatch), too: of another machine.
  static TimingCache parse(std::string_view text, const std::string& machine);
  static bool is_one(std::string_view text);  // of some machine and version
  std::string str() const;

  const std::string& machine() const { return machine_; }  // empty: of none yet
  const Rows& rows() const { return rows_; }
  const Row* find(const std::string& key, const std::string& candidate) const;
  // The candidate that computes nodes of this key, whatever others cost; null: none is set.
  const std::string* only(const std::string& key) const;
  void set(const std::string& key, const std::string& candidate, double us, bool full) {
    rows_[key][candidate] = {us, false, full};
  }
  // This candidate computes the nodes of the key from now on. Error(not_found): it was not measured for them.
  void choose(const std::string& key, const std::string& candidate, double us);
  void add(const TimingCache& other);  // what is not here, or was taken by fast tuning here and by full there

 private:
  std::string machine_;  // its fingerprint
  Rows rows_;
};

}  // namespace planish
