#include "ir/patch.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace planish {
namespace {

using Origins = std::vector<std::string>;

bool is_dead(const Graph& graph, const Node& node) {
  if (graph.is_binding(node)) return false;
  return std::none_of(node.outputs.begin(), node.outputs.end(), [&](ValueId output) { return graph.is_used(output); });
}

// Removes what only the `open` values kept alive. Costs what it removes, however large the graph.
class Sweep {
 public:
  explicit Sweep(Graph& graph) : graph_(graph) {}

  void remove(ValueId value) {
    open_.push_back(value);
    while (!open_.empty()) {
      const ValueId next = open_.back();
      open_.pop_back();
      if (gone_.count(next) == 0) visit(next);
    }
  }
  // Of the removed nodes, in their order.
  std::vector<Origins> origins() {
    std::sort(removed_.begin(), removed_.end());
    std::vector<Origins> lists;
    for (auto& [id, names] : removed_) lists.push_back(std::move(names));
    return lists;
  }

 private:
  void visit(ValueId id) {
    const Value& value = graph_.value(id);
    if (graph_.is_used(id)) return;
    if (value.is_constant()) {
      gone_.insert(id);
      return graph_.remove_constant(id);
    }
    if (value.producer.valid() && is_dead(graph_, graph_.node(value.producer))) remove_node(value.producer);
  }
  void remove_node(NodeId id) {
    const Node& node = graph_.node(id);
    gone_.insert(node.outputs.begin(), node.outputs.end());
    std::copy_if(node.inputs.begin(), node.inputs.end(), std::back_inserter(open_),
                 [](ValueId v) { return v.valid(); });
    removed_.emplace_back(id, node.origins);
    graph_.remove_node(id);
  }

  Graph& graph_;
  std::vector<ValueId> open_;
  std::set<ValueId> gone_;
  std::vector<std::pair<NodeId, Origins>> removed_;
};

void add_origins(Node& node, const Origins& names) {
  for (const std::string& name : names)
    if (std::find(node.origins.begin(), node.origins.end(), name) == node.origins.end()) node.origins.push_back(name);
}

}  // namespace

Patch::~Patch() {
  if (applied_) return;
  for (auto at = added_.rbegin(); at != added_.rend(); ++at) graph_.remove_node(*at);
  for (ValueId constant : added_constants_) graph_.remove_constant(constant);
}

NodeId Patch::add(OpName op, std::vector<ValueId> inputs, Attrs attrs, std::vector<TensorType> output_types) {
  added_.push_back(graph_.add_node(op, std::move(inputs), std::move(attrs), std::move(output_types)));
  return added_.back();
}

ValueId Patch::constant(Tensor tensor, std::string name) {
  added_constants_.push_back(graph_.add_constant(std::move(tensor), std::move(name)));
  return added_constants_.back();
}

void Patch::replace(ValueId from, ValueId to) {
  const TensorType &old_type = graph_.value(from).type, &new_type = graph_.value(to).type;
  if (old_type.dtype != new_type.dtype || old_type.shape.rank() != new_type.shape.rank())
    fail(Code::internal, "a patch replaces {} by {}", old_type.str(), new_type.str());
  const auto twice = [&](const auto& pair) { return pair.second == to && graph_.is_output(pair.first); };
  const bool named = !graph_.value(to).producer.valid() || graph_.is_output(to) ||
                     std::any_of(replaced_.begin(), replaced_.end(), twice);
  if (graph_.is_output(from) && named)
    fail(Code::internal, "output '{}' cannot become '{}', which has a name of its own", graph_.value(from).name,
         graph_.value(to).name);
  replaced_.emplace_back(from, to);
}

bool Patch::added(ValueId id) const {
  return std::find(added_.begin(), added_.end(), graph_.value(id).producer) != added_.end();
}

// Outputs are told apart by name, and layers of differently optimised plans are compared by it.
void Patch::take_name(ValueId from, ValueId to) {
  std::string name = graph_.value(from).name;
  graph_.rename(from, graph_.fresh_name(name + ".old"));
  graph_.rename(to, std::move(name));
}

void Patch::apply() {
  applied_ = true;
  std::vector<std::pair<NodeId, Origins>> heirs;  // with the origins of what they replace: these come last
  for (auto& [from, to] : replaced_) {
    const bool named = graph_.is_output(from) || added(to);
    graph_.replace_uses(from, to);
    if (named) take_name(from, to);
    const NodeId old = graph_.value(from).producer;
    heirs.emplace_back(graph_.value(to).producer, old.valid() ? graph_.node(old).origins : Origins{});
  }
  Sweep sweep(graph_);
  for (auto& [from, to] : replaced_) sweep.remove(from);
  const auto origins = sweep.origins();
  for (const auto& [heir, result] : heirs) {
    if (!graph_.alive(heir)) continue;
    for (const Origins& names : origins)
      if (names != result) add_origins(graph_.mutable_node(heir), names);
    add_origins(graph_.mutable_node(heir), result);
  }
  for (NodeId id : added_)
    if (graph_.alive(id) && graph_.node(id).origins.empty())
      for (const Origins& names : origins) add_origins(graph_.mutable_node(id), names);
  for (NodeId id : added_)
    if (graph_.alive(id) && !graph_.node(id).outputs.empty()) sweep.remove(graph_.node(id).outputs[0]);
  for (ValueId id : added_constants_) sweep.remove(id);
}

}  // namespace planish
