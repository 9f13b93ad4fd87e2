#include "passes/common/fold.h"

#include "base/log.h"
#include "ops/evaluate.h"
#include "ops/op.h"

namespace planish::passes {
namespace {

constexpr int64_t kLargestGrowth = 16 << 20;

}  // namespace

bool is_foldable(const Graph& graph, const Node& node) {
  const OpDef& def = op_def(node.op);
  if (!node.regions.empty() || !def.pure || node.inputs.empty()) return false;
  int64_t operands = 0, results = 0;
  for (ValueId input : node.inputs) {
    if (!input.valid()) continue;
    if (!graph.value(input).is_constant()) return false;
    operands += graph.value(input).constant.byte_count();
  }
  for (ValueId output : node.outputs) {
    const TensorType& type = graph.value(output).type;
    if (!type.shape.is_static()) return false;
    results += type.bytes().value();
  }
  return results <= kLargestGrowth || results <= 4 * operands;
}

bool fold_node(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<Tensor> operands;
  for (ValueId input : node.inputs) operands.push_back(input.valid() ? graph.value(input).constant : Tensor());
  std::vector<Tensor> results;
  try {
    results = evaluate_node(graph, node, operands);
  } catch (const Error& error) {
    // What cannot be computed now is left to fail, or not, where it is run.
    log(Severity::verbose, "'{}' is not folded: {}", node.name, error.what());
    return false;
  }
  const std::vector<ValueId> outputs = node.outputs;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (graph.is_output(outputs[i])) return false;
    graph.replace_uses(outputs[i], graph.add_constant(std::move(results[i]), graph.value(outputs[i]).name + ".folded"));
  }
  return true;
}

}  // namespace planish::passes
