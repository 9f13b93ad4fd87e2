// Changes to a graph that stands: operands and outputs exchanged, names changed, what nothing needs removed.

#include <algorithm>
#include <utility>

#include "ir/graph_state.h"

namespace planish {

void Graph::set_output(size_t index, ValueId value) {
  state_->value(value);
  ValueId& output = state_->outputs.at(index);
  --state_->output_count_of(output);
  ++state_->output_count_of(value);
  output = value;
}

void Graph::remove_output(size_t index) {
  --state_->output_count_of(state_->outputs.at(index));
  state_->outputs.erase(state_->outputs.begin() + static_cast<std::ptrdiff_t>(index));
}

void Graph::rename(ValueId id, std::string new_name) {
  State& s = *state_;
  if (s.value(id).name == new_name) return;
  if (s.value_names.count(new_name) > 0) fail(Code::internal, "two values would be called '{}'", new_name);
  s.value_names.erase(s.value(id).name);
  s.value_names.emplace(new_name, id);
  s.value(id).name = std::move(new_name);
}

void Graph::rename(NodeId id, const std::string& name) {
  State& s = *state_;
  Node& node = s.node(id);
  if (node.name == name) return;
  if (name.empty() || !s.node_names.insert(name).second)
    fail(Code::invalid_argument, "the node name '{}' is empty or taken", name);
  s.node_names.erase(node.name);
  node.name = name;
}

void Graph::set_input(NodeId id, size_t index, ValueId value) {
  State& s = *state_;
  ValueId& input = s.node(id).inputs.at(index);
  if (value.valid()) s.value(value);
  if (input.valid()) s.drop_use(input, id);
  input = value;
  if (value.valid()) s.users_of(value).push_back(id);
  s.order_valid = false;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  State& s = *state_;
  if (from == to) return;
  s.value(to);
  for (NodeId user : users(from))
    for (ValueId& input : s.node(user).inputs)
      if (input == from) {
        input = to;
        s.users_of(to).push_back(user);
      }
  s.users_of(from).clear();
  if (s.output_count_of(from) > 0) {
    std::replace(s.outputs.begin(), s.outputs.end(), from, to);
    s.output_count_of(to) += std::exchange(s.output_count_of(from), 0);
  }
  s.order_valid = false;
}

void Graph::remove_node(NodeId id) {
  State& s = *state_;
  Node& node = s.node(id);
  for (ValueId output : node.outputs)
    if (s.is_used(output)) fail(Code::internal, "node '{}' is still used", node.name);
  for (ValueId input : node.inputs)
    if (input.valid()) s.drop_use(input, id);
  for (ValueId output : node.outputs) s.remove_value(output);
  s.node_names.erase(node.name);
  s.nodes[static_cast<size_t>(id.index)].reset();
  --s.live_nodes;
  s.order_valid = false;
}

void Graph::remove_constant(ValueId id) {
  const Value& value = state_->value(id);
  if (!value.is_constant() || state_->is_used(id)) fail(Code::internal, "'{}' is no unused constant", value.name);
  state_->remove_value(id);
}

bool Graph::is_binding(const Node& node) const { return !node.binds.empty() && needs(node.binds, &node); }

bool Graph::needs(const std::vector<std::string>& wanted, const Node* except) const {
  const auto named = [&](Dim dim) {
    std::vector<std::string> names;
    dim.collect_symbols(names);
    return std::find_first_of(names.begin(), names.end(), wanted.begin(), wanted.end()) != names.end();
  };
  for (const auto& value : state_->values) {
    if (!value || (except != nullptr && value->producer.valid() && &node(value->producer) == except)) continue;
    const Shape& shape = value->type.shape;
    if (std::any_of(shape.begin(), shape.end(), named)) return true;
    if (value->contents && std::any_of(value->contents->begin(), value->contents->end(), named)) return true;
  }
  for (const auto& other : state_->nodes) {
    if (!other || other.get() == except) continue;
    for (const auto& [name, value] : other->attrs.entries())
      if (const auto* dims = std::get_if<std::vector<Dim>>(&value))
        if (std::any_of(dims->begin(), dims->end(), named)) return true;
    for (const auto& region : other->regions)
      if (region->needs(wanted, nullptr)) return true;
  }
  return false;
}

int Graph::remove_dead() {
  State& s = *state_;
  int removed = 0;
  const std::vector<NodeId> order = nodes();
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    const auto unused = [&](ValueId v) { return !s.is_used(v); };
    const Node& node = s.node(*at);
    if (!std::all_of(node.outputs.begin(), node.outputs.end(), unused) || is_binding(node)) continue;
    remove_node(*at);
    ++removed;
  }
  for (size_t i = 0; i < s.values.size(); ++i) {
    const ValueId id{static_cast<int32_t>(i)};
    if (s.values[i] && s.values[i]->is_constant() && !s.is_used(id)) s.remove_value(id);
  }
  return removed;
}

}  // namespace planish
