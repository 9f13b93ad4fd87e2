// First layers: convolution of few channels over copied lines of the image, which may lie in any order.

#include <algorithm>

#include "tactics/cpu/common/conv_operands.h"

namespace planish::tactics::cpu {
namespace {

Tensor pack_lines(Isa isa, const ConvProblem& p) {
  const auto* w = p.weights.as<float>().data();
  const int64_t depth = p.channels * p.taps;
  return pack_panels(isa, 1, p.gemm.columns, 1, depth,
                     [&](int64_t, int64_t n, int64_t, int64_t k) { return w[n * depth + k]; });
}

std::string refuse_lines(const TacticQuery& query, const ConvProblem& p) {
  if (p.gemm.kernel.size() != 2) return "not two spatial axes";
  if (p.attrs.group != 1) return "more than one group";
  if (p.channels > kFewChannels || p.channels < 1) return "more than eight channels";
  if (p.channels * p.taps > kMostTaps) return "more than 1024 channels and taps";
  if (least_lines(p.gemm, p.channels) > kMostLineFloats) return "the lines under a few pixels are too long";
  const auto& extras = p.epilogue.extras;
  // A residual that is the image itself lies channels last.
  if (std::find(extras.begin(), extras.end(), p.form.anchor_inputs[0]) != extras.end()) return "the image is added";
  return query.graph.value(p.form.anchor_inputs[0]).type.shape.rank() == 4 ? "" : "not rank 4";
}

void propose_conv_lines(const TacticQuery& query, CandidateSink& sink) {
  auto p = std::make_shared<ConvProblem>();
  std::string why = describe_conv(query, *p);
  if (why.empty()) why = refuse_lines(query, *p);
  if (!why.empty()) return sink.refuse("conv_lines", std::move(why));
  const Isa isa = query.isa;
  Candidate candidate =
      conv_candidate(query, p, "conv_lines", "conv_lines", p->gemm, [p, isa] { return pack_lines(isa, *p); });
  candidate.inputs[operand_index(query.node, p->form.anchor_inputs[0])] = LayoutRule::any;
  candidate.half_output = p->epilogue.extras.empty() && ends_in_registers(query, p->epilogue);
  candidate.estimated_us = estimate_us(query, p->flops, p->bytes, 0.6);
  sink.offer(std::move(candidate));
}

}  // namespace

void register_conv_lines(TacticTable& table) { table.add("conv", propose_conv_lines); }

}  // namespace planish::tactics::cpu
