#include <algorithm>
#include <map>

#include "ops/builder.h"
#include "tactics/tactic.h"

namespace planish {

// The body is: the anchor, whose operands are all operands of the node or made in front of it, then pointwise nodes.
std::optional<EpilogueForm> epilogue_form(const Graph& graph, const Node& node, size_t first) {
  EpilogueForm form;
  if (node.op != "fused") {
    form.anchor = &node;
    form.body = &graph;
    form.anchor_inputs = node.inputs;
    return form;
  }
  const Graph& body = *node.regions.at(0);
  const auto order = body.nodes();
  const auto outer_of = [&](ValueId inner) -> ValueId {
    for (size_t i = 0; i < body.inputs().size(); ++i)
      if (body.inputs()[i] == inner) return node.inputs[i];
    return {};
  };
  if (first >= order.size()) return std::nullopt;
  form.anchor = &body.node(order[first]);
  form.body = &body;
  for (ValueId input : form.anchor->inputs) {
    form.anchor_inputs.push_back(input.valid() ? outer_of(input) : ValueId{});
    const bool is_made = input.valid() && body.value(input).producer.valid();
    if (input.valid() && !is_made && !form.anchor_inputs.back().valid()) return std::nullopt;
  }
  // What follows, as a program whose input 0 is the anchor's result.
  std::vector<ValueId> extras;
  for (size_t k = first + 1; k < order.size(); ++k)
    for (ValueId input : body.node(order[k]).inputs)
      if (outer_of(input).valid() && std::find(extras.begin(), extras.end(), input) == extras.end())
        extras.push_back(input);
  PwBuilder builder(1 + static_cast<int>(extras.size()));
  std::map<ValueId, PwBuilder::Reg> registers = {{form.anchor->outputs[0], PwBuilder::Reg{0}}};
  for (size_t i = 0; i < extras.size(); ++i) {
    registers[extras[i]] = static_cast<PwBuilder::Reg>(i + 1);
    form.extras.push_back(outer_of(extras[i]));
  }
  for (size_t k = first + 1; k < order.size(); ++k) {
    const Node& step = body.node(order[k]);
    if (!is_pointwise(step)) return std::nullopt;
    std::vector<PwBuilder::Reg> operands;
    for (ValueId input : step.inputs) {
      if (registers.count(input) == 0)
        registers[input] = builder.constant(body.value(input).constant.to_doubles().at(0));
      operands.push_back(registers[input]);
    }
    registers[step.outputs[0]] = op_def(step.op).pointwise(builder, step.attrs, operands);
  }
  if (order.size() > first + 1) form.epilogue = builder.finish({registers.at(body.outputs()[0])});
  return form;
}

}  // namespace planish
