// Attention of operands of any strides.

#include "kernels/attention.h"

#include <algorithm>

#include "kernels/reference/attention.h"
#include "ops/builder.h"
#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

double typical_flops(const TacticQuery& query) {
  SymbolValues typical;
  for (const auto& [name, info] : query.graph.symbols) typical[name] = info.range.opt;
  return static_cast<double>(flops_of(query.graph, query.node).evaluate(typical));
}

void propose_attention(const TacticQuery& query, CandidateSink& sink) {
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (std::string why = refuse_dtype(query, i, {DataType::f32}); !why.empty())
      return sink.refuse("attention", std::move(why));
  const Shape& key = query.input(1).type.shape;
  if (key[key.rank() - 1].lower_bound(query.graph.symbols) < 1) return sink.refuse("attention", "there may be no keys");
  const auto attrs = attrs_to<AttentionAttrs>(query.node.attrs);
  const AttentionKernelAttrs params{attrs.scale, attrs.rows_first,
                                    std::clamp<int64_t>(query.threads, 1, kMostAttentionSlots)};
  double bytes = 4 * typical_elements(query, query.output(0).type.shape);
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.has_input(i)) bytes += 4 * typical_elements(query, query.input(i).type.shape);
  Candidate candidate;
  candidate.name = "attention";
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs = {LayoutRule::row_major};
  candidate.half_inputs = 7;  // queries, keys, values
  candidate.half_output = true;
  candidate.estimated_us = estimate_us(query, typical_flops(query), bytes, 0.5);
  const std::vector<ValueId> operands = query.node.inputs;
  candidate.emit = [=](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < operands.size(); ++i)
      inputs.push_back(operands[i].valid() ? builder.input(i) : builder.absent());
    builder.step(StepKind::cpu, "attention", attrs_of(params), std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_attention(TacticTable& table) { table.add("attention", propose_attention); }

}  // namespace planish::tactics::cpu
