// Products of what came in another order than it will be read in (W: a constant matrix; q = p^-1):
//   matmul(T_p(x), W)           -> T_p(matmul(x, W))
//   matmul(reshape(T_p(x)), W)  -> reshape(T_q'(matmul(reshape(T_p'(x)), W)))
// In the first p keeps the last axis. In the second the reshape makes rows of leading axes and the depth of the others;
// p' leaves the leading axes in the order of x.
// Both where views alone read the product, behind rows that are added: exporters of attention go to [sequence, batch,
// depth] and back, and so the ways there and back meet.

#include <algorithm>

#include "ops/builder.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool is_view_of_rows(const Node& node) {
  static constexpr const char* kViews[] = {"reshape", "flatten", "squeeze", "unsqueeze", "transpose", "slice", "split"};
  return std::any_of(std::begin(kViews), std::end(kViews), [&](const char* op) { return node.op == op; });
}

// Behind nodes that add constants.
bool views_alone_read(const Graph& graph, ValueId id) {
  const auto next_sum = [&](ValueId from) {
    if (!is_private(graph, from)) return ValueId{};
    const Node& user = graph.node(graph.users(from)[0]);
    if (user.op != "add" || graph.value(user.outputs[0]).type != graph.value(from).type) return ValueId{};
    const ValueId other = user.inputs[user.inputs[0] == from ? 1 : 0];
    return graph.value(other).is_constant() ? user.outputs[0] : ValueId{};
  };
  for (ValueId sum = next_sum(id); sum.valid(); sum = next_sum(id)) id = sum;
  const auto users = graph.users(id);
  return !users.empty() && !graph.is_output(id) &&
         std::all_of(users.begin(), users.end(), [&](NodeId user) { return is_view_of_rows(graph.node(user)); });
}

bool replace_product(Patch& patch, const Node& product, ValueId result) {
  const ValueId old = product.outputs[0];
  if (patch.graph().value(result).type != patch.graph().value(old).type) return false;
  patch.replace(old, result);
  patch.apply();
  return true;
}

bool sink_plain(Graph& graph, const Node& product, const Node& transpose) {
  const auto perm = transpose.attrs.get_or<std::vector<int64_t>>("perm", {});
  if (perm.empty() || perm.back() != static_cast<int64_t>(perm.size()) - 1) return false;
  Patch patch(graph);
  const ValueId moved = add_op(patch, "matmul", {transpose.inputs[0], product.inputs[1]});
  return replace_product(patch, product, add_op(patch, "transpose", {moved}, {{"perm", perm}}));
}

bool sink_through_rows(Graph& graph, const Node& product, const Node& reshape, const Node& transpose) {
  const auto perm = transpose.attrs.get_or<std::vector<int64_t>>("perm", {});
  const Shape from = graph.value(transpose.inputs[0]).type.shape, to = graph.value(transpose.outputs[0]).type.shape;
  const Dim depth = graph.value(product.inputs[1]).type.shape[0];
  size_t leading = perm.size();
  Dim together = 1;
  while (leading > 0 && together != depth) together = together * to[static_cast<int>(--leading)];
  if (together != depth || leading == 0 || graph.value(reshape.outputs[0]).type.shape.rank() != 2) return false;
  std::vector<int64_t> order(perm.begin(), perm.begin() + static_cast<std::ptrdiff_t>(leading)), sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted == order) return false;
  std::vector<int64_t> there = sorted, back;
  there.insert(there.end(), perm.begin() + static_cast<std::ptrdiff_t>(leading), perm.end());
  std::vector<Dim> rows;
  for (int64_t axis : sorted) rows.push_back(from[static_cast<int>(axis)]);
  rows.push_back(depth);
  for (int64_t axis : order) back.push_back(std::find(sorted.begin(), sorted.end(), axis) - sorted.begin());
  back.push_back(static_cast<int64_t>(leading));
  Patch patch(graph);
  const auto depths =
      add_reshape(patch, add_op(patch, "transpose", {transpose.inputs[0]}, {{"perm", there}}), Shape(rows));
  if (!depths) return false;
  const ValueId moved = add_op(patch, "matmul", {*depths, product.inputs[1]});
  const auto result = add_reshape(patch, add_op(patch, "transpose", {moved}, {{"perm", back}}),
                                  graph.value(product.outputs[0]).type.shape);
  return result && replace_product(patch, product, *result);
}

bool sink_transpose_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul") return false;
  const Value& weights = graph.value(node.inputs[1]);
  if (!weights.is_constant() || weights.type.shape.rank() != 2 || !views_alone_read(graph, node.outputs[0]))
    return false;
  if (const Node* transpose = private_producer(graph, node.inputs[0], "transpose"))
    return sink_plain(graph, node, *transpose);
  const Node* reshape = private_producer(graph, node.inputs[0], "reshape");
  const Node* transpose = reshape == nullptr ? nullptr : private_producer(graph, reshape->inputs[0], "transpose");
  return transpose != nullptr && sink_through_rows(graph, node, *reshape, *transpose);
}

}  // namespace

Pass sink_transpose() {
  return {"sink_transpose", [](Graph& graph) { return sweep(graph, sink_transpose_at); }};
}

}  // namespace planish::passes
