#include "tactics/tactic.h"

#include <algorithm>

#include "kernels/kernel.h"
#include "kernels/mma.h"
#include "ops/builder.h"

namespace planish {
namespace {

// The pointwise reference kernel reads a program; every other one the node's attributes.
Attrs reference_params(const TacticQuery& query) {
  if (is_pointwise(query.node)) return {{"program", pointwise_program(query.graph, query.node).str()}};
  return query.node.attrs;
}

// Operations of a reference kernel; one that only moves elements spends as much on each.
double reference_work(const TacticQuery& query) {
  SymbolValues typical;
  for (const auto& [name, info] : query.graph.symbols) typical[name] = info.range.opt;
  auto work = static_cast<double>(flops_of(query.graph, query.node).evaluate(typical));
  for (ValueId output : query.node.outputs) {
    double elements = 1;
    for (int64_t extent : query.typical(query.graph.value(output).type.shape)) elements *= static_cast<double>(extent);
    work = std::max(work, elements);
  }
  return work;
}

// Reference kernels take any strides. They are slow: about 20 ns an operation.
Candidate reference_candidate(const TacticQuery& query) {
  Candidate candidate;
  candidate.name = "reference";
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs.assign(query.node.outputs.size(), LayoutRule::row_major);
  candidate.estimated_us = 5 + 2e-2 * reference_work(query);
  const std::string kernel = op_def(query.node.op).kernel;
  const Attrs params = reference_params(query);
  const size_t inputs = query.node.inputs.size(), outputs = query.node.outputs.size();
  const auto node_inputs = query.node.inputs;
  candidate.emit = [=](StepBuilder& builder) {
    std::vector<Operand> in, out;
    for (size_t i = 0; i < inputs; ++i) in.push_back(node_inputs[i].valid() ? builder.input(i) : builder.absent());
    for (size_t i = 0; i < outputs; ++i) out.push_back(builder.output(i));
    builder.step(StepKind::reference, kernel, params, std::move(in), std::move(out));
  };
  return candidate;
}

}  // namespace

std::vector<int64_t> TacticQuery::typical(const Shape& shape) const {
  SymbolValues values;
  for (const auto& [name, info] : graph.symbols) values[name] = info.range.opt;
  return shape.evaluate(values);
}

void TacticTable::add(std::string_view op, TacticFn fn) { rows_.emplace(op, fn); }

CandidateSink TacticTable::propose_fast(const TacticQuery& query) const {
  CandidateSink sink;
  const bool fused = query.node.op == "fused";
  const Graph* body = fused ? query.node.regions.at(0).get() : nullptr;
  const std::string op = fused ? body->node(body->nodes().front()).op.str() : query.node.op.str();
  const auto [begin, end] = rows_.equal_range(op);
  for (auto at = begin; at != end; ++at) at->second(query, sink);
  if (!has_mma(query.isa, Mma::dot_bf16))  // without products of bf16 nothing is stored so
    for (Candidate& candidate : sink.candidates) {
      candidate.half_inputs = 0;
      candidate.half_output = candidate.half_alike = false;
    }
  return sink;
}

CandidateSink TacticTable::propose(const TacticQuery& query) const {
  CandidateSink sink = propose_fast(query);
  const bool fused = query.node.op == "fused";
  if (!fused && reference_kernels().find(op_def(query.node.op).kernel) != nullptr)
    sink.offer(reference_candidate(query));
  return sink;
}

}  // namespace planish
