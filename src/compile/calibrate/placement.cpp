#include "compile/calibrate/placement.h"

#include <algorithm>
#include <map>

#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/common/quantized_product.h"
#include "passes/common/values.h"

namespace planish {
namespace {

bool is_product(const Node& node) {
  for (const char* op : {"conv", "matmul", "conv_transpose", "gemm"})
    if (node.op == op) return true;
  return false;
}

std::string why_fp32(const Graph& graph, const Node& node, const LayerChoice& choice) {
  const Value& x = graph.value(node.inputs[0]);
  if (x.type.dtype != DataType::f32) return "its input is " + x.type.str();
  if (x.is_constant()) return "its input is constant";
  passes::ProductExtents extents;
  if (std::string why = passes::refuse_numbers(graph, node, extents); !why.empty())
    return node.op == "conv" || node.op == "matmul" ? why : "there are no integer kernels of " + node.op.str();
  if (!passes::is_float_constant(graph, node.inputs[1])) return "its weights are computed";
  if (const auto at = find_named(choice.fp32, node); at != choice.fp32.end()) return at->second;
  if (choice.only && find_named(*choice.only, node) == choice.only->end()) return "others were asked for";
  return {};
}

bool has_name(const Node& node, const std::string& name) {
  return node.name == name || std::find(node.origins.begin(), node.origins.end(), name) != node.origins.end();
}

void check_names(const Graph& graph, const LayerChoice& choice, const std::vector<FloatLayer>& kept) {
  std::set<std::string> names = choice.int8;
  for (const auto& [name, why] : choice.fp32) names.insert(name);
  const auto nodes = graph.nodes();
  for (const std::string& name : names)
    if (choice.preferred.count(name) == 0 &&
        std::none_of(nodes.begin(), nodes.end(), [&](NodeId id) { return has_name(graph.node(id), name); }))
      fail(Code::not_found, "there is no layer '{}' to choose the precision of", name);
  for (const FloatLayer& layer : kept)
    if (const auto asked = find_named(choice.int8, graph.node(layer.node));
        asked != choice.int8.end() && choice.preferred.count(*asked) == 0)
      fail(Code::invalid_argument, "layer '{}' cannot be int8: {}", graph.node(layer.node).name, layer.why);
}

class Placer {
 public:
  Placer(const Graph& graph, const LayerChoice& choice) : graph_(graph), choice_(choice) {}

  Placement place() {
    for (NodeId id : graph_.nodes()) add_product(id);
    check_names(graph_, choice_, placement_.kept);
    for (NodeId id : placement_.products) add_value(graph_.node(id).inputs[0], id);
    for (NodeId id : graph_.nodes()) add_sum(id);
    for (NodeId id : graph_.nodes()) join_concat(id);
    for (NodeId id : graph_.nodes())
      for (ValueId value : graph_.node(id).outputs) list_value(value);
    for (ValueId value : graph_.inputs()) list_value(value);
    return std::move(placement_);
  }

 private:
  void add_product(NodeId id) {
    const Node& node = graph_.node(id);
    const bool asked = find_named(choice_.int8, node) != choice_.int8.end();
    if (!is_product(node) && !asked) return;
    if (is_product(node) && !asked && !graph_.value(node.inputs[1]).is_constant()) return;
    std::string why = is_product(node) ? why_fp32(graph_, node, choice_) : "no product of constant weights";
    if (!why.empty()) return placement_.kept.push_back({id, std::move(why)});
    placement_.products.push_back(id);
  }

  // Where the numbers of `value` are made; the moves between are noted as readers.
  ValueId root_of(ValueId value, std::vector<std::pair<ValueId, NodeId>>& moves) const {
    while (graph_.value(value).producer.valid()) {
      const NodeId producer = graph_.value(value).producer;
      const Node& node = graph_.node(producer);
      if (!passes::is_move(node) || !node.binds.empty() || graph_.value(node.inputs[0]).type.dtype != DataType::f32 ||
          graph_.value(node.inputs[0]).is_constant())
        break;
      moves.emplace_back(node.inputs[0], producer);
      value = node.inputs[0];
    }
    return value;
  }

  void add_value(ValueId value, NodeId reader) {
    std::vector<std::pair<ValueId, NodeId>> moves;
    const ValueId root = root_of(value, moves);
    found_.try_emplace(root).first->second.insert(moves.empty() ? reader : moves.back().second);
  }

  bool is_quantized_product(NodeId id) const {
    return std::find(placement_.products.begin(), placement_.products.end(), id) != placement_.products.end();
  }

  // The convolution that the value ends, through pointwise operators of it alone; invalid: none.
  NodeId convolution_before(ValueId value) const {
    for (int k = 0; k < 4 && graph_.value(value).producer.valid(); ++k) {
      const NodeId id = graph_.value(value).producer;
      const Node& node = graph_.node(id);
      if (node.op == "conv") return is_quantized_product(id) ? id : NodeId{};
      if (!is_pointwise(node) || !passes::is_private(graph_, value)) return {};
      value = node.inputs[0];
    }
    return {};
  }

  bool has_convolution_reader(ValueId value) const {
    const auto at = found_.find(value);
    return at != found_.end() && std::any_of(at->second.begin(), at->second.end(), [&](NodeId reader) {
             return graph_.node(reader).op == "conv" || passes::is_move(graph_.node(reader));
           });
  }

  // a + b behind convolutions: one of them keeps the sum in its epilogue, the other addend comes as numbers.
  void add_sum(NodeId id) {
    const Node& node = graph_.node(id);
    if (!passes::is_fusible_pointwise(graph_, node) || node.inputs.size() != 2 || node.inputs[0] == node.inputs[1])
      return;
    const Shape& shape = graph_.value(node.outputs[0]).type.shape;
    for (ValueId input : node.inputs)
      if (graph_.value(input).is_constant() || graph_.value(input).type.shape != shape) return;
    for (ValueId input : node.inputs)
      if (has_convolution_reader(input)) {
        found_[input].insert(id);
        return;
      }
    if (node.op == "add" && convolution_before(node.inputs[0]).valid() && convolution_before(node.inputs[1]).valid())
      found_[node.inputs[1]].insert(id);
  }

  // Parts that are numbers themselves share the scale of the whole that is.
  void join_concat(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op != "concat" || found_.count(node.outputs[0]) == 0) return;
    for (ValueId input : node.inputs) {
      std::vector<std::pair<ValueId, NodeId>> moves;
      const ValueId root = root_of(input, moves);
      if (found_.count(root) == 0) continue;
      found_[root].insert(moves.empty() ? id : moves.back().second);
      groups_[leader(root)] = leader(node.outputs[0]);
    }
  }

  ValueId leader(ValueId value) const {
    for (auto at = groups_.find(value); at != groups_.end() && at->second != value; at = groups_.find(value))
      value = at->second;
    return value;
  }

  void list_value(ValueId value) {
    const auto at = found_.find(value);
    if (at == found_.end()) return;
    const auto [group, fresh] = numbers_.try_emplace(leader(value), numbers_.size());
    placement_.values.push_back({value, {at->second.begin(), at->second.end()}, group->second});
  }

  const Graph& graph_;
  const LayerChoice& choice_;
  Placement placement_;
  std::map<ValueId, std::set<NodeId>> found_;  // readers of each value's numbers
  std::map<ValueId, ValueId> groups_;
  std::map<ValueId, size_t> numbers_;
};

}  // namespace

Placement place(const Graph& graph, const LayerChoice& choice) { return Placer(graph, choice).place(); }

}  // namespace planish
