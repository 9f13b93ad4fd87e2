#include "ir/graph.h"

#include <algorithm>
#include <mutex>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace planish {

OpName::OpName(std::string_view name) {
  static std::mutex* mutex = new std::mutex;
  static auto* names = new std::set<std::string, std::less<>>;
  const std::lock_guard lock(*mutex);
  auto at = names->find(name);
  if (at == names->end()) at = names->emplace(name).first;
  name_ = &*at;
}

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
  mutable std::vector<NodeId> order;
  mutable bool order_valid = false;

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
  void drop_use(ValueId id, NodeId user) {
    auto& list = users_of(id);
    if (auto at = std::find(list.begin(), list.end(), user); at != list.end()) list.erase(at);
  }
};

Graph::Graph() : state_(std::make_unique<State>()) {}
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

namespace {

std::unique_ptr<Node> clone_node(const Node& node) {
  auto copy = std::make_unique<Node>();
  copy->op = node.op;
  copy->name = node.name;
  copy->origins = node.origins;
  copy->inputs = node.inputs;
  copy->outputs = node.outputs;
  copy->attrs = node.attrs;
  copy->binds = node.binds;
  copy->note = node.note;
  for (const auto& region : node.regions) copy->regions.push_back(std::make_unique<Graph>(region->clone()));
  return copy;
}

}  // namespace

Graph Graph::clone() const {
  Graph copy;
  copy.name = name;
  copy.symbols = symbols;
  copy.guards = guards;
  State& to = *copy.state_;
  const State& from = *state_;
  for (const auto& node : from.nodes) to.nodes.push_back(node ? clone_node(*node) : nullptr);
  for (const auto& value : from.values) to.values.push_back(value ? std::make_unique<Value>(*value) : nullptr);
  to.users = from.users;
  to.output_counts = from.output_counts;
  to.inputs = from.inputs;
  to.outputs = from.outputs;
  to.value_names = from.value_names;
  to.node_names = from.node_names;
  to.fresh_counts = from.fresh_counts;
  to.fresh_node_counts = from.fresh_node_counts;
  to.live_nodes = from.live_nodes;
  return copy;
}

const Node& Graph::node(NodeId id) const { return state_->node(id); }
const Value& Graph::value(ValueId id) const { return state_->value(id); }
Node& Graph::mutable_node(NodeId id) { return state_->node(id); }
Value& Graph::mutable_value(ValueId id) { return state_->value(id); }
std::span<const ValueId> Graph::inputs() const { return state_->inputs; }
std::span<const ValueId> Graph::outputs() const { return state_->outputs; }
size_t Graph::node_count() const { return state_->live_nodes; }

bool Graph::alive(NodeId id) const {
  return id.index >= 0 && static_cast<size_t>(id.index) < state_->nodes.size() &&
         state_->nodes[static_cast<size_t>(id.index)];
}

bool Graph::alive(ValueId id) const {
  return id.index >= 0 && static_cast<size_t>(id.index) < state_->values.size() &&
         state_->values[static_cast<size_t>(id.index)];
}

bool Graph::is_output(ValueId id) const {
  state_->value(id);
  return state_->output_count_of(id) > 0;
}

bool Graph::is_used(ValueId id) const {
  state_->value(id);
  return state_->is_used(id);
}

std::optional<ValueId> Graph::find_value(std::string_view wanted) const {
  auto at = state_->value_names.find(std::string(wanted));
  if (at == state_->value_names.end()) return std::nullopt;
  return at->second;
}

std::vector<NodeId> Graph::users(ValueId id) const {
  state_->value(id);
  std::vector<NodeId> list = state_->users_of(id);
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

// Kahn's algorithm; of the nodes that are ready the one with the lowest id comes first.
std::vector<NodeId> Graph::nodes() const {
  State& s = *state_;
  if (s.order_valid) return s.order;
  std::vector<int> missing(s.nodes.size(), 0);
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (size_t i = 0; i < s.nodes.size(); ++i) {
    if (!s.nodes[i]) continue;
    for (ValueId input : s.nodes[i]->inputs)
      if (input.valid() && s.value(input).producer.valid()) ++missing[i];
    if (missing[i] == 0) ready.push({static_cast<int32_t>(i)});
  }
  s.order.clear();
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    s.order.push_back(id);
    for (ValueId output : s.node(id).outputs)
      for (NodeId user : s.users_of(output))
        if (--missing[static_cast<size_t>(user.index)] == 0) ready.push(user);
  }
  if (s.order.size() != s.live_nodes) fail(Code::invalid_model, "graph '{}' has a cycle", name);
  s.order_valid = true;
  return s.order;
}

