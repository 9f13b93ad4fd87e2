// Powers that need no logarithm, once no pattern looks for them any more:
//   pow(x, 1) -> x      pow(x, 2) -> x * x      pow(x, 3) -> (x * x) * x
//   pow(x, 1/2) -> sqrt(x)      pow(x, -1) -> reciprocal(x)      pow(x, -1/2) -> reciprocal(sqrt(x))
// for floats. The root differs from the power at -infinity and in the sign of a zero alone.

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// Nothing for an exponent that has no shorter form.
std::optional<ValueId> expanded_power(Patch& patch, ValueId x, double exponent) {
  if (exponent == 1) return add_op(patch, "identity", {x});
  if (exponent == 2) return add_op(patch, "mul", {x, x});
  if (exponent == 3) return add_op(patch, "mul", {add_op(patch, "mul", {x, x}), x});
  if (exponent == -1) return add_op(patch, "reciprocal", {x});
  if (exponent == 0.5) return add_op(patch, "sqrt", {x});
  if (exponent == -0.5) return add_op(patch, "reciprocal", {add_op(patch, "sqrt", {x})});
  return std::nullopt;
}

bool expand_pow_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "pow" || !is_float(graph.value(node.inputs[0]).type.dtype)) return false;
  const auto exponent = scalar_of(graph, node.inputs[1]);
  if (!exponent || graph.value(node.inputs[0]).type != graph.value(node.outputs[0]).type) return false;
  Patch patch(graph);
  const auto value = expanded_power(patch, node.inputs[0], *exponent);
  if (!value) return false;
  patch.replace(node.outputs[0], *value);
  patch.apply();
  return true;
}

}  // namespace

Pass expand_pow() {
  return {"expand_pow", [](Graph& graph) { return sweep(graph, expand_pow_at); }};
}

}  // namespace planish::passes
