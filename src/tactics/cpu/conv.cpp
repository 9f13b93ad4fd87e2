// Convolution: indirect matrix product over channels-last tensors, and depthwise.

#include <algorithm>

#include "tactics/cpu/common/conv_operands.h"

namespace planish::tactics::cpu {
namespace {

// auto_pad resolved needs the extents; explicit pads do not.
std::optional<std::vector<int64_t>> conv_pads(const ConvAttrs& attrs, const Shape& in, const Shape& out,
                                              const std::vector<int64_t>& kernel) {
  std::vector<int64_t> pads;
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (attrs.auto_pad == "NOTSET" || attrs.auto_pad == "VALID" || attrs.auto_pad.empty()) {
      pads.push_back(attrs.auto_pad == "VALID" ? 0 : at_or(attrs.pads, i, 0));
      continue;
    }
    const Dim extent = in[static_cast<int>(i) + 2], result = out[static_cast<int>(i) + 2];
    if (!extent.is_constant() || !result.is_constant()) return std::nullopt;
    pads.push_back(window_axis(attrs, i, extent.value(), result.value(), kernel[i]).pad);
  }
  return pads;
}

constexpr int64_t kFewChannels = 8, kMostGathered = 1024;  // of an image; values of one output pixel's window

// Weights: [M, C/group, kernel…].
struct ConvProblem : ConvOperands {
  GemmAttrs gemm;
  EpilogueParams epilogue;
  int64_t filters = 0, channels = 0, taps = 1;  // channels: a group's
  double flops = 0, bytes = 0;
};

std::string describe_conv(const TacticQuery& query, ConvProblem& p) {
  if (std::string why = describe_operands(query, p); !why.empty()) return why;
  const Value& x = query.graph.value(p.form.anchor_inputs[0]);
  p.filters = p.weights.extents()[0];
  p.channels = p.weights.extents()[1];
  p.gemm.kernel.assign(p.weights.extents().begin() + 2, p.weights.extents().end());
  const Shape& out = query.output(0).type.shape;
  const auto pads = conv_pads(p.attrs, x.type.shape, out, p.gemm.kernel);
  if (!pads) return "auto_pad with symbolic extents";
  p.gemm.pads = *pads;
  for (size_t i = 0; i < p.gemm.kernel.size(); ++i) {
    p.gemm.strides.push_back(at_or(p.attrs.strides, i, 1));
    p.gemm.dilations.push_back(at_or(p.attrs.dilations, i, 1));
    p.taps *= p.gemm.kernel[i];
  }
  if (p.gemm.kernel.size() > 3) return "more than three spatial axes";
  p.gemm.group = p.attrs.group;
  p.gemm.columns = p.filters / p.attrs.group;
  p.epilogue = epilogue_params(query, p.form, p.bias, p.filters, 1);
  apply(p.epilogue, p.gemm);
  p.flops = 2 * typical_elements(query, out) * static_cast<double>(p.channels * p.taps);
  p.bytes = 4 * (typical_elements(query, out) + typical_elements(query, x.type.shape)) +
            static_cast<double>(p.weights.byte_count());
  return "";
}

void emit_conv(StepBuilder& builder, const Node& node, const ConvProblem& p, const char* kernel, const GemmAttrs& gemm,
               const Tensor& packed) {
  std::vector<Operand> inputs = {builder.input(operand_index(node, p.form.anchor_inputs[0])), builder.constant(packed)};
  if (p.epilogue.bias.present())
    inputs.push_back(builder.constant(p.epilogue.bias.reshaped({p.epilogue.bias.element_count()})));
  for (ValueId extra : p.epilogue.extras) inputs.push_back(builder.input(operand_index(node, extra)));
  builder.step(StepKind::cpu, kernel, attrs_of(gemm), std::move(inputs), {builder.output(0)});
}

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

void propose_conv(const TacticQuery& query, CandidateSink& sink) {
  auto p = std::make_shared<ConvProblem>();
  if (std::string why = describe_conv(query, *p); !why.empty()) return sink.refuse("igemm", std::move(why));
  const Node* node = &query.node;
  const Isa isa = query.isa;
  const auto offer = [&](std::string name, const char* kernel, GemmAttrs gemm, double efficiency, auto pack) {
    Candidate candidate;
    candidate.name = std::move(name);
    candidate.inputs = operand_rules(query, p->form, p->epilogue);
    if (gemm.gathered != 0) candidate.inputs[operand_index(*node, p->form.anchor_inputs[0])] = LayoutRule::any;
    candidate.outputs = {LayoutRule::channels_last};
    candidate.strided_inputs = true;
    candidate.strided_output = true;
    candidate.estimated_us = estimate_us(query, p->flops, p->bytes, efficiency);
    candidate.emit = [=](StepBuilder& builder) { emit_conv(builder, *node, *p, kernel, gemm, pack()); };
    sink.offer(std::move(candidate));
  };
  const bool depthwise = p->channels == 1 && p->attrs.group == p->filters && p->gemm.kernel.size() == 2;
  if (depthwise) return offer("depthwise", "depthwise", p->gemm, 0.25, [p] { return pack_depthwise(*p); });
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
    if (few) offer("igemm.gathered.r" + std::to_string(row_blocks), "igemm", gemm, efficiency / 2, pack(true));
    efficiency -= 0.02;
  }
}

}  // namespace

void register_conv(TacticTable& table) { table.add("conv", propose_conv); }

}  // namespace planish::tactics::cpu
