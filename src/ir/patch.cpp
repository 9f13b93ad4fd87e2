#include "ir/patch.h"

#include <algorithm>

#include "base/error.h"

namespace planish {

Patch::~Patch() {
  if (applied_) return;
  for (auto at = added_.rbegin(); at != added_.rend(); ++at) graph_.remove_node(*at);
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
  replaced_.emplace_back(from, to);
}

namespace {

// The nodes that die when `value` is no longer used, by name.
void collect_dying(const Graph& graph, ValueId value, std::vector<NodeId>& dying) {
  const NodeId producer = graph.value(value).producer;
  if (!producer.valid() || std::find(dying.begin(), dying.end(), producer) != dying.end()) return;
  const Node& node = graph.node(producer);
  for (ValueId output : node.outputs) {
    if (graph.is_output(output)) return;
    for (NodeId user : graph.users(output))
      if (std::find(dying.begin(), dying.end(), user) == dying.end()) return;
  }
  dying.push_back(producer);
  for (ValueId input : node.inputs)
    if (input.valid()) collect_dying(graph, input, dying);
}

void add_origins(Node& node, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (std::find(node.origins.begin(), node.origins.end(), name) == node.origins.end()) node.origins.push_back(name);
}

}  // namespace

void Patch::apply() {
  applied_ = true;
  std::vector<NodeId> heirs;
  std::vector<NodeId> dying;
  for (auto& [from, to] : replaced_) {
    const bool was_output = graph_.is_output(from);
    graph_.replace_uses(from, to);
    if (was_output) {
      // Outputs are told apart by name: the new value takes the old one's.
      std::string name = graph_.value(from).name;
      graph_.rename(from, graph_.fresh_name(name + ".old"));
      graph_.rename(to, std::move(name));
    }
    collect_dying(graph_, from, dying);
    if (graph_.value(to).producer.valid()) heirs.push_back(graph_.value(to).producer);
  }
  std::sort(dying.begin(), dying.end());
  for (NodeId heir : heirs)
    for (NodeId id : dying)
      if (heir != id) add_origins(graph_.mutable_node(heir), graph_.node(id).origins);
  graph_.remove_dead();
}

}  // namespace planish
