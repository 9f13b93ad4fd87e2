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

namespace {

// auto_pad resolved needs the extents; explicit pads do not.
std::optional<std::vector<int64_t>> conv_pads(const ConvAttrs& attrs, const Shape& in, const Shape& out,
                                              const std::vector<int64_t>& kernel) {
  std::vector<int64_t> pads;
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (attrs.auto_pad == "NOTSET" || attrs.auto_pad == "VALID" || attrs.auto_pad.empty()) {
      pads.push_back(attrs.auto_pad == "VALID" ? 0 : at_or(attrs.pads, i, 0));
      continue;
    }
    const Dim extent = in[static_cast<int>(i) + 2], result = out[static_cast<int>(i) + 2];
    if (!extent.is_constant() || !result.is_constant()) return std::nullopt;
    pads.push_back(window_axis(attrs, i, extent.value(), result.value(), kernel[i]).pad);
  }
  return pads;
}

void emit_conv(StepBuilder& builder, const Node& node, const ConvProblem& p, const char* kernel, const GemmAttrs& gemm,
               const Tensor& packed) {
  std::vector<Operand> inputs = {builder.input(operand_index(node, p.form.anchor_inputs[0])), builder.constant(packed)};
  if (p.epilogue.bias.present())
    inputs.push_back(builder.constant(p.epilogue.bias.reshaped({p.epilogue.bias.element_count()})));
  for (ValueId extra : p.epilogue.extras) inputs.push_back(builder.input(operand_index(node, extra)));
  builder.step(StepKind::cpu, kernel, attrs_of(gemm), std::move(inputs), {builder.output(0)});
}

}  // namespace

std::string describe_conv(const TacticQuery& query, ConvProblem& p) {
  const std::string why = describe_operands(query, p);
  return why.empty() ? describe_windows(query, p) : why;
}

std::string describe_windows(const TacticQuery& query, ConvProblem& p) {
  const Value& x = query.graph.value(p.form.anchor_inputs[0]);
  p.filters = p.weights.extents()[0];
  p.channels = p.weights.extents()[1];
  p.gemm.kernel.assign(p.weights.extents().begin() + 2, p.weights.extents().end());
  const Shape& out = query.output(0).type.shape;
  const auto pads = conv_pads(p.attrs, x.type.shape, out, p.gemm.kernel);
  if (!pads) return "auto_pad with symbolic extents";
  p.gemm.pads = *pads;
  for (size_t i = 0; i < p.gemm.kernel.size(); ++i) {
    p.gemm.strides.push_back(at_or(p.attrs.strides, i, 1));
    p.gemm.dilations.push_back(at_or(p.attrs.dilations, i, 1));
    p.taps *= p.gemm.kernel[i];
  }
  if (p.gemm.kernel.size() > 3) return "more than three spatial axes";
  p.gemm.group = p.attrs.group;
  p.gemm.columns = p.filters / p.attrs.group;
  p.epilogue = epilogue_params(query, p.form, p.bias, p.filters, 1);
  apply(p.epilogue, p.gemm);
  p.flops = 2 * typical_elements(query, out) * static_cast<double>(p.channels * p.taps);
  p.bytes = 4 * (typical_elements(query, out) + typical_elements(query, x.type.shape)) +
            static_cast<double>(p.weights.byte_count());
  return "";
}

Candidate conv_candidate(const TacticQuery& query, std::shared_ptr<const ConvProblem> problem, std::string name,
                         const char* kernel, const GemmAttrs& gemm, std::function<Tensor()> pack) {
  Candidate candidate;
  candidate.name = std::move(name);
  candidate.inputs = operand_rules(query, problem->form, problem->epilogue);
  candidate.outputs = {LayoutRule::channels_last};
  candidate.strided_inputs = true;
  candidate.strided_output = true;
  candidate.emit = [=, node = &query.node](StepBuilder& builder) {
    emit_conv(builder, *node, *problem, kernel, gemm, pack());
  };
  return candidate;
}

}  // namespace planish::tactics::cpu