namespace {

// `hint`, or `hint` with the first free number behind it.
template <class Names>
std::string free_name(const std::string& base, const Names& taken, std::unordered_map<std::string, int>& counts) {
  if (taken.count(base) == 0) return base;
  int& count = counts[base];
  std::string candidate;
  do candidate = base + "." + std::to_string(++count);
  while (taken.count(candidate) > 0);
  return candidate;
}

}  // namespace

// Values and nodes are named apart: a file may call a node as it calls its result.
std::string Graph::fresh_name(std::string_view hint) {
  return free_name(std::string(hint.empty() ? "v" : hint), state_->value_names, state_->fresh_counts);
}

void add_guards(const std::vector<Guard>& from, Graph& to) {
  for (const Guard& guard : from)
    if (std::find(to.guards.begin(), to.guards.end(), guard) == to.guards.end()) to.guards.push_back(guard);
}

void hand_back(const Graph& region, const Node& node, Graph& graph) {
  share_symbols(region, graph);
  if (node.op != "if") add_guards(region.guards, graph);
}

std::string Graph::fresh_symbol(std::string_view hint, SymbolInfo info) {
  std::string base;
  for (char c : hint) base += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '_';
  if (base.empty() || std::isdigit(static_cast<unsigned char>(base[0])) != 0) base = "s_" + base;
  std::string candidate = base;
  for (int i = 1; symbols.count(candidate) > 0; ++i) candidate = base + "." + std::to_string(i);
  symbols[candidate] = info;
  return candidate;
}

ValueId Graph::add_input(std::string value_name, TensorType type) {
  Value value;
  value.name = fresh_name(value_name);
  value.type = std::move(type);
  const ValueId id = state_->add_value(std::move(value));
  state_->inputs.push_back(id);
  return id;
}

ValueId Graph::add_constant(Tensor tensor, std::string value_name) {
  Value value;
  value.name = fresh_name(value_name.empty() ? "constant" : value_name);
  value.type = tensor.type();
  value.constant = std::move(tensor);
  return state_->add_value(std::move(value));
}

NodeId Graph::add_node(OpName op, std::vector<ValueId> inputs, Attrs attrs, std::vector<TensorType> output_types,
                       std::string node_name, std::vector<std::string> output_names) {
  State& s = *state_;
  const NodeId id{static_cast<int32_t>(s.nodes.size())};
  auto node = std::make_unique<Node>();
  node->op = op;
  node->name = std::move(node_name);
  node->name = free_name(node->name.empty() ? op.str() : node->name, s.node_names, s.fresh_node_counts);
  s.node_names.insert(node->name);
  node->inputs = std::move(inputs);
  node->attrs = std::move(attrs);
  for (ValueId input : node->inputs)
    if (input.valid()) {
      s.value(input);
      s.users_of(input).push_back(id);
    }
  s.nodes.push_back(std::move(node));
  ++s.live_nodes;
  for (size_t i = 0; i < output_types.size(); ++i) {
    Value value;
    value.name = i < output_names.size() && !output_names[i].empty()
                     ? fresh_name(output_names[i])
                     : fresh_name(s.node(id).name + ":" + std::to_string(i));
    value.type = std::move(output_types[i]);
    value.producer = id;
    value.result = static_cast<int>(i);
    const ValueId output = s.add_value(std::move(value));
    s.node(id).outputs.push_back(output);
  }
  s.order_valid = false;
  return id;
}

void Graph::add_region(NodeId node, std::unique_ptr<Graph> body) {
  state_->node(node).regions.push_back(std::move(body));
}

void Graph::add_output(ValueId value) {
  state_->value(value);
  state_->outputs.push_back(value);
  ++state_->output_count_of(value);
}

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
