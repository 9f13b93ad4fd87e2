// Branches: the condition is computed from data; both bodies take the same operands and give the same type.

#include <memory>

#include "random/draft.h"

namespace planish::testing {
namespace {

// A chain of elementwise operators on the first operand, perhaps with the second.
std::unique_ptr<Graph> body(Draft& d, const std::vector<ValueId>& operands) {
  auto graph = std::make_unique<Graph>();
  share_symbols(d.graph, *graph);
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < operands.size(); ++i)
    inputs.push_back(graph->add_input("b" + std::to_string(i), d.type(operands[i])));
  ValueId y = inputs[0];
  static const char* const names[] = {"relu", "tanh", "neg", "sigmoid", "abs"};
  for (int i = 1 + d.pick(3); i > 0; --i) {
    if (d.one_in(2))
      y = add_op(*graph, d.any_of(names), {y});
    else
      y = add_op(*graph, d.one_in(2) ? "mul" : "add", {y, graph->add_constant(random_tensor({1}, d.random()))});
  }
  if (inputs.size() > 1 && d.one_in(2)) y = add_op(*graph, "sub", {y, inputs[1]});
  graph->add_output(y);
  return graph;
}

ValueId condition_of(Draft& d, ValueId x) {
  const ValueId flat = d.op("reshape", {x, d.ints({-1})});
  const ValueId sum = d.op("reduce_mean", {flat, d.ints({0})}, {{"keepdims", int64_t{0}}});
  return d.op(d.one_in(2) ? "greater" : "less", {sum, d.scalar(0.01f)});
}

void branch(Draft& d, ValueId x) {
  const ValueId condition = condition_of(d, x);
  std::vector<ValueId> operands = {x};
  if (const auto other = d.another_like(x)) operands.push_back(*other);
  std::vector<std::unique_ptr<Graph>> bodies;
  for (int i = 0; i < 2; ++i) bodies.push_back(body(d, operands));
  std::vector<ValueId> inputs = {condition};
  inputs.insert(inputs.end(), operands.begin(), operands.end());
  const std::string name = "if" + std::to_string(d.graph.node_count());
  const NodeId node = add_region_node(d.graph, "if", inputs, {}, std::move(bodies), name, {name + "_y"});
  d.keep(d.graph.node(node).outputs[0]);
}

}  // namespace

std::span<const Step> branch_steps() {
  static const Step steps[] = {branch};
  return steps;
}

}  // namespace planish::testing
