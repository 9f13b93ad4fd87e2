// reshape(transpose(reshape(x)))  -> transpose(reshape(x))
// where the first reshape puts axes together and the last one takes the same apart again: what is moved are their
// parts, and a reshape that only takes axes apart is a view of any strides. Heads that are moved as [batch * heads] are
// so.

#include <algorithm>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/reshape.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

using Factors = std::vector<Dim>;  // none is 1

bool is_multiple_of(const Dim& value, const Dim& factor) { return floor_div(value, factor) * factor == value; }

// For each axis of `to` the factors that its extent has as a shape finer than both; nothing where there is none.
std::vector<Factors> factors_of(const Shape& from, const Shape& to) {
  for (const Shape* shape : {&from, &to})
    for (const Dim& extent : *shape)
      if (extent == Dim(0)) return {};
  std::vector<Factors> factors(static_cast<size_t>(to.rank()));
  int next = from.rank(), axis = to.rank();
  Dim left = 1, missing = 1;  // of an axis of `from`, of one of `to`
  while (true) {
    while (left == Dim(1) && next > 0) left = from[--next];
    while (missing == Dim(1) && axis > 0) missing = to[--axis];
    if (left == Dim(1) && missing == Dim(1)) break;
    if (left == Dim(1) || missing == Dim(1)) return {};
    const Dim factor = is_multiple_of(left, missing) ? missing : left;
    if (!is_multiple_of(left, factor) || !is_multiple_of(missing, factor)) return {};
    Factors& list = factors[static_cast<size_t>(axis)];
    list.insert(list.begin(), factor);
    left = floor_div(left, factor), missing = floor_div(missing, factor);
  }
  return factors;
}

std::vector<Dim> without_ones(const Shape& shape) {
  std::vector<Dim> extents;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(extents), [](const Dim& d) { return d != Dim(1); });
  return extents;
}

bool split_axes_at(Graph& graph, NodeId id) {
  const Node& last = graph.node(id);
  if (last.op != "reshape") return false;
  const Node* transpose = private_producer(graph, last.inputs[0], "transpose");
  const Node* first = transpose == nullptr ? nullptr : private_producer(graph, transpose->inputs[0], "reshape");
  if (first == nullptr) return false;
  const auto perm = transpose->attrs.get_or<std::vector<int64_t>>("perm", {});
  const ValueId x = first->inputs[0];
  const auto factors = factors_of(graph.value(x).type.shape, graph.value(first->outputs[0]).type.shape);
  if (perm.size() != factors.size() ||
      std::none_of(factors.begin(), factors.end(), [](const Factors& list) { return list.size() > 1; }))
    return false;
  std::vector<Dim> fine, moved;
  std::vector<int64_t> begins, order;
  for (const Factors& list : factors) {
    begins.push_back(static_cast<int64_t>(fine.size()));
    fine.insert(fine.end(), list.begin(), list.end());
  }
  for (int64_t axis : perm)
    for (size_t i = 0; i < factors[static_cast<size_t>(axis)].size(); ++i) {
      order.push_back(begins[static_cast<size_t>(axis)] + static_cast<int64_t>(i));
      moved.push_back(factors[static_cast<size_t>(axis)][i]);
    }
  const Shape result = graph.value(last.outputs[0]).type.shape;
  if (moved != without_ones(result)) return false;
  Patch patch(graph);
  const auto apart = add_reshape(patch, x, Shape(fine));
  if (!apart) return false;
  std::optional<ValueId> to = add_op(patch, "transpose", {*apart}, {{"perm", order}});
  if (graph.value(*to).type.shape != result) to = add_reshape(patch, *to, result);
  if (!to || graph.value(*to).type != graph.value(last.outputs[0]).type) return false;
  patch.replace(last.outputs[0], *to);
  patch.apply();
  return true;
}

}  // namespace

Pass split_axes() {
  return {"split_axes", [](Graph& graph) { return sweep(graph, split_axes_at); }};
}

}  // namespace planish::passes
