// Convolution: indirect matrix product over channels-last tensors, and depthwise.

#include <algorithm>

#include "kernels/half_depthwise.h"
#include "kernels/mma.h"
#include "tactics/cpu/common/conv_operands.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish::tactics::cpu {
namespace {

constexpr int64_t kMostGathered = 1024;  // values of one output pixel's window

Tensor pack_conv(Isa isa, const ConvProblem& p, bool gathered) {
  const auto* w = p.weights.as<float>().data();
  const int64_t columns = p.gemm.columns, depth = p.taps * p.channels;
  if (gathered)  // channels, then taps: as they are written
    return pack_panels(isa, p.gemm.group, columns, p.taps, p.channels, [&](int64_t g, int64_t n, int64_t t, int64_t c) {
      return w[(g * columns + n) * depth + t * p.channels + c];
    });
  return pack_panels(isa, p.gemm.group, columns, p.taps, p.channels, [&](int64_t g, int64_t n, int64_t t, int64_t c) {
    return w[((g * columns + n) * p.channels + c) * p.taps + t];
  });
}

Tensor pack_depthwise(const ConvProblem& p) {
  const auto* w = p.weights.as<float>().data();
  return Tensor::make(DataType::f32, {p.taps, p.filters}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (int64_t t = 0; t < p.taps; ++t)
      for (int64_t c = 0; c < p.filters; ++c) *to++ = w[c * p.taps + t];
  });
}

// The part of the time that is left for the product: copying a value takes about 2.5 cycles.
double gathered_part(Isa isa, const ConvProblem& p) {
  const double columns = static_cast<double>(p.gemm.columns) / (2 * vector_lanes(isa));  // cycles a value
  return columns / (columns + 2.5);
}

void propose_conv(const TacticQuery& query, CandidateSink& sink) {
  auto p = std::make_shared<ConvProblem>();
  if (std::string why = describe_conv(query, *p); !why.empty()) return sink.refuse("igemm", std::move(why));
  const Node* node = &query.node;
  const Isa isa = query.isa;
  const auto offer = [&](std::string name, const char* kernel, GemmAttrs gemm, double efficiency, auto pack) {
    Candidate candidate = conv_candidate(query, p, std::move(name), kernel, gemm, pack);
    if (gemm.gathered != 0) candidate.inputs[operand_index(*node, p->form.anchor_inputs[0])] = LayoutRule::any;
    candidate.estimated_us = estimate_us(query, p->flops, p->bytes, efficiency);
    sink.offer(std::move(candidate));
  };
  const bool depthwise = p->channels == 1 && p->attrs.group == p->filters && p->gemm.kernel.size() == 2;
  if (depthwise) {
    offer("depthwise", "depthwise", p->gemm, 0.25, [p] { return pack_depthwise(*p); });
    if (!ends_in_registers(query, p->epilogue)) return;
    sink.candidates.back().half_inputs = kAllOperands;
    sink.candidates.back().half_output = true;
    if (!query.precisions.bf16 || !has_mma(query.isa, Mma::dot_bf16) || !p->epilogue.extras.empty() ||
        !half_depthwise::takes(p->gemm.kernel, p->gemm.strides, p->gemm.dilations))
      return;
    offer("depthwise.bf16.dot", "depthwise.bf16", p->gemm, 0.6,
          [p] { return pack_half_depthwise(p->gemm, p->filters, p->weights.as<float>()); });
    sink.candidates.back().half_inputs = kAllOperands;
    sink.candidates.back().half_output = true;
    return;
  }
  const int64_t depth = p->channels * p->taps;
  const double rows =
      typical_elements(query, query.output(0).type.shape) / static_cast<double>(std::max<int64_t>(p->filters, 1));
  // Gathering takes the image in any order, which a residual that is the image itself could not be.
  const ValueId image = p->form.anchor_inputs[0];
  const bool is_extra =
      std::find(p->epilogue.extras.begin(), p->epilogue.extras.end(), image) != p->epilogue.extras.end();
  const bool few = !is_extra && p->channels * p->attrs.group <= kFewChannels && depth <= kMostGathered;
  const bool indirect = p->taps <= kMostTaps;
  if (!few && !indirect) return sink.refuse("igemm", "a kernel of more than 1024 taps");
  double efficiency = 0.8;
  for (int64_t row_blocks : row_block_choices(isa, query.threads, rows, depth, p->gemm.columns)) {
    GemmAttrs gemm = p->gemm;
    gemm.row_blocks = row_blocks;
    const auto pack = [p, isa](bool gathered) { return [=] { return pack_conv(isa, *p, gathered); }; };
    if (indirect)
      offer("igemm.r" + std::to_string(row_blocks), "igemm", gemm, few ? efficiency / 4 : efficiency, pack(false));
    gemm.gathered = 1;
    if (few)
      offer("igemm.gathered.r" + std::to_string(row_blocks), "igemm", gemm, efficiency * gathered_part(isa, *p),
            pack(true));
    efficiency -= 0.02;
  }
}

}  // namespace

void register_conv(TacticTable& table) { table.add("conv", propose_conv); }

}  // namespace planish::tactics::cpu
