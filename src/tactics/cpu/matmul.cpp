// Matrix products: constant weights packed when the plan is written, or both operands at run time. Weights that f16 or
// bf16 hold exactly, as those of networks written in 16 bits, may be stored so: few rows read half the memory, for many
// rows each panel is widened again and again.

#include "tactics/cpu/common/packed_product.h"

namespace planish::tactics::cpu {
namespace {

template <class T>
Tensor packed_as(Isa isa, const Tensor& weights) {
  const auto w = weights.as<float>();
  const int64_t channels = weights.extents()[0], columns = weights.extents()[1];
  return pack_panels<T>(isa, 1, columns, 1, channels, [&](int64_t, int64_t n, int64_t, int64_t c) {
    return w[static_cast<size_t>(c * columns + n)];
  });
}

Tensor packed(Isa isa, const Tensor& weights, DataType stored) {
  if (stored == DataType::f16) return packed_as<Half>(isa, weights);
  return stored == DataType::bf16 ? packed_as<BFloat16>(isa, weights) : packed_as<float>(isa, weights);
}

struct PackedProduct {
  EpilogueForm form;
  EpilogueParams epilogue;
  Tensor weights;  // [K, N]
  double flops = 0;
  double other_bytes = 0;  // of operand and result
};

PackedProduct packed_product(const TacticQuery& query, const EpilogueForm& form, Tensor weights) {
  PackedProduct product{form, {}, std::move(weights)};
  const int64_t depth = product.weights.extents()[0], columns = product.weights.extents()[1];
  const Shape &a = query.graph.value(form.anchor_inputs[0]).type.shape, &y = query.output(0).type.shape;
  product.epilogue = epilogue_params(query, form, {}, columns, y.rank() - 1);
  product.flops = 2 * typical_elements(query, y) * static_cast<double>(depth);
  product.other_bytes = 4 * (typical_elements(query, a) + typical_elements(query, y));
  return product;
}

struct PackedChoice {
  DataType stored = DataType::f32;
  int64_t row_blocks = 0, slots = 0;
  double efficiency = 0;

  std::string name() const {
    const std::string storage = stored == DataType::f32 ? "" : "." + std::string(data_type_name(stored)) + "_weights";
    return "gemm" + storage + (slots > 0 ? ".packed" : "") + ".r" + std::to_string(row_blocks);
  }
};

Candidate packed_candidate(const TacticQuery& query, const PackedProduct& product, const PackedChoice& choice) {
  const auto& [form, epilogue, weights, flops, other_bytes] = product;
  GemmAttrs gemm;
  gemm.columns = weights.extents()[1];
  gemm.row_blocks = choice.row_blocks;
  gemm.slots = choice.slots;
  apply(epilogue, gemm);
  const Node* node = &query.node;
  Candidate candidate;
  candidate.name = choice.name();
  candidate.inputs.assign(node->inputs.size(), LayoutRule::any);
  if (epilogue.residual) candidate.inputs[operand_index(*node, epilogue.extras[0])] = LayoutRule::row_major;
  candidate.outputs = {LayoutRule::row_major};
  const auto weight_bytes = static_cast<double>(weights.element_count() * element_bytes(choice.stored));
  candidate.estimated_us = estimate_us(query, flops, other_bytes + weight_bytes, choice.efficiency);
  candidate.emit = [=, isa = query.isa, a = form.anchor_inputs[0], epilogue = epilogue, weights = weights,
                    stored = choice.stored](StepBuilder& builder) {
    std::vector<Operand> inputs = {builder.input(operand_index(*node, a)),
                                   builder.constant(packed(isa, weights, stored))};
    if (epilogue.bias.present())
      inputs.push_back(builder.constant(epilogue.bias.reshaped({epilogue.bias.element_count()})));
    for (ValueId extra : epilogue.extras) inputs.push_back(builder.input(operand_index(*node, extra)));
    builder.step(StepKind::cpu, "gemm", attrs_of(gemm), std::move(inputs), {builder.output(0)});
  };
  return candidate;
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
  if (b.is_constant() && b.type.shape.rank() == 2 && a.type.shape.rank() >= 2)
    return offer_packed(query, sink, *form, b.constant);
  if (query.node.op == "matmul") return offer_batched(query, sink);
  sink.refuse("gemm", "the second operand is not a constant matrix");
}

}  // namespace

void offer_packed(const TacticQuery& query, CandidateSink& sink, const EpilogueForm& form, const Tensor& weights) {
  const PackedProduct product = packed_product(query, form, weights);
  const int64_t depth = product.weights.extents()[0], columns = product.weights.extents()[1];
  const double rows =
      typical_elements(query, query.output(0).type.shape) / static_cast<double>(std::max<int64_t>(columns, 1));
  const auto choices = row_block_choices(query.isa, query.threads, rows, depth, columns);
  double efficiency = 0.8;
  for (int64_t row_blocks : choices) {
    sink.offer(packed_candidate(query, product, {DataType::f32, row_blocks, 0, efficiency}));
    efficiency -= 0.02;
  }
  if (const int64_t slots = packing_slots(query, rows, columns); slots > 0)
    sink.offer(packed_candidate(query, product, {DataType::f32, choices[0], slots, packing_efficiency(query)}));
  if (const DataType stored = exact_storage(product.weights); stored != DataType::f32)
    sink.offer(packed_candidate(query, product, {stored, choices[0], 0, 0.7}));
}

void register_matmul(TacticTable& table) { table.add("matmul", propose_matmul); }

}  // namespace planish::tactics::cpu
