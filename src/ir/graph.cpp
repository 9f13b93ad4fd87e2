#include "ir/graph.h"

#include <algorithm>
#include <mutex>
#include <queue>
#include <set>
#include <utility>

#include "ir/graph_state.h"

namespace planish {

OpName::OpName(std::string_view name) {
  static std::mutex* mutex = new std::mutex;
  static auto* names = new std::set<std::string, std::less<>>;
  const std::lock_guard lock(*mutex);
  auto at = names->find(name);
  if (at == names->end()) at = names->emplace(name).first;
  name_ = &*at;
}

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

std::string Graph::fresh_name(std::string_view hint) { return state_->free_value_name(hint.empty() ? "v" : hint); }

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
  node->name = s.free_node_name(node_name.empty() ? op.str() : node_name);
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

void add_guards(const std::vector<Guard>& from, Graph& to) {
  for (const Guard& guard : from)
    if (std::find(to.guards.begin(), to.guards.end(), guard) == to.guards.end()) to.guards.push_back(guard);
}

void hand_back(const Graph& region, const Node& node, Graph& graph) {
  share_symbols(region, graph);
  if (node.op != "if") add_guards(region.guards, graph);
}

}  // namespace planish
