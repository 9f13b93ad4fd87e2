// Networks made of networks, and operators that are written as several.

#include <algorithm>

#include "api/build/network.h"
#include "importers/onnx/importer.h"
#include "ops/builder.h"
#include "ops/compose.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

constexpr int64_t kOpset = 24;

void hand_out(const std::vector<ValueId>& values, planish_value* outputs) {
  if (!values.empty()) required(outputs, "the list of results");
  for (size_t i = 0; i < values.size(); ++i) outputs[i] = values[i].index;
}

// Nodes that `change` adds leave again when it throws.
template <class Change>
auto all_or_nothing(Graph& graph, Change change) {
  const std::vector<NodeId> before = graph.nodes();
  const NodeId last = before.empty() ? NodeId{} : *std::max_element(before.begin(), before.end());
  try {
    return change();
  } catch (...) {
    std::vector<NodeId> nodes = graph.nodes();
    for (size_t i = nodes.size(); i-- > 0;)
      if (nodes[i] > last) graph.remove_node(nodes[i]);
    throw;
  }
}

std::vector<ValueId> expanded(Graph& graph, const std::string& op, const std::string& name, std::vector<ValueId> inputs,
                              const Attrs& attrs, int32_t output_count) {
  const auto* row = onnx::importer_table().find(op);
  if (row == nullptr || output_count < 1)
    fail(Code::not_found, "'{}' with {} results; an operator of ONNX and at least one are accepted", op, output_count);
  onnx::wire::Node node;
  node.op_type = op;
  node.name = name.empty() ? graph.fresh_name(op) : name;
  for (int32_t i = 0; i < output_count; ++i) node.outputs.push_back(node.name + ":" + std::to_string(i));
  for (const auto& [key, value] : attrs.entries()) {
    node.attributes.emplace_back();
    node.attributes.back().name = key;
    node.attributes.back().value = value;
  }
  onnx::NodeContext context(graph, node, kOpset, std::move(inputs));
  with_context([&] { return fmt::format("node '{}' ({})", node.name, op); }, [&] { row->import(context); });
  if (context.results.size() < static_cast<size_t>(output_count))
    fail(Code::invalid_argument, "'{}' has {} results, {} were asked for", op, context.results.size(), output_count);
  context.results.resize(static_cast<size_t>(output_count));
  return context.results;
}

}  // namespace

extern "C" {

planish_status planish_network_add_control(planish_network* network, const char* op, const char* name,
                                           const planish_value* inputs, size_t input_count, const planish_attr* attrs,
                                           size_t attr_count, const planish_network* const* bodies, size_t body_count,
                                           planish_node* node) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(node, "the result");
    if (std::string_view(&required(op, "the operator's name")) != "if" || body_count != 2 || input_count < 1)
      fail(Code::invalid_argument,
           "'{}' with {} bodies and {} operands; 'if' with 2 and at least the condition is accepted", op, body_count,
           input_count);
    std::vector<std::unique_ptr<Graph>> regions;
    for (size_t i = 0; i < body_count; ++i) {
      required(bodies, "the list of bodies");
      const planish_network& body = required(bodies[i], "a body");
      if (body.graph.inputs().size() != input_count - 1)
        fail(Code::invalid_argument, "body {} has {} inputs, the node gives {}", i, body.graph.inputs().size(),
             input_count - 1);
      regions.push_back(std::make_unique<Graph>(body.graph.clone()));
    }
    const auto operands = api::values_at(*network, inputs, input_count);
    *node = add_region_node(graph, op, operands, api::attrs_of(attrs, attr_count), std::move(regions),
                            api::text_or_empty(name), {})
                .index;
  });
}

planish_status planish_network_add_loop(planish_network* network, const char* name, const planish_value* inputs,
                                        size_t input_count, size_t carried, const planish_network* body,
                                        planish_node* node) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(node, "the result");
    const auto operands = api::values_at(*network, inputs, input_count);
    *node = all_or_nothing(graph, [&] {
              return add_loop(graph, operands, carried, required(body, "the body").graph, api::text_or_empty(name));
            }).index;
  });
}

planish_status planish_network_expand(planish_network* network, const char* op, const char* name,
                                      const planish_value* inputs, size_t input_count, const planish_attr* attrs,
                                      size_t attr_count, int32_t output_count, planish_value* outputs) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const std::string wanted = &required(op, "the operator's name");
    const auto operands = api::values_at(*network, inputs, input_count);
    const Attrs attributes = api::attrs_of(attrs, attr_count);
    hand_out(all_or_nothing(
                 graph,
                 [&] { return expanded(graph, wanted, api::text_or_empty(name), operands, attributes, output_count); }),
             outputs);
  });
}

planish_status planish_network_append(planish_network* network, const planish_network* other,
                                      const planish_value* inputs, size_t input_count, planish_value* outputs) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const Graph& part = required(other, "the other network").graph;
    const auto operands = api::values_at(*network, inputs, input_count);
    hand_out(append_graph(graph, part, operands), outputs);
  });
}

planish_status planish_network_extract(const planish_network* network, const planish_value* inputs, size_t input_count,
                                       const planish_value* outputs, size_t output_count, planish_network** part,
                                       planish_value* captured, size_t* captured_count) {
  return guarded([&] {
    const Graph& graph = required(network, "the network").graph;
    required(part, "the result");
    size_t& count = required(captured_count, "the number of captured values");
    Extract made = extract_graph(graph, api::values_at(*network, inputs, input_count),
                                 api::values_at(*network, outputs, output_count));
    if (captured != nullptr && count < made.captured.size())
      fail(Code::invalid_argument, "room for {} captured values, there are {}", count, made.captured.size());
    for (size_t i = 0; captured != nullptr && i < made.captured.size(); ++i) captured[i] = made.captured[i].index;
    count = made.captured.size();
    auto result = std::make_unique<planish_network>();
    result->graph = std::move(made.graph);
    *part = result.release();
  });
}

}  // extern "C"
