// Elementwise nodes around one result of the same shape become fused(p1, p2 …): one pass over memory instead of
// several. A node joins when every one of its users has joined; booleans stay inside. Bytes enter and leave by
// dequantisation and quantisation of one scale, which join too: the former in a copy for each reader. Quantisation
// stays inside only of what is a function of one tensor of bytes: a table of 256 entries, however long.

#include <algorithm>
#include <map>
#include <set>

#include "ops/builder.h"
#include "ops/common/quantized.h"
#include "passes/common/fusion.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

constexpr size_t kMostNodes = 32;
constexpr size_t kMostOperands = 8;  // of one program: more streams than that thrash the first-level cache

bool quantizes(const Graph& graph, const Node& node) {
  return node.op == "quantize_linear" && tensor_scale(graph, node).has_value();
}

// Which nodes may join: those that take truth values, those that quantise.
struct Joining {
  bool booleans = false, quantized = false;
};

// The nodes that end in `sink`, and what enters them.
class Cluster {
 public:
  Cluster(const Graph& graph, NodeId sink, Joining joining) : graph_(graph), joining_(joining), nodes_{sink} {
    for (ValueId input : graph.node(sink).inputs) add_operand(operands_, input);
  }

  void grow() {
    while (grow_once()) {
    }
  }
  bool fits() const {
    return operands_.size() <= kMostOperands && std::all_of(operands_.begin(), operands_.end(), [&](ValueId id) {
             const DataType type = graph_.value(id).type.dtype;
             return type == DataType::f32 || is_byte_type(type);
           });
  }
  bool is_function_of_bytes() const {
    return operands_.size() == 1 && is_byte_type(graph_.value(*operands_.begin()).type.dtype);
  }
  const std::set<NodeId>& nodes() const { return nodes_; }

 private:
  void add_operand(std::set<ValueId>& operands, ValueId id) const {
    if (!is_scalar_constant(graph_, id)) operands.insert(id);
  }

  bool grow_once() {
    for (ValueId operand : operands_) {
      const NodeId producer = graph_.value(operand).producer;
      if (nodes_.size() >= kMostNodes || !producer.valid() || !joins(operand)) continue;
      std::set<ValueId> wider = operands_;
      wider.erase(operand);
      for (ValueId input : graph_.node(producer).inputs) add_operand(wider, input);
      if (wider.size() > std::max(kMostOperands, operands_.size())) continue;
      operands_ = std::move(wider);
      nodes_.insert(producer);
      return true;
    }
    return false;
  }

  bool joins(ValueId operand) const {
    const Shape& shape = graph_.value(graph_.node(*nodes_.begin()).outputs[0]).type.shape;
    const Node& producer = graph_.node(graph_.value(operand).producer);
    const bool changes_type =
        tensor_scale_of(graph_, operand).has_value() || (joining_.quantized && quantizes(graph_, producer));
    if (!(changes_type || is_fusible_pointwise(graph_, producer)) || graph_.is_output(operand)) return false;
    if (graph_.value(operand).type.shape != shape || (!joining_.booleans && takes_booleans(producer))) return false;
    const auto users = graph_.users(operand);
    return std::all_of(users.begin(), users.end(), [&](NodeId user) { return nodes_.count(user) > 0; });
  }
  bool takes_booleans(const Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId id) { return graph_.value(id).type.dtype == DataType::boolean; });
  }

  const Graph& graph_;
  Joining joining_;
  std::set<NodeId> nodes_;
  std::set<ValueId> operands_;
};

void give_own_dequantizations(Graph& graph) {
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (!is_fusible_pointwise(graph, node) && !quantizes(graph, node)) continue;
    const bool shared = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId input) {
      return tensor_scale_of(graph, input) && !is_private(graph, input);
    });
    if (shared) OwnDequantizations(graph).read_by(id);
  }
}

// The largest cluster of one of these kinds that ends in `sink`.
std::vector<NodeId> cluster_of(const Graph& graph, NodeId sink) {
  for (const Joining joining : {Joining{true, true}, Joining{true, false}, Joining{false, false}}) {
    Cluster cluster(graph, sink, joining);
    cluster.grow();
    if (cluster.fits() && (!joining.quantized || cluster.is_function_of_bytes()))
      return {cluster.nodes().begin(), cluster.nodes().end()};
  }
  return {};
}

bool fuse_into(Graph& graph, NodeId sink, const std::map<NodeId, size_t>& positions) {
  const Node& node = graph.node(sink);
  const bool floats = is_fusible_pointwise(graph, node) && graph.value(node.outputs[0]).type.dtype == DataType::f32;
  if (!floats && !quantizes(graph, node) && !tensor_scale(graph, node)) return false;
  std::vector<NodeId> nodes = cluster_of(graph, sink);
  if (nodes.size() < 2) return false;
  std::sort(nodes.begin(), nodes.end(), [&](NodeId a, NodeId b) { return positions.at(a) < positions.at(b); });
  fuse(graph, nodes);
  return true;
}

}  // namespace

Pass fuse_pointwise() {
  return {"fuse_pointwise", [](Graph& graph) {
            give_own_dequantizations(graph);
            const std::vector<NodeId> order = graph.nodes();
            std::map<NodeId, size_t> positions;
            for (size_t i = 0; i < order.size(); ++i) positions[order[i]] = i;
            bool changed = false;
            for (size_t i = order.size(); i-- > 0;) {
              // Nodes that another one took are dead by now: their results have no use.
              const Node& node = graph.node(order[i]);
              if (node.outputs.size() == 1 && graph.is_used(node.outputs[0]))
                changed |= fuse_into(graph, order[i], positions);
            }
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
