#include "compile/narrow_half.h"

#include <algorithm>
#include <cfloat>
#include <map>
#include <set>

#include "ops/builder.h"

namespace planish {
namespace {

constexpr double kLargestHalf = 65504;

Tensor narrowed_tensor(const Tensor& tensor) {
  return Tensor::make(DataType::f16, tensor.extents(), [&](std::byte* to) {
    std::ranges::transform(tensor.as<float>(), reinterpret_cast<Half*>(to), [](float value) {
      return to_half(value < -kLargestHalf && value >= -FLT_MAX ? static_cast<float>(-kLargestHalf)
                     : value > kLargestHalf && value <= FLT_MAX ? static_cast<float>(kLargestHalf)
                                                                : value);
    });
  });
}

// Operators that kernels compute in halves; of the others' operands none is rounded.
bool takes_halves(const Graph& graph, const Node& node) {
  static constexpr std::string_view kNames[] = {"conv",
                                                "conv_transpose",
                                                "matmul",
                                                "max_pool",
                                                "average_pool",
                                                "global_average_pool",
                                                "global_max_pool",
                                                "softmax",
                                                "log_softmax",
                                                "reduce_mean",
                                                "reduce_max",
                                                "reduce_min",
                                                "reduce_sum",
                                                "layer_normalization",
                                                "rms_normalization",
                                                "attention",
                                                "concat",
                                                "resize",
                                                "gather",
                                                "gather_elements",
                                                "gather_nd",
                                                "scatter_elements",
                                                "scatter_nd",
                                                "pad",
                                                "tile",
                                                "depth_to_space",
                                                "space_to_depth"};
  const std::string op = node.op.str();
  if (op == "fused") {
    const Graph& body = *node.regions[0];
    const auto nodes = body.nodes();
    return std::all_of(nodes.begin(), nodes.end(), [&](NodeId id) { return takes_halves(body, body.node(id)); });
  }
  if (std::find(std::begin(kNames), std::end(kNames), op) != std::end(kNames)) return node.outputs.size() == 1;
  const bool floats = std::all_of(node.outputs.begin(), node.outputs.end(),
                                  [&](ValueId id) { return graph.value(id).type.dtype == DataType::f32; });
  return floats && (is_pointwise(node) || op_def(node.op).is_view);
}

// Whether the operand is data: scales of a resize and the like are parameters.
bool is_data_operand(const Node& node, size_t i) { return node.op != "resize" || i == 0; }

class Narrowing {
 public:
  explicit Narrowing(Graph& graph) : graph_(graph) {}

  bool run() {
    for (NodeId id : graph_.nodes()) narrow_node(id);
    for (size_t i = 0; i < graph_.outputs().size(); ++i) graph_.set_output(i, as_stated(graph_.outputs()[i]));
    return changed_;
  }

  // A body: all of it, its inputs as the node's operands are.
  void narrow_body(const Graph& outer, const Node& node) {
    for (size_t i = 0; i < graph_.inputs().size(); ++i)
      graph_.mutable_value(graph_.inputs()[i]).type.dtype = outer.value(node.inputs[i]).type.dtype;
    for (NodeId id : graph_.nodes()) narrow_node(id);
    for (size_t i = 0; i < graph_.outputs().size(); ++i) graph_.set_output(i, graph_.outputs()[i]);
  }

 private:
  void narrow_node(NodeId id) {
    const bool halves = takes_halves(graph_, graph_.node(id));
    for (size_t i = 0; i < graph_.node(id).inputs.size(); ++i) {
      const ValueId input = graph_.node(id).inputs[i];
      if (!input.valid()) continue;
      const ValueId wanted = halves && is_data_operand(graph_.node(id), i) ? narrowed(input) : as_stated(input);
      if (wanted != input) graph_.set_input(id, i, wanted);
    }
    if (!halves) return;
    Node& node = graph_.mutable_node(id);
    for (const auto& region : node.regions) Narrowing(*region).narrow_body(graph_, node);
    for (ValueId output : node.outputs) {
      DataType& type = graph_.mutable_value(output).type.dtype;
      if (type != DataType::f32) continue;
      type = DataType::f16;
      retyped_.insert(output);
      changed_ = true;
    }
  }

  ValueId narrowed(ValueId id) {
    const Value& value = graph_.value(id);
    if (value.type.dtype != DataType::f32) return id;
    ValueId& narrow = narrowed_[id];
    if (narrow.valid()) return narrow;
    const std::string name = value.name + ".f16";
    changed_ = true;
    return narrow = value.is_constant() ? graph_.add_constant(narrowed_tensor(value.constant), name)
                                        : add_cast(id, DataType::f16, name);
  }

  // In f32, under the name that the network has for it.
  ValueId as_stated(ValueId id) {
    if (retyped_.count(id) == 0) return id;
    ValueId& wide = widened_[id];
    if (wide.valid()) return wide;
    const std::string name = graph_.value(id).name;
    graph_.rename(id, graph_.fresh_name(name + ".f16"));
    return wide = add_cast(id, DataType::f32, name);
  }

  ValueId add_cast(ValueId id, DataType to, const std::string& name) {
    return graph_.node(add_node(graph_, "cast", {id}, {{"to", to}}, {}, 1, {name})).outputs[0];
  }

  Graph& graph_;
  bool changed_ = false;
  std::set<ValueId> retyped_;
  std::map<ValueId, ValueId> narrowed_, widened_;
};

}  // namespace

void narrow_half(Graph& graph) {
  Narrowing(graph).run();
  graph.remove_dead();
}

}  // namespace planish
