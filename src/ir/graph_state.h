#pragma once
// What graph.cpp and graph_change.cpp share: the slots of a graph's nodes and values, who uses what, and the names
// taken.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"

namespace planish {

// Slots are never reused, so an id stays unique for the life of the graph.
struct Graph::State {
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<Value>> values;
  std::vector<std::vector<NodeId>> users;  // by value; a node once an operand, so it may repeat
  std::vector<int32_t> output_counts;      // by value: how many of `outputs` it is
  std::vector<ValueId> inputs, outputs;
  std::unordered_map<std::string, ValueId> value_names;
  std::unordered_set<std::string> node_names;
  std::unordered_map<std::string, int> fresh_counts, fresh_node_counts;
  size_t live_nodes = 0;
  std::vector<NodeId> order;
  bool order_valid = false;

  Node& node(NodeId id) {
    if (id.index < 0 || static_cast<size_t>(id.index) >= nodes.size() || !nodes[static_cast<size_t>(id.index)])
      fail(Code::internal, "there is no node {}", id.index);
    return *nodes[static_cast<size_t>(id.index)];
  }
  Value& value(ValueId id) {
    if (id.index < 0 || static_cast<size_t>(id.index) >= values.size() || !values[static_cast<size_t>(id.index)])
      fail(Code::internal, "there is no value {}", id.index);
    return *values[static_cast<size_t>(id.index)];
  }
  std::vector<NodeId>& users_of(ValueId id) { return users[static_cast<size_t>(id.index)]; }
  int32_t& output_count_of(ValueId id) { return output_counts[static_cast<size_t>(id.index)]; }
  bool is_used(ValueId id) { return !users_of(id).empty() || output_count_of(id) > 0; }

  ValueId add_value(Value value) {
    const ValueId id{static_cast<int32_t>(values.size())};
    value_names.emplace(value.name, id);
    values.push_back(std::make_unique<Value>(std::move(value)));
    users.emplace_back();
    output_counts.push_back(0);
    order_valid = false;
    return id;
  }
  void remove_value(ValueId id) {
    value_names.erase(value(id).name);
    values[static_cast<size_t>(id.index)].reset();
  }
  // The hint, or the hint with the first free number behind it. Values and nodes are named apart: a file may call a
  // node as it calls its result.
  std::string free_value_name(std::string_view hint) { return free_name(std::string(hint), value_names, fresh_counts); }
  std::string free_node_name(std::string_view hint) {
    return free_name(std::string(hint), node_names, fresh_node_counts);
  }
  void drop_use(ValueId id, NodeId user) {
    auto& list = users_of(id);
    if (auto at = std::find(list.begin(), list.end(), user); at != list.end()) list.erase(at);
  }

 private:
  template <class Names>
  static std::string free_name(const std::string& base, const Names& taken,
                               std::unordered_map<std::string, int>& counts) {
    if (taken.count(base) == 0) return base;
    int& count = counts[base];
    std::string candidate;
    do candidate = base + "." + std::to_string(++count);
    while (taken.count(candidate) > 0);
    return candidate;
  }
};

}  // namespace planish
