// matmul(softmax(scores), v)                     ->  attention(q, k, v, masks…) {scale}
// scores: matmul(q, k) · c + mask, in any order that leaves masks unscaled; c a constant of one element, also before
//         the product; [1, …] put before the extents of scores to add a mask, and taken away again
// reshape(softmax(reshape(scores)))              ->  softmax(scores), where rows stay rows
// transpose(y), exchanging heads and rows        ->  attention {rows_first}
// every value but q, k, v and the masks being read by the next node alone.

#include <algorithm>
#include <cmath>

#include "ir/matcher.h"
#include "ir/patch.h"
#include "kernels/reference/attention.h"
#include "ops/builder.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct ScoresForm {
  ValueId query, key;
  double scale = 1;
  std::vector<ValueId> masks;
};

const Node* producer_of(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  return producer.valid() && graph.node(producer).outputs.size() == 1 ? &graph.node(producer) : nullptr;
}

// x · c or x / c with one user; x and c go to where they are asked for.
bool take_factor(const Graph& graph, ValueId id, ValueId& x, double& c) {
  const Node* node = producer_of(graph, id);
  if (node == nullptr || !is_private(graph, id) || (node->op != "mul" && node->op != "div")) return false;
  for (size_t i : {1, 0}) {
    const auto value = scalar_of(graph, node->inputs[i]);
    if (!value || (node->op == "div" && i == 0)) continue;
    if (graph.value(node->inputs[1 - i]).type != graph.value(id).type) continue;
    c *= node->op == "mul" ? *value : 1 / *value;
    x = node->inputs[1 - i];
    return std::isfinite(c);
  }
  return false;
}

// What a value of extents [1, …shape] is without its first axis, where that costs a reshape at most.
std::optional<ValueId> without_first(Patch& patch, ValueId id, int rank) {
  const Shape shape = patch.graph().value(id).type.shape;
  if (shape.rank() <= rank) return id;
  return add_reshape(patch, id, Shape(std::vector<Dim>(shape.begin() + 1, shape.end())));
}

std::optional<ScoresForm> scores_of(Patch& patch, ValueId id);

std::optional<ScoresForm> masked(Patch& patch, const Node& add) {
  for (size_t i : {0, 1}) {
    auto scores = scores_of(patch, add.inputs[i]);
    if (!scores || scores->masks.size() == kAttentionMasks) continue;
    scores->masks.push_back(add.inputs[1 - i]);
    return scores;
  }
  return std::nullopt;
}

// reshape(reshape(x) + mask), there and back over one more axis of extent 1.
std::optional<ScoresForm> masked_wider(Patch& patch, const Node& back) {
  const Graph& graph = patch.graph();
  const Shape shape = graph.value(back.outputs[0]).type.shape;
  const Node* add = producer_of(graph, back.inputs[0]);
  if (add == nullptr || add->op != "add" || !is_private(graph, back.inputs[0])) return std::nullopt;
  const Shape wide = graph.value(back.inputs[0]).type.shape;
  std::vector<Dim> expected = shape.dims();
  expected.insert(expected.begin(), Dim(1));
  if (wide != Shape(expected)) return std::nullopt;
  for (size_t i : {0, 1}) {
    const Node* there = producer_of(graph, add->inputs[i]);
    if (there == nullptr || there->op != "reshape" || !is_private(graph, add->inputs[i]) ||
        graph.value(there->inputs[0]).type.shape != shape)
      continue;
    const ValueId wide_mask = add->inputs[1 - i];
    auto scores = scores_of(patch, there->inputs[0]);
    if (!scores || scores->masks.size() == kAttentionMasks) continue;
    const auto mask = without_first(patch, wide_mask, shape.rank());
    if (!mask) return std::nullopt;
    scores->masks.push_back(*mask);
    return scores;
  }
  return std::nullopt;
}

std::optional<ScoresForm> scores_of(Patch& patch, ValueId id) {
  const Graph& graph = patch.graph();
  const Node* node = producer_of(graph, id);
  if (node == nullptr || !is_private(graph, id)) return std::nullopt;
  if (node->op == "matmul") return ScoresForm{node->inputs[0], node->inputs[1], 1, {}};
  if (node->op == "add") return masked(patch, *node);
  if (node->op == "reshape") return masked_wider(patch, *node);
  ValueId inner;
  double c = 1;
  if (!take_factor(graph, id, inner, c)) return std::nullopt;
  auto scores = scores_of(patch, inner);
  if (!scores || !scores->masks.empty()) return std::nullopt;
  scores->scale *= c;
  return scores;
}

bool is_matrix_stack(const Graph& graph, ValueId id) {
  const TensorType& type = graph.value(id).type;
  return type.dtype == DataType::f32 && type.shape.rank() >= 2;
}

