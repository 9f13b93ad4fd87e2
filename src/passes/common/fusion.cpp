#include "passes/common/fusion.h"

#include <algorithm>
#include <map>

#include "ops/builder.h"
#include "ops/common/quantized.h"
#include "passes/common/values.h"

namespace planish::passes {
namespace {

constexpr size_t kLongestEpilogue = 16;
constexpr size_t kMostExtras = 4;

// One value a channel: [C, 1, 1] behind conv, [C] behind matmul.
bool is_channel_row(const Shape& row, const Shape& result, bool channels_second) {
  const Dim channels = result[channels_second ? 1 : result.rank() - 1];
  const int axis = channels_second ? row.rank() - (result.rank() - 1) : row.rank() - 1;
  return axis >= 0 && row.element_count() == channels && row[axis] == channels;
}

bool takes_operand(const Graph& graph, ValueId id, const Shape& result, bool channels_second) {
  const Value& value = graph.value(id);
  if (is_scalar_constant(graph, id)) return true;
  if (value.type.dtype != DataType::f32) return false;
  return value.type.shape == result || is_channel_row(value.type.shape, result, channels_second);
}

// Another operand of `next` never depends on the anchor: the only way out of the chain is `current`, which has no
// other user.
bool extends(const Graph& graph, ValueId current, const Node& next, bool channels_second, size_t& extras) {
  const Shape& shape = graph.value(current).type.shape;
  if (!is_fusible_pointwise(graph, next) || graph.value(next.outputs[0]).type.shape != shape) return false;
  for (ValueId input : next.inputs) {
    if (input == current) continue;
    if (!takes_operand(graph, input, shape, channels_second)) return false;
    extras += is_scalar_constant(graph, input) ? 0 : 1;
  }
  return extras <= kMostExtras;
}

}  // namespace

bool is_fusible_pointwise(const Graph& graph, const Node& node) {
  const auto fits = [&](DataType dtype) { return dtype == DataType::f32 || dtype == DataType::boolean; };
  if (!is_pointwise(node) || node.op == "identity" || !fits(graph.value(node.outputs[0]).type.dtype)) return false;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id.valid() && (fits(graph.value(id).type.dtype) || scalar_of(graph, id).has_value());
  });
}

void fuse(Graph& graph, const std::vector<NodeId>& nodes) {
  auto body = std::make_unique<Graph>();
  body->name = "body";
  share_symbols(graph, *body);
  std::map<ValueId, ValueId> inner;
  std::vector<ValueId> operands;
  std::vector<std::string> origins;
  const auto bring_in = [&](ValueId id) {
    if (!id.valid() || inner.count(id) > 0) return;
    const Value& value = graph.value(id);
    if (value.is_constant() && value.constant.element_count() == 1) {
      inner[id] = body->add_constant(value.constant, value.name);
      return;
    }
    inner[id] = body->add_input(value.name, value.type);
    operands.push_back(id);
  };
  for (NodeId id : nodes) {
    const Node& node = graph.node(id);
    std::vector<ValueId> inputs;
    for (ValueId input : node.inputs) {
      bring_in(input);
      inputs.push_back(input.valid() ? inner[input] : ValueId{});
    }
    const Value& result = graph.value(node.outputs[0]);
    const NodeId copy = body->add_node(node.op, std::move(inputs), node.attrs, {result.type}, node.name, {result.name});
    body->mutable_node(copy).origins = node.origins;
    body->mutable_node(copy).note = node.note;
    inner[node.outputs[0]] = body->node(copy).outputs[0];
    for (const std::string& origin : node.origins)
      if (std::find(origins.begin(), origins.end(), origin) == origins.end()) origins.push_back(origin);
  }
  const ValueId last = graph.node(nodes.back()).outputs[0];
  body->add_output(inner[last]);
  const TensorType type = graph.value(last).type;
  const NodeId fused =
      graph.add_node("fused", std::move(operands), {}, {type}, graph.node(nodes.back()).name + ".fused");
  graph.add_region(fused, std::move(body));
  graph.mutable_node(fused).origins = std::move(origins);
  graph.mutable_node(fused).note = graph.node(nodes.front()).note;
  const ValueId result = graph.node(fused).outputs[0];
  const std::string name = graph.value(last).name;
  graph.replace_uses(last, result);
  graph.rename(last, graph.fresh_name(name + ".old"));
  graph.rename(result, name);
}

bool is_table(const Graph& graph, const Node& node) {
  if (node.op != "fused" || node.inputs.size() != 1 || node.outputs.size() != 1 || node.regions.size() != 1)
    return false;
  if (!is_byte_type(graph.value(node.inputs[0]).type.dtype) || !is_byte_type(graph.value(node.outputs[0]).type.dtype))
    return false;
  const Graph& body = *node.regions[0];
  const auto nodes = body.nodes();
  return std::all_of(nodes.begin(), nodes.end(), [&](NodeId id) {
    const Node& inner = body.node(id);
    const bool numbers = inner.op == "quantize_linear" || inner.op == "dequantize_linear";
    return numbers ? tensor_scale(body, inner).has_value() : is_pointwise(inner);
  });
}

void OwnDequantizations::read_by(NodeId id) {
  for (size_t i = 0; i < graph_.node(id).inputs.size(); ++i) read_by(id, i);
}

void OwnDequantizations::read_by(NodeId id, size_t i) {
  const ValueId input = graph_.node(id).inputs[i];
  if (!input.valid() || !graph_.value(input).producer.valid()) return;
  const Node& producer = graph_.node(graph_.value(input).producer);
  const bool weights = producer.op == "dequantize_linear" && graph_.value(producer.inputs[0]).is_constant();
  if (weights || tensor_scale_of(graph_, input) || has_dynamic_scale(graph_, input))
    graph_.set_input(id, i, copy_of(input));
}

ValueId OwnDequantizations::copy_of(ValueId value) {
  const auto [at, fresh] = copies_.try_emplace(value);
  if (!fresh) return at->second;
  const NodeId producer = graph_.value(value).producer;
  const std::vector<std::string> origins = graph_.node(producer).origins;
  nodes.push_back(
      add_node(graph_, graph_.node(producer).op, graph_.node(producer).inputs, graph_.node(producer).attrs));
  graph_.mutable_node(nodes.back()).origins = origins;
  return at->second = graph_.node(nodes.back()).outputs[0];
}

std::vector<NodeId> epilogue_chain(const Graph& graph, NodeId anchor) {
  const bool channels_second = graph.node(anchor).op != "matmul";
  std::vector<NodeId> chain = {anchor};
  ValueId current = graph.node(anchor).outputs[0];
  size_t extras = 0, length = 1;  // of the chain up to its last f32 result: booleans stay inside
  while (chain.size() < kLongestEpilogue) {
    const auto users = graph.users(current);
    if (users.size() != 1 || graph.is_output(current)) break;
    if (!extends(graph, current, graph.node(users[0]), channels_second, extras)) break;
    chain.push_back(users[0]);
    current = graph.node(users[0]).outputs[0];
    if (graph.value(current).type.dtype == DataType::f32) length = chain.size();
  }
  chain.resize(length);
  return chain;
}

}  // namespace planish::passes
