#include "kernels/reference/conv.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

void offer_pool(const TacticQuery& query, CandidateSink& sink, LayoutRule result) {
  Candidate candidate;
  const std::string op = query.node.op.str();
  candidate.name = op;
  candidate.inputs = {LayoutRule::channels_last};
  candidate.outputs = {result};
  candidate.strided_inputs = true;
  candidate.strided_output = result == LayoutRule::channels_last;
  candidate.estimated_us = estimate_us(query, 0, 8 * typical_elements(query, query.input(0).type.shape), 1);
  const Attrs attrs = query.node.attrs;
  candidate.emit = [=](StepBuilder& builder) { builder.step(StepKind::cpu, op, attrs, {builder.input(0)}, {builder.output(0)}); };
  sink.offer(std::move(candidate));
}

void propose_pool(const TacticQuery& query, CandidateSink& sink) {
  const std::string& op = query.node.op.str();
  if (query.input(0).type.dtype != DataType::f32 || query.input(0).type.shape.rank() != 4) return sink.refuse(op, "f32 of rank 4 is accepted");
  if (query.node.outputs.size() > 1) return sink.refuse(op, "the indices are asked for");
  const auto attrs = attrs_to<PoolAttrs>(query.node.attrs);
  if (attrs.count_include_pad != 0 && attrs.ceil_mode != 0) return sink.refuse(op, "count_include_pad with ceil_mode");
  offer_pool(query, sink, LayoutRule::channels_last);
}

void propose_global(const TacticQuery& query, CandidateSink& sink) {
  if (query.input(0).type.dtype != DataType::f32 || query.input(0).type.shape.rank() != 4) return sink.refuse("global_average_pool", "f32 of rank 4 is accepted");
  offer_pool(query, sink, LayoutRule::row_major);
}

}  // namespace

void register_pool(TacticTable& table) {
  table.add("max_pool", propose_pool);
  table.add("average_pool", propose_pool);
  table.add("global_average_pool", propose_global);
}

}  // namespace planish::tactics::cpu
