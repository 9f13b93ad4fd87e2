// Softmax over any axis; layer normalisation over the last one.

#include "kernels/reference/normalization.h"

#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

// One value an element of a row, or, without a bias, one scale for all.
bool fits_rows(const TacticQuery& query, Dim row) {
  const bool biased = query.has_input(2);
  for (size_t i = 1; i <= (biased ? 2 : 1); ++i) {
    const Dim count = query.input(i).type.shape.element_count();
    if (query.input(i).type.dtype != DataType::f32) return false;
    if (count != row && (biased || count != Dim(1))) return false;
  }
  return true;
}

void propose_rows(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  const Shape& shape = query.input(0).type.shape;
  if (query.input(0).type.dtype != DataType::f32) return sink.refuse(op, "f32 is accepted");
  if (shape.rank() == 0 ||
      normalize_axis(query.node.attrs.get_or<int64_t>("axis", -1), shape.rank()) != shape.rank() - 1)
    return sink.refuse(op, "the last axis is accepted");
  if (!fits_rows(query, shape[shape.rank() - 1])) return sink.refuse(op, "one scale and bias an element is accepted");
  Candidate candidate;
  candidate.name = op;
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::row_major);
  candidate.outputs = {LayoutRule::row_major};
  candidate.half_inputs = op == "layer_normalization" ? 1 : 0;
  candidate.half_output = op == "layer_normalization";
  candidate.estimated_us = estimate_us(query, 0, 12 * typical_elements(query, shape), 1);
  const Attrs attrs = query.node.attrs;
  const size_t count = query.node.inputs.size();
  candidate.emit = [=](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < count; ++i) inputs.push_back(builder.input(i));
    builder.step(StepKind::cpu, op, attrs, std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_softmax(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !why.empty()) return sink.refuse(op, std::move(why));
  DirectKernel direct{.kernel = op};
  direct.flops = 12 * typical_elements(query, query.input(0).type.shape);
  offer_direct(query, sink, direct);
}

}  // namespace

void register_normalization(TacticTable& table) {
  table.add("softmax", propose_softmax);
  table.add("log_softmax", propose_softmax);
  table.add("layer_normalization", propose_rows);
}

}  // namespace planish::tactics::cpu
