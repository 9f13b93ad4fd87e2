#include "tactics/cpu/common/conv_operands.h"

namespace planish::tactics::cpu {

std::string describe_operands(const TacticQuery& query, ConvOperands& operands) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "the fused body is not an anchor with a pointwise epilogue";
  operands.form = *form;
  const Graph& graph = query.graph;
  const Value &x = graph.value(form->anchor_inputs[0]), &w = graph.value(form->anchor_inputs[1]);
  if (form->anchor_inputs.size() > 2) operands.bias = form->anchor_inputs[2];
  if (x.type.dtype != DataType::f32)
    return "elements are " + std::string(data_type_name(x.type.dtype)) + ", f32 is accepted";
  if (!w.is_constant()) return "the weights are not constant";
  if (operands.bias.valid() && !graph.value(operands.bias).is_constant()) return "the bias is not constant";
  operands.attrs = attrs_to<ConvAttrs>(form->anchor->attrs);
  operands.weights = w.constant;
  return "";
}

std::vector<LayoutRule> operand_rules(const TacticQuery& query, const EpilogueForm& form,
                                      const EpilogueParams& epilogue) {
  std::vector<LayoutRule> rules;
  for (ValueId id : query.node.inputs) {
    const bool data =
        id.valid() && (id == form.anchor_inputs[0] || query.graph.value(id).type.shape == query.output(0).type.shape);
    rules.push_back(data ? LayoutRule::channels_last : LayoutRule::any);
  }
  if (epilogue.residual) {
    LayoutRule& rule = rules[operand_index(query.node, epilogue.extras[0])];
    if (rule == LayoutRule::any) rule = LayoutRule::row_major;
  }
  return rules;
}

}  // namespace planish::tactics::cpu
