#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

void propose_rms_norm(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  const TensorType &x = query.input(0).type, &scale = query.input(1).type;
  const int rank = x.shape.rank();
  if (x.dtype != DataType::f32 || scale.dtype != DataType::f32) return sink.refuse(op, "f32 is accepted");
  if (rank == 0 || normalize_axis(query.node.attrs.get_or<int64_t>("axis", -1), rank) != rank - 1)
    return sink.refuse(op, "the last axis is accepted");
  if (scale.shape != Shape{x.shape[rank - 1]})
    return sink.refuse(op, "a scale of " + scale.str() + ", a row is accepted");
  Candidate candidate;
  candidate.name = op;
  candidate.inputs = {LayoutRule::row_major, LayoutRule::row_major};
  candidate.outputs = {LayoutRule::row_major};
  candidate.estimated_us = estimate_us(query, 0, 12 * typical_elements(query, x.shape), 1);
  candidate.emit = [op, attrs = query.node.attrs](StepBuilder& builder) {
    builder.step(StepKind::cpu, op, attrs, {builder.input(0), builder.input(1)}, {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_rms_norm(TacticTable& table) { table.add("rms_normalization", propose_rms_norm); }

}  // namespace planish::tactics::cpu
