// Matrix products: constant weights packed when the plan is written, or both operands at run time.

#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

void offer_packed(const TacticQuery& query, CandidateSink& sink, const EpilogueForm& form) {
  const Value &a = query.graph.value(form.anchor_inputs[0]), &b = query.graph.value(form.anchor_inputs[1]);
  const Tensor weights = b.constant;
  const int64_t channels = weights.extents()[0], columns = weights.extents()[1];
  const EpilogueParams epilogue = epilogue_params(query, form, {}, columns, query.output(0).type.shape.rank() - 1);
  const double flops = 2 * typical_elements(query, query.output(0).type.shape) * static_cast<double>(channels);
  const double bytes =
      4 * (typical_elements(query, a.type.shape) + typical_elements(query, query.output(0).type.shape)) +
      static_cast<double>(weights.byte_count());
  const Node* node = &query.node;
  const Isa isa = query.isa;
  const ValueId a_id = form.anchor_inputs[0];
  const double rows =
      typical_elements(query, query.output(0).type.shape) / static_cast<double>(std::max<int64_t>(columns, 1));
  double efficiency = 0.8;
  for (int64_t row_blocks : row_block_choices(isa, query.threads, rows, channels, columns)) {
    GemmAttrs gemm;
    gemm.columns = columns;
    gemm.row_blocks = row_blocks;
    apply(epilogue, gemm);
    Candidate candidate;
    candidate.name = "gemm.r" + std::to_string(row_blocks);
    candidate.inputs.assign(node->inputs.size(), LayoutRule::any);
    if (epilogue.residual) candidate.inputs[operand_index(*node, epilogue.extras[0])] = LayoutRule::row_major;
    candidate.outputs = {LayoutRule::row_major};
    candidate.estimated_us = estimate_us(query, flops, bytes, efficiency);
    efficiency -= 0.02;
    candidate.emit = [=](StepBuilder& builder) {
      const auto w = weights.as<float>();
      const Tensor packed = pack_panels(isa, 1, columns, 1, channels, [&](int64_t, int64_t n, int64_t, int64_t c) {
        return w[static_cast<size_t>(c * columns + n)];
      });
      std::vector<Operand> inputs = {builder.input(operand_index(*node, a_id)), builder.constant(packed)};
      if (epilogue.bias.present())
        inputs.push_back(builder.constant(epilogue.bias.reshaped({epilogue.bias.element_count()})));
      for (ValueId extra : epilogue.extras) inputs.push_back(builder.input(operand_index(*node, extra)));
      builder.step(StepKind::cpu, "gemm", attrs_of(gemm), std::move(inputs), {builder.output(0)});
    };
    sink.offer(std::move(candidate));
  }
}

void offer_batched(const TacticQuery& query, CandidateSink& sink) {
  const Shape &a = query.input(0).type.shape, &b = query.input(1).type.shape;
  if (a.rank() < 2 || b.rank() < 2) return sink.refuse("batched_gemm", "an operand of rank 1");
  const Shape& out = query.output(0).type.shape;
  const double flops = 2 * typical_elements(query, out) * typical_elements(query, Shape{a[a.rank() - 1]});
  const double bytes = 4 * (typical_elements(query, a) + 2 * typical_elements(query, b) + typical_elements(query, out));
  Candidate candidate;
  candidate.name = "batched_gemm";
  candidate.inputs = {LayoutRule::any, LayoutRule::any};
  candidate.outputs = {LayoutRule::row_major};
  candidate.estimated_us = estimate_us(query, flops, bytes, 0.5);
  candidate.emit = [](StepBuilder& builder) {
    builder.step(StepKind::cpu, "batched_gemm", {}, {builder.input(0), builder.input(1)}, {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_matmul(const TacticQuery& query, CandidateSink& sink) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return sink.refuse("gemm", "the fused body is not an anchor with a pointwise epilogue");
  const Value &a = query.graph.value(form->anchor_inputs[0]), &b = query.graph.value(form->anchor_inputs[1]);
  if (a.type.dtype != DataType::f32)
    return sink.refuse("gemm", "elements are " + std::string(data_type_name(a.type.dtype)) + ", f32 is accepted");
  if (b.is_constant() && b.type.shape.rank() == 2 && a.type.shape.rank() >= 2) return offer_packed(query, sink, *form);
  if (query.node.op == "matmul") return offer_batched(query, sink);
  sink.refuse("gemm", "the second operand is not a constant matrix");
}

}  // namespace

void register_matmul(TacticTable& table) { table.add("matmul", propose_matmul); }

}  // namespace planish::tactics::cpu
