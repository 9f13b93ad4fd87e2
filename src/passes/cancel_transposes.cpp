// Transposes met and cancelled (T_p: result axis i is operand axis p[i]; q = p^-1):
//   T_r(T_p(x))                          -> T_{p∘r}(x), and x where that is the identity
//   region(T_p(x), T_p(y), c)            -> T_p(region(x, y, T_q(c)))
// where `region` is a connected set of elementwise nodes, concats, softmaxes and reductions. It is moved when this
// leaves fewer transposes: those into the region that nothing else reads and those behind it that cancel, less the
// ones that other operands and other readers then need.

#include <algorithm>
#include <map>
#include <set>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

using Perm = std::vector<int64_t>;

constexpr size_t kLargestRegion = 64;

std::optional<Perm> perm_of(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid() || graph.node(producer).op != "transpose") return std::nullopt;
  Perm perm = graph.node(producer).attrs.get_or<Perm>("perm", {});
  if (perm.empty())
    for (int i = graph.value(id).type.shape.rank(); i-- > 0;) perm.push_back(i);
  return perm;
}

Perm inverse(const Perm& perm) {
  Perm result(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) result[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return result;
}

// T_outer(T_inner(x)) = T_{composed}(x)
Perm composed(const Perm& inner, const Perm& outer) {
  Perm result;
  for (int64_t axis : outer) result.push_back(inner[static_cast<size_t>(axis)]);
  return result;
}

bool is_identity_perm(const Perm& perm) {
  for (size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<int64_t>(i)) return false;
  return true;
}

// A constant of at most perm.size() axes, aligned at the end, under T_perm.
Tensor permuted_tensor(const Tensor& tensor, const Perm& perm) {
  std::vector<int64_t> extents(perm.size() - tensor.extents().size(), 1);
  extents.insert(extents.end(), tensor.extents().begin(), tensor.extents().end());
  const Tensor full = tensor.reshaped(extents);
  TensorView from = full.view();
  std::vector<int64_t> result;
  for (size_t i = 0; i < perm.size(); ++i) {
    const auto axis = static_cast<size_t>(perm[i]);
    from.dims[i] = full.view().dims[axis];
    from.strides[i] = full.view().strides[axis];
    result.push_back(extents[axis]);
  }
  return Tensor::make(tensor.dtype(), result,
                      [&](std::byte* out) { copy_view(from, make_view(out, tensor.dtype(), result)); });
}

bool is_axis_op(const Node& node) { return node.op == "concat" || node.op == "softmax" || node.op == "log_softmax"; }

bool is_kept_reduction(const Graph& graph, const Node& node) {
  return node.op.str().starts_with("reduce_") && node.attrs.get_or<int64_t>("keepdims", 1) != 0 &&
         ints_of(graph, node, 1).has_value();
}

class TransposeRegion {
 public:
  TransposeRegion(Graph& graph, ValueId start, Perm perm) : graph_(graph), perm_(std::move(perm)) {
    sources_.insert(start);
    grow();
  }
  // Transposes that moving saves.
  int gain() const {
    int saved = 0;
    for (ValueId source : sources_) saved += read_only_inside(source) ? 1 : 0;
    for (NodeId id : nodes_) saved += gain_behind(graph_.node(id).outputs[0]);
    return nodes_.empty() ? 0 : saved - static_cast<int>(strangers_.size());
  }
  void move() {
    Patch patch(graph_);
    std::map<ValueId, ValueId> moved;
    for (NodeId id : graph_.nodes())
      if (nodes_.count(id) > 0) move_node(patch, id, moved);
    for (NodeId id : nodes_) {
      const ValueId old = graph_.node(id).outputs[0];
      if (!read_only_inside(old)) patch.replace(old, add_op(patch, "transpose", {moved.at(old)}, {{"perm", perm_}}));
    }
    patch.apply();
  }

 private:
  // Data operands only: the axes of a reduction are none.
  std::vector<ValueId> data_operands(const Node& node) const {
    if (is_kept_reduction(graph_, node)) return {node.inputs[0]};
    return node.inputs;
  }
  bool is_movable(const Node& node) const {
    if (node.op == "identity" || node.outputs.size() != 1 || graph_.value(node.outputs[0]).type.shape.rank() != rank())
      return false;
    if (!is_pointwise(node) && !is_axis_op(node) && !is_kept_reduction(graph_, node)) return false;
    const auto operands = data_operands(node);
    return std::all_of(operands.begin(), operands.end(),
                       [&](ValueId id) { return id.valid() && has_fitting_rank(node, id); });
  }
  bool has_fitting_rank(const Node& node, ValueId id) const {
    const Value& value = graph_.value(id);
    if (value.is_constant() && is_pointwise(node)) return value.type.dtype != DataType::string;
    return value.type.shape.rank() == rank();
  }
  bool is_source(ValueId id) const { return perm_of(graph_, id) == perm_; }

  // From the start through users, and from each joined node to the elementwise producers of its other operands.
  void grow() {
    std::vector<ValueId> open(sources_.begin(), sources_.end());
    while (!open.empty() && nodes_.size() < kLargestRegion) {
      const ValueId value = open.back();
      open.pop_back();
      for (NodeId user : graph_.users(value))
        if (nodes_.size() < kLargestRegion && is_movable(graph_.node(user))) join(user, open);
    }
    for (NodeId id : nodes_)
      for (ValueId input : data_operands(graph_.node(id))) classify(input);
  }
  void join(NodeId id, std::vector<ValueId>& open) {
    if (!nodes_.insert(id).second) return;
    open.push_back(graph_.node(id).outputs[0]);
    for (ValueId input : data_operands(graph_.node(id))) {
      if (is_source(input) && sources_.insert(input).second) open.push_back(input);
      const NodeId producer = graph_.value(input).producer;
      if (producer.valid() && nodes_.size() < kLargestRegion && is_movable(graph_.node(producer))) join(producer, open);
    }
  }
  void classify(ValueId input) {
    const Value& value = graph_.value(input);
    if (value.is_constant() || sources_.count(input) > 0 || nodes_.count(value.producer) > 0) return;
    if (is_source(input))
      sources_.insert(input);
    else
      strangers_.insert(input);
  }

  bool read_only_inside(ValueId id) const {
    const auto users = graph_.users(id);
    return !graph_.is_output(id) &&
           std::all_of(users.begin(), users.end(), [&](NodeId user) { return nodes_.count(user) > 0; });
  }
  // Behind a result: transposes that cancel are saved, any other reader needs one.
  int gain_behind(ValueId id) const {
    int saved = 0;
    bool needs_one = graph_.is_output(id);
    for (NodeId user : graph_.users(id)) {
      if (nodes_.count(user) > 0) continue;
      const auto outer =
          graph_.node(user).op == "transpose" ? perm_of(graph_, graph_.node(user).outputs[0]) : std::nullopt;
      if (!outer)
        needs_one = true;
      else if (is_identity_perm(composed(perm_, *outer)) && !graph_.is_output(graph_.node(user).outputs[0]))
        ++saved;
    }
    return saved - (needs_one ? 1 : 0);
  }

  ValueId moved_operand(Patch& patch, const Node& node, ValueId input, std::map<ValueId, ValueId>& moved) {
    if (const auto at = moved.find(input); at != moved.end()) return at->second;
    const Value& value = graph_.value(input);
    if (sources_.count(input) > 0) return moved[input] = graph_.node(value.producer).inputs[0];
    if (value.is_constant() && is_pointwise(node) && is_scalar_constant(graph_, input)) return input;
    if (value.is_constant())
      return moved[input] = patch.constant(permuted_tensor(value.constant, inverse(perm_)), value.name);
    return moved[input] = add_op(patch, "transpose", {input}, {{"perm", inverse(perm_)}});
  }
  int64_t moved_axis(int64_t axis) const { return perm_[static_cast<size_t>(normalize_axis(axis, rank()))]; }

  void move_node(Patch& patch, NodeId id, std::map<ValueId, ValueId>& moved) {
    const Node& node = graph_.node(id);
    std::vector<ValueId> inputs;
    for (ValueId input : data_operands(node)) inputs.push_back(moved_operand(patch, node, input, moved));
    Attrs attrs = node.attrs;
    if (is_axis_op(node)) attrs.set("axis", moved_axis(attrs.get_or<int64_t>("axis", node.op == "concat" ? 0 : -1)));
    if (is_kept_reduction(graph_, node)) {
      std::vector<int64_t> axes = *ints_of(graph_, node, 1);
      for (int64_t& axis : axes) axis = moved_axis(axis);
      inputs.push_back(patch.constant(Tensor::ints(axes), "axes"));
    }
    const ValueId result = moved[node.outputs[0]] = add_op(patch, node.op, std::move(inputs), std::move(attrs));
    graph_.mutable_node(graph_.value(result).producer).origins = node.origins;
  }

  int rank() const { return static_cast<int>(perm_.size()); }

  Graph& graph_;
  Perm perm_;
  std::set<NodeId> nodes_;
  std::set<ValueId> sources_;    // T_p(…), made by a transpose
  std::set<ValueId> strangers_;  // operands that need a transpose once the region is moved
};

// T_r(T_p(x)) as one transpose or none.
bool merge_transposes(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto inner = perm_of(graph, node.inputs[0]), outer = perm_of(graph, node.outputs[0]);
  if (!inner) return false;
  const ValueId result = node.outputs[0], x = graph.node(graph.value(node.inputs[0]).producer).inputs[0];
  const Perm perm = composed(*inner, *outer);
  Patch patch(graph);
  const bool named = !graph.value(x).producer.valid() || graph.is_output(x);
  if (is_identity_perm(perm) && !(named && graph.is_output(result)))
    patch.replace(result, x);
  else if (is_identity_perm(perm))
    patch.replace(result, add_op(patch, "identity", {x}));
  else
    patch.replace(result, add_op(patch, "transpose", {x}, {{"perm", perm}}));
  patch.apply();
  return true;
}

bool rewrite_transpose(Graph& graph, NodeId id) {
  if (graph.node(id).op != "transpose") return false;
  if (merge_transposes(graph, id)) return true;
  const ValueId result = graph.node(id).outputs[0];
  const Perm perm = *perm_of(graph, result);
  if (is_identity_perm(perm)) return false;
  TransposeRegion region(graph, result, perm);
  if (region.gain() <= 0) return false;
  region.move();
  return true;
}

}  // namespace

Pass cancel_transposes() {
  return {"cancel_transposes", [](Graph& graph) { return until_settled(graph, rewrite_transpose); }};
}

}  // namespace planish::passes
