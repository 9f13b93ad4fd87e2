// Pointwise programs: single operators and fused bodies made of nothing else. Any strides.

#include <algorithm>

#include "ops/builder.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

bool pure_pointwise(const Graph& body) {
  const auto nodes = body.nodes();
  return std::all_of(nodes.begin(), nodes.end(), [&](NodeId id) { return is_pointwise(body.node(id)); });
}

void propose_pointwise(const TacticQuery& query, CandidateSink& sink) {
  const bool fused = query.node.op == "fused";
  if (fused && !pure_pointwise(*query.node.regions[0])) return;
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.input(i).type.dtype != DataType::f32) return sink.refuse("pointwise", "an operand is " + query.input(i).type.str() + ", f32 is accepted");
  if (query.output(0).type.dtype != DataType::f32) return sink.refuse("pointwise", "the result is " + query.output(0).type.str() + ", f32 is accepted");
  const PointwiseProgram program = fused ? pointwise_program(*query.node.regions[0]) : pointwise_program(query.graph, query.node);
  if (program.inputs > 32) return sink.refuse("pointwise", "more than 32 operands");
  Candidate candidate;
  candidate.name = "pointwise";
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs = {LayoutRule::any};
  double bytes = 4 * typical_elements(query, query.output(0).type.shape);
  for (size_t i = 0; i < query.node.inputs.size(); ++i) bytes += 4 * typical_elements(query, query.input(i).type.shape);
  candidate.estimated_us = estimate_us(query, 0, bytes, 1);
  const Attrs attrs = {{"program", program.str()}};
  const size_t count = query.node.inputs.size();
  candidate.emit = [=](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < count; ++i) inputs.push_back(builder.input(i));
    builder.step(StepKind::cpu, "pointwise", attrs, std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_pointwise(TacticTable& table) {
  for (const OpDef* def : op_table().rows())
    if (def->pointwise != nullptr) table.add(def->name, propose_pointwise);
}

}  // namespace planish::tactics::cpu
