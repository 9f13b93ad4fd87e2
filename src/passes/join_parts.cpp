// concat(… split(x)[0], split(x)[1] … split(x)[n-1] …) -> concat(… x …), all along one axis: what writes x can write
// it where the concat has it, and the parts are windows of that.

#include <algorithm>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// Of several parts that begin at operand `at`, all of one split along the axis: the split. Else null.
const Node* split_at(const Graph& graph, const Node& concat, size_t at, int axis) {
  const NodeId producer = graph.value(concat.inputs[at]).producer;
  if (!producer.valid() || graph.node(producer).op != "split") return nullptr;
  const Node& split = graph.node(producer);
  const int rank = graph.value(split.inputs[0]).type.shape.rank();
  if (normalize_axis(split.attrs.get_or<int64_t>("axis", 0), rank) != axis) return nullptr;
  if (split.outputs.size() > concat.inputs.size() - at) return nullptr;
  const auto first = concat.inputs.begin() + static_cast<std::ptrdiff_t>(at);
  return std::equal(split.outputs.begin(), split.outputs.end(), first) ? &split : nullptr;
}

bool join(Graph& graph, NodeId id) {
  const Node& concat = graph.node(id);
  if (concat.op != "concat") return false;
  const ValueId result = concat.outputs[0];
  const int axis = normalize_axis(concat.attrs.get_or<int64_t>("axis", 0), graph.value(result).type.shape.rank());
  std::vector<ValueId> operands;
  for (size_t i = 0; i < concat.inputs.size();) {
    const Node* split = split_at(graph, concat, i, axis);
    operands.push_back(split != nullptr ? split->inputs[0] : concat.inputs[i]);
    i += split != nullptr ? split->outputs.size() : 1;
  }
  if (operands.size() == concat.inputs.size()) return false;
  Patch patch(graph);
  patch.replace(result, add_op(patch, "concat", std::move(operands), concat.attrs));
  patch.apply();
  return true;
}

}  // namespace

Pass join_parts() {
  return {"join_parts", [](Graph& graph) { return sweep(graph, join); }};
}

}  // namespace planish::passes