bool takes(const Graph& graph, const ScoresForm& scores, ValueId value, const Shape& shape) {
  for (ValueId id : {scores.query, scores.key, value})
    if (!is_matrix_stack(graph, id)) return false;
  // Products with weights have kernels of their own.
  for (ValueId id : {scores.key, value})
    if (graph.value(id).is_constant() && graph.value(id).type.shape.rank() == 2) return false;
  return std::all_of(scores.masks.begin(), scores.masks.end(), [&](ValueId id) {
    const TensorType& type = graph.value(id).type;
    return type.dtype == DataType::f32 && type.shape.rank() <= shape.rank();
  });
}

bool softmax_of_last_axis(const Graph& graph, const Node& node) {
  const int rank = graph.value(node.outputs[0]).type.shape.rank();
  return node.op == "softmax" && normalize_axis(node.attrs.get_or<int64_t>("axis", -1), rank) == rank - 1;
}

// What a private reshape that keeps the last axis reads; any other value itself.
ValueId behind_reshape(const Graph& graph, ValueId id) {
  const Node* node = producer_of(graph, id);
  if (node == nullptr || node->op != "reshape" || !is_private(graph, id)) return id;
  const Shape &from = graph.value(node->inputs[0]).type.shape, &to = graph.value(id).type.shape;
  const bool keeps_rows = from.rank() > 0 && to.rank() > 0 && from[from.rank() - 1] == to[to.rank() - 1];
  return keeps_rows ? node->inputs[0] : id;
}

// The scores whose softmax `weights` is, in the extents of `weights`.
std::optional<ValueId> scores_behind(const Graph& graph, ValueId weights) {
  const Shape& shape = graph.value(weights).type.shape;
  for (ValueId id : {weights, behind_reshape(graph, weights)}) {
    const Node* softmax = producer_of(graph, id);
    if (softmax == nullptr || !is_private(graph, id) || !softmax_of_last_axis(graph, *softmax)) continue;
    for (ValueId scores : {softmax->inputs[0], behind_reshape(graph, softmax->inputs[0])})
      if (graph.value(scores).type.shape == shape) return scores;
  }
  return std::nullopt;
}

bool recognise_attention_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul" || !is_private(graph, node.inputs[0])) return false;
  const auto weighed = scores_behind(graph, node.inputs[0]);
  if (!weighed) return false;
  const Shape weights = graph.value(node.inputs[0]).type.shape;
  Patch patch(graph);
  auto scores = scores_of(patch, *weighed);
  if (!scores || !takes(graph, *scores, node.inputs[1], weights)) return false;
  take_factor(graph, scores->query, scores->query, scores->scale);
  take_factor(graph, scores->key, scores->key, scores->scale);
  std::vector<ValueId> operands = {scores->query, scores->key, node.inputs[1]};
  operands.insert(operands.end(), scores->masks.begin(), scores->masks.end());
  const ValueId result = add_op(patch, "attention", operands, {{"scale", scores->scale}, {"rows_first", int64_t{0}}});
  if (graph.value(result).type != graph.value(node.outputs[0]).type) return false;
  patch.replace(node.outputs[0], result);
  patch.apply();
  return true;
}

// Whether `perm` exchanges the two axes before the last one; axes of extent 1 are nowhere.
bool exchanges_heads_and_rows(const std::vector<int64_t>& perm, const Shape& shape) {
  const int64_t rank = shape.rank();
  if (rank < 3) return false;
  std::vector<int64_t> wanted, found;
  const auto matters = [&](int64_t axis) { return shape[static_cast<int>(axis)] != Dim(1); };
  for (int64_t axis = 0; axis < rank; ++axis) {
    const int64_t from = axis == rank - 3 ? rank - 2 : axis == rank - 2 ? rank - 3 : axis;
    if (matters(from)) wanted.push_back(from);
    if (matters(perm[static_cast<size_t>(axis)])) found.push_back(perm[static_cast<size_t>(axis)]);
  }
  return wanted == found;
}

bool take_transpose(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const Node* attention = node.op == "transpose" ? producer_of(graph, node.inputs[0]) : nullptr;
  if (attention == nullptr || attention->op != "attention" || !is_private(graph, node.inputs[0]) ||
      attention->attrs.get_or<int64_t>("rows_first", 0) != 0)
    return false;
  const auto perm = node.attrs.get_or<std::vector<int64_t>>("perm", {});
  const Shape shape = graph.value(node.inputs[0]).type.shape, transposed = graph.value(node.outputs[0]).type.shape;
  if (static_cast<int>(perm.size()) != shape.rank() || !exchanges_heads_and_rows(perm, shape)) return false;
  Attrs attrs = attention->attrs;
  attrs.set("rows_first", int64_t{1});
  Patch patch(graph);
  ValueId result = add_op(patch, "attention", attention->inputs, attrs);
  if (graph.value(result).type.shape != transposed) {
    const auto seen = add_reshape(patch, result, transposed);
    if (!seen) return false;
    result = *seen;
  }
  patch.replace(node.outputs[0], result);
  patch.apply();
  return true;
}

}  // namespace

Pass recognise_attention() {
  return {"recognise_attention", [](Graph& graph) {
            const bool found = sweep(graph, recognise_attention_at);
            return sweep(graph, take_transpose) || found;
          }};
}

}  // namespace planish::passes
