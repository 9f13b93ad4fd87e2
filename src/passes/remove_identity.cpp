// What leaves its operand as it is:
//   identity(x), cast(x) to its own type, transpose by (0, 1, …), reshape and expand to its own shape,
//   concat(x), pad by nothing, x + 0, x - 0, x * 1, x / 1 (where the result has the type of x)

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

bool all_equal(const Graph& graph, ValueId id, double wanted) {
  const Value& value = graph.value(id);
  if (!value.is_constant() || value.constant.element_count() > 4096 || value.type.dtype == DataType::string)
    return false;
  for (double element : value.constant.to_doubles())
    if (element != wanted) return false;
  return true;
}

bool is_plain_perm(const Attrs& attrs, int rank) {
  const auto perm = attrs.get_or<std::vector<int64_t>>("perm", {});
  if (perm.empty()) return rank <= 1;
  for (size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<int64_t>(i)) return false;
  return true;
}

// The operand that the result equals, or -1.
int same_operand(const Graph& graph, const Node& node) {
  const std::string& op = node.op.str();
  if (op == "identity" || op == "cast" || op == "reshape" || op == "expand" || op == "flatten" || op == "squeeze" ||
      op == "unsqueeze" || op == "slice")
    return 0;
  if (op == "pad" && all_equal(graph, node.inputs[1], 0)) return 0;
  if (op == "concat" && node.inputs.size() == 1) return 0;
  if (op == "transpose" && is_plain_perm(node.attrs, graph.value(node.inputs[0]).type.shape.rank())) return 0;
  if (op == "add" && all_equal(graph, node.inputs[1], 0)) return 0;
  if (op == "add" && all_equal(graph, node.inputs[0], 0)) return 1;
  if (op == "sub" && all_equal(graph, node.inputs[1], 0)) return 0;
  if (op == "mul" && all_equal(graph, node.inputs[1], 1)) return 0;
  if (op == "mul" && all_equal(graph, node.inputs[0], 1)) return 1;
  if (op == "div" && all_equal(graph, node.inputs[1], 1)) return 0;
  return -1;
}

bool remove_node_if_same(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.inputs.empty() || node.outputs.size() != 1) return false;
  const int operand = same_operand(graph, node);
  if (operand < 0) return false;
  const ValueId from = node.outputs[0], to = node.inputs[static_cast<size_t>(operand)];
  if (graph.value(from).type != graph.value(to).type) return false;
  // A slice of full extent starts at 0 with step 1, or reverses: only the former keeps its operand.
  if (node.op == "slice" && node.inputs.size() > 4 && node.inputs[4].valid() && !all_equal(graph, node.inputs[4], 1))
    return false;
  const bool ends_here = !graph.value(to).producer.valid() || graph.is_output(to);
  if (graph.is_output(from) && ends_here) return false;
  Patch patch(graph);
  patch.replace(from, to);
  patch.apply();
  return true;
}

}  // namespace

Pass remove_identity() {
  return {"remove_identity", [](Graph& graph) { return sweep(graph, remove_node_if_same); }};
}

}  // namespace planish::passes
