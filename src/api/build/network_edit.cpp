// Changing networks.

#include <algorithm>

#include "api/build/network.h"
#include "importers/common/custom.h"
#include "ops/builder.h"
#include "plugin/plugin.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace planish::api {
namespace {

std::vector<std::string> current_types(const Graph& graph, const Node& node) {
  const Tensor bytes = node.attrs.get<Tensor>("bytes");
  auto plugin = load_plugin(node.attrs.get<std::string>("plugin"), static_cast<int>(node.attrs.get<int64_t>("version")),
                            {reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(bytes.byte_count())});
  return importers::result_types(*plugin, graph, node.inputs);
}

// Whether a custom node's results changed with its operands.
bool refresh_custom(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.nodes()) {
    if (graph.node(id).op != "custom") continue;
    auto types = current_types(graph, graph.node(id));
    Attrs& attrs = graph.mutable_node(id).attrs;
    if (attrs.get<std::vector<std::string>>("types") == types) continue;
    attrs.set("types", std::move(types));
    changed = true;
  }
  return changed;
}

}  // namespace

// A changed result may change the operands of custom nodes behind it; each round settles one more.
void infer_network(Graph& graph) {
  infer_all(graph);
  for (size_t round = 0; round < graph.node_count() && refresh_custom(graph); ++round) infer_all(graph);
}

std::vector<Guard> stated_guards(const Graph& graph) {
  if (graph.guards.empty()) return {};
  Graph bare = graph.clone();
  bare.guards.clear();
  infer_all(bare);
  std::vector<Guard> stated;
  for (const Guard& guard : graph.guards)
    if (std::find(bare.guards.begin(), bare.guards.end(), guard) == bare.guards.end()) stated.push_back(guard);
  return stated;
}

}  // namespace planish::api

namespace {

// Whether `node` contributes to `value`.
bool depends_on(const Graph& graph, ValueId value, NodeId node) {
  std::vector<NodeId> pending;
  std::set<NodeId> seen;
  const auto visit = [&](ValueId id) {
    const NodeId producer = id.valid() ? graph.value(id).producer : NodeId{};
    if (producer.valid() && seen.insert(producer).second) pending.push_back(producer);
  };
  visit(value);
  while (!pending.empty()) {
    const NodeId at = pending.back();
    pending.pop_back();
    if (at == node) return true;
    for (ValueId input : graph.node(at).inputs) visit(input);
  }
  return false;
}

void check_attrs(const Node& node) {
  if (node.op == "custom") fail(Code::unsupported, "the attributes of user operators are fixed when they are added");
  const OpDef& def = op_def(node.op);
  if (def.check_attrs != nullptr) def.check_attrs(node.attrs);
}

}  // namespace

extern "C" {

planish_status planish_network_set_value_name(planish_network* network, planish_value value, const char* name) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const ValueId id = api::value_at(*network, value);
    const std::string wanted = &required(name, "the name");
    if (wanted == graph.value(id).name) return;
    if (wanted.empty() || graph.find_value(wanted))
      fail(Code::invalid_argument, "the name '{}' is empty or taken", wanted);
    graph.rename(id, wanted);
  });
}

planish_status planish_network_set_node_name(planish_network* network, planish_node node, const char* name) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const NodeId id = api::node_at(*network, node);
    graph.rename(id, &required(name, "the name"));
    graph.mutable_node(id).origins = {name};
  });
}

planish_status planish_network_set_attr(planish_network* network, planish_node node, const planish_attr* attr) {
  return guarded([&] {
    const NodeId id = api::node_at(required(network, "the network"), node);
    const Attrs::Entry entry = from_c(required(attr, "the attribute"));
    api::edit(*network, [&](Graph& graph) {
      graph.mutable_node(id).attrs.set(entry.first, entry.second);
      check_attrs(graph.node(id));
    });
  });
}

planish_status planish_network_erase_attr(planish_network* network, planish_node node, const char* name) {
  return guarded([&] {
    const NodeId id = api::node_at(required(network, "the network"), node);
    if (!network->graph.node(id).attrs.has(&required(name, "the attribute's name"))) return;
    api::edit(*network, [&](Graph& graph) {
      graph.mutable_node(id).attrs.erase(name);
      check_attrs(graph.node(id));
    });
  });
}

planish_status planish_network_set_node_input(planish_network* network, planish_node node, size_t index,
                                              planish_value value) {
  return guarded([&] {
    const NodeId id = api::node_at(required(network, "the network"), node);
    const ValueId given = value < 0 ? ValueId{} : api::value_at(*network, value);
    const size_t count = network->graph.node(id).inputs.size();
    if (index >= count) fail(Code::invalid_argument, "operand {} of {}", index, count);
    if (given.valid() && depends_on(network->graph, given, id))
      fail(Code::invalid_argument, "'{}' depends on node '{}'", network->graph.value(given).name,
           network->graph.node(id).name);
    api::edit(*network, [&](Graph& graph) { graph.set_input(id, index, given); });
  });
}

planish_status planish_network_remove_node(planish_network* network, planish_node node) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const NodeId id = api::node_at(*network, node);
    for (ValueId output : graph.node(id).outputs)
      if (graph.is_output(output) || !graph.users(output).empty())
        fail(Code::invalid_state, "'{}', a result of node '{}', is in use", graph.value(output).name,
             graph.node(id).name);
    if (graph.guards.empty()) return graph.remove_node(id);
    api::edit(*network, [&](Graph& copy) { copy.remove_node(id); });
  });
}

}  // extern "C"
