// Expand, depthwise and project as one step (kernels/depthwise_block.h): of a fused node whose body is a chain of
// convolutions, with what each of them has fused itself.

#include "kernels/depthwise_block.h"

#include <algorithm>

#include "kernels/activation.h"
#include "kernels/half_depthwise.h"
#include "ops/builder.h"
#include "tactics/cpu/common/conv_operands.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish::tactics::cpu {
namespace {

constexpr size_t kStages = 3;  // expand, depthwise, project

struct BlockProblem {
  std::optional<ConvProblem> stages[kStages];
  DepthwiseBlockAttrs attrs;
  size_t image = 0;  // operand of the node
  std::optional<size_t> residual;
  int64_t width = 0;  // of the image
  double rows = 0;    // of the result, of all images
  double flops = 0, bytes = 0;

  const ConvProblem& depthwise() const { return *stages[1]; }
};

// The body with its constant operands as its own, so that its nodes are looked at as those of any graph.
Graph body_of(const Graph& graph, const Node& node) {
  Graph body = node.regions[0]->clone();
  share_symbols(graph, body);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Value& outer = graph.value(node.inputs[i]);
    if (outer.is_constant()) body.replace_uses(body.inputs()[i], body.add_constant(outer.constant, outer.name));
  }
  return body;
}

// Whether the body is convolutions alone: other nodes are not this tactic's, and it says nothing of them.
bool is_chain(const Node& node) {
  const auto is_conv = [](const Node& part) {
    const Graph* body = part.op == "fused" ? part.regions[0].get() : nullptr;
    return (body != nullptr ? body->node(body->nodes().front()) : part).op == "conv";
  };
  if (node.op != "fused") return false;
  const Graph& body = *node.regions[0];
  const auto parts = body.nodes();
  return parts.size() > 1 && parts.size() <= kStages &&
         std::all_of(parts.begin(), parts.end(), [&](NodeId id) { return is_conv(body.node(id)); });
}

bool is_plain_product(const ConvProblem& p) {
  const auto all = [](const std::vector<int64_t>& values, int64_t wanted) {
    return std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == wanted; });
  };
  return p.attrs.group == 1 && p.taps == 1 && p.gemm.kernel.size() == 2 && all(p.gemm.strides, 1) &&
         all(p.gemm.pads, 0);
}

bool is_depthwise(const ConvProblem& p) {
  return p.channels == 1 && p.attrs.group == p.filters && p.filters > 1 && p.gemm.kernel.size() == 2;
}

// Empty, or why sums of this stage do not end in the kernel's registers.
std::string describe_end(const EpilogueParams& end, bool may_add, size_t stage, DepthwiseBlockAttrs& attrs) {
  if (!end.extras.empty() && !(may_add && end.residual && end.extras.size() == 1))
    return "a convolution with further operands";
  if (!end.program.empty()) {
    const Activation form = activation_of(PointwiseProgram::parse(end.program));
    if (!form.present() || form.adds) return "an epilogue that is no activation";
  }
  attrs.programs[stage] = end.program;
  attrs.clamped[stage] = end.clamped ? 1 : 0;
  attrs.lows[stage] = end.clamped ? end.low : 0;
  attrs.highs[stage] = end.clamped ? end.high : 0;
  return "";
}

std::string describe_stages(const TacticQuery& query, const Graph& body, BlockProblem& p) {
  DepthwiseBlockAttrs& a = p.attrs;
  a.programs.resize(kStages);
  a.clamped.resize(kStages);
  a.lows.resize(kStages);
  a.highs.resize(kStages);
  ValueId last = body.inputs()[0];
  const auto order = body.nodes();
  for (size_t i = 0; i < order.size(); ++i) {
    const TacticQuery inner{body, body.node(order[i]), query.isa, query.threads, query.precisions, query.cuda};
    ConvProblem conv;
    if (std::string why = describe_conv(inner, conv); !why.empty()) return why;
    if (i == 0) last = conv.form.anchor_inputs[0];
    if (conv.form.anchor_inputs[0] != last) return "a convolution that reads something else";
    const size_t stage = !p.stages[1] ? (is_depthwise(conv) ? 1 : 0) : 2;
    if (p.stages[stage] || (stage != 1 && !is_plain_product(conv))) return "no depthwise convolution beside 1x1 ones";
    if (std::string why = describe_end(conv.epilogue, stage == 2, stage, a); !why.empty()) return why;
    last = inner.node.outputs[0];
    p.flops += conv.flops;
    p.stages[stage] = std::move(conv);
  }
  return p.stages[1] ? "" : "no depthwise convolution";
}

std::string describe_block(const TacticQuery& query, const Graph& body, BlockProblem& p) {
  if (std::string why = describe_stages(query, body, p); !why.empty()) return why;
  const auto operand = [&](ValueId id) {
    return static_cast<size_t>(std::find(body.inputs().begin(), body.inputs().end(), id) - body.inputs().begin());
  };
  DepthwiseBlockAttrs& a = p.attrs;
  const ConvProblem &first = p.stages[0] ? *p.stages[0] : *p.stages[1], &dw = p.depthwise();
  p.image = operand(first.form.anchor_inputs[0]);
  if (p.image >= query.node.inputs.size()) return "an image that is no operand";
  for (size_t i = 0; i < 2; ++i)
    if (dw.gemm.dilations[i] != 1 || dw.gemm.pads[i] < 0 || dw.gemm.pads[i] >= dw.gemm.kernel[i])
      return "a dilated window, or one that is beside the image";
  if (dw.taps > kMostTaps) return "a kernel of more than 1024 taps";
  a.hidden = dw.filters;
  a.expands = p.stages[0] ? 1 : 0;
  a.projects = p.stages[2] ? 1 : 0;
  a.kernel = dw.gemm.kernel;
  a.strides = dw.gemm.strides;
  a.pads = dw.gemm.pads;
  const Shape &x = query.input(p.image).type.shape, &y = query.output(0).type.shape;
  if (a.projects != 0 && !p.stages[2]->epilogue.extras.empty()) {
    p.residual = operand(p.stages[2]->epilogue.extras[0]);
    a.residual = 1;
    if (query.input(*p.residual).type.shape != y) return "an addend of another shape than the result";
  }
  const auto sizes = query.typical(x), results = query.typical(y);
  p.width = sizes[3];
  p.rows = static_cast<double>(results[0] * results[2]);
  p.bytes = 4 * (typical_elements(query, x) + typical_elements(query, y));
  for (const auto& stage : p.stages)
    if (stage) p.bytes += static_cast<double>(stage->weights.byte_count());
  return "";
}

Tensor pack_rows(const HiddenSlices& slices, const Tensor& bias) {
  return Tensor::make(DataType::f32, {slices.count(), HiddenSlices::kSlice}, [&](std::byte* out) {
    slices.each([&](int64_t slice, HiddenSlices::Range channels) {
      auto* const to = reinterpret_cast<float*>(out) + slice * HiddenSlices::kSlice;
      std::fill_n(to, HiddenSlices::kSlice, 0.f);
      if (!bias.present()) return;
      const auto from = bias.as<float>();
      std::copy(from.begin() + channels.begin, from.begin() + channels.end, to);
    });
  });
}

// w[hidden][C] -> [slice][panel][C][panel_width]
Tensor pack_expand(Isa isa, const HiddenSlices& slices, const ConvProblem& p) {
  const auto* w = p.weights.as<float>().data();
  const int64_t width = panel_of(isa), panels = HiddenSlices::kSlice / width;
  return Tensor::make(DataType::f32, {slices.count(), panels, p.channels, width}, [&](std::byte* out) {
    slices.each([&](int64_t slice, HiddenSlices::Range hidden) {
      auto* to = reinterpret_cast<float*>(out) + slice * HiddenSlices::kSlice * p.channels;
      for (int64_t panel = 0; panel < panels; ++panel)
        for (int64_t c = 0; c < p.channels; ++c)
          for (int64_t j = 0; j < width; ++j) {
            const int64_t h = hidden.begin + panel * width + j;
            *to++ = h < hidden.end ? w[h * p.channels + c] : 0.f;
          }
    });
  });
}

// w[hidden][tap] -> [slice][tap][kSlice]
Tensor pack_filter(const HiddenSlices& slices, const ConvProblem& p) {
  const auto* w = p.weights.as<float>().data();
  return Tensor::make(DataType::f32, {slices.count(), p.taps, HiddenSlices::kSlice}, [&](std::byte* out) {
    slices.each([&](int64_t slice, HiddenSlices::Range hidden) {
      auto* to = reinterpret_cast<float*>(out) + slice * HiddenSlices::kSlice * p.taps;
      for (int64_t t = 0; t < p.taps; ++t)
        for (int64_t j = 0; j < HiddenSlices::kSlice; ++j)
          *to++ = j < hidden.size() ? w[(hidden.begin + j) * p.taps + t] : 0.f;
    });
  });
}

// w[filter][hidden] -> [panel][hidden][panel_width]
Tensor pack_project(Isa isa, const ConvProblem& p) {
  const auto* w = p.weights.as<float>().data();
  const Tensor packed = pack_panels(isa, 1, p.filters, 1, p.channels,
                                    [&](int64_t, int64_t n, int64_t, int64_t c) { return w[n * p.channels + c]; });
  const auto extents = packed.extents();
  return packed.reshaped({extents[1], extents[3], extents[4]});
}

Tensor bias_of(const ConvProblem& p) {
  if (p.epilogue.bias.present()) return p.epilogue.bias.reshaped({p.filters});
  return Tensor::make(DataType::f32, {p.filters},
                      [&](std::byte* to) { std::fill_n(reinterpret_cast<float*>(to), p.filters, 0.f); });
}

void emit_block(StepBuilder& builder, const BlockProblem& p, const DepthwiseBlockAttrs& attrs, Isa isa) {
  const HiddenSlices slices(attrs);
  std::vector<Operand> inputs = {builder.input(p.image)};
  if (attrs.expands != 0) {
    inputs.push_back(builder.constant(pack_expand(isa, slices, *p.stages[0])));
    inputs.push_back(builder.constant(pack_rows(slices, p.stages[0]->epilogue.bias)));
  }
  inputs.push_back(builder.constant(pack_filter(slices, p.depthwise())));
  inputs.push_back(builder.constant(pack_rows(slices, p.depthwise().epilogue.bias)));
  if (attrs.projects != 0) {
    inputs.push_back(builder.constant(pack_project(isa, *p.stages[2])));
    inputs.push_back(builder.constant(bias_of(*p.stages[2])));
  }
  if (p.residual) inputs.push_back(builder.input(*p.residual));
  builder.step(StepKind::cpu, "depthwise_block", attrs_of(attrs), std::move(inputs), {builder.output(0)});
}

Tensor pack_product_words(Isa isa, const ConvProblem& p) {
  const auto w = p.weights.as<float>();
  return pack_words(Mma::dot_bf16, isa, 1, p.filters, p.channels,
                    [&](int64_t, int64_t n, int64_t k) { return w[static_cast<size_t>(n * p.channels + k)]; });
}

void emit_half_block(StepBuilder& builder, const BlockProblem& p, const DepthwiseBlockAttrs& attrs, Isa isa) {
  std::vector<Operand> inputs = {builder.input(p.image)};
  for (size_t i = 0; i < kStages; ++i) {
    if (!p.stages[i]) continue;
    const ConvProblem& stage = *p.stages[i];
    inputs.push_back(builder.constant(i == 1 ? pack_half_depthwise(stage.gemm, stage.filters, stage.weights.as<float>())
                                             : pack_product_words(isa, stage)));
    inputs.push_back(builder.constant(bias_of(stage)));
  }
  if (p.residual) inputs.push_back(builder.input(*p.residual));
  builder.step(StepKind::cpu, "depthwise_block.bf16", attrs_of(attrs), std::move(inputs), {builder.output(0)});
}

// Products at the rate of those by themselves, the window at that of reading the second level of cache.
double block_us(const TacticQuery& query, const BlockProblem& p, bool half, double repeated) {
  constexpr double kProducts = 0.75, kWindow = 0.35, kHalfRate = 1.8;
  double products = 0;
  for (size_t i : {size_t{0}, size_t{2}})
    if (p.stages[i]) products += p.stages[i]->flops * (i == 0 ? 1 + repeated : 1);
  const double flops = products + p.depthwise().flops * kProducts / kWindow;
  return estimate_us(query, half ? flops / kHalfRate : flops, half ? p.bytes / 2 : p.bytes, kProducts);
}

// Rows of the result at once: all of a part's, or as many as leave the lines of all channels in L2, or in a part of it.
std::vector<int64_t> row_choices(const BlockProblem& p, bool half, int64_t all) {
  const DepthwiseBlockAttrs& a = p.attrs;
  std::vector<int64_t> choices = {0};
  const int64_t line = (p.width + 2 * a.pads[1]) * a.hidden * (half ? 2 : 4);
  for (int64_t bytes : {int64_t{384} << 10, int64_t{128} << 10}) {
    const int64_t rows = std::max<int64_t>((bytes / line - a.kernel[0]) / a.strides[0] + 1, 1);
    if (rows < all && rows != choices.back()) choices.push_back(rows);
  }
  return choices;
}

// Why the kernel of bf16 does not take the block; empty: it does.
std::string describe_half(const BlockProblem& p) {
  const DepthwiseBlockAttrs& a = p.attrs;
  if (!half_depthwise::takes(a.kernel, a.strides, {1, 1})) return "a window that is not 3 or 5 columns wide";
  const bool odd = a.hidden % 2 != 0 || (p.stages[0] && p.stages[0]->channels % 2 != 0);
  return odd ? "an odd number of channels" : "";
}

using BlockShared = std::shared_ptr<const BlockProblem>;

void offer_block(const TacticQuery& query, CandidateSink& sink, const BlockShared& p, bool half) {
  const int64_t parts = std::clamp<int64_t>(query.threads, 1, 64), all = static_cast<int64_t>(p->rows) / parts;
  const auto offer = [&](const std::string& name, const DepthwiseBlockAttrs& attrs, double us) {
    Candidate candidate;
    candidate.name = (half ? "depthwise_block.bf16." : "depthwise_block.") + name;
    candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
    candidate.inputs[p->image] = LayoutRule::channels_last;
    if (p->residual) candidate.inputs[*p->residual] = LayoutRule::channels_last;
    candidate.outputs = {LayoutRule::channels_last};
    candidate.strided_inputs = candidate.strided_output = !half;
    candidate.half_inputs = half ? kAllOperands : 0;
    candidate.half_output = half;
    candidate.estimated_us = us;
    candidate.emit = [p, attrs, half, isa = query.isa](StepBuilder& builder) {
      half ? emit_half_block(builder, *p, attrs, isa) : emit_block(builder, *p, attrs, isa);
    };
    sink.offer(std::move(candidate));
  };
  DepthwiseBlockAttrs attrs = p->attrs;
  attrs.parts = parts;
  // Lines that two parts of the rows need.
  const auto shared = static_cast<double>(attrs.kernel[0] - attrs.strides[0]);
  const double repeated = std::max(shared, 0.) * static_cast<double>(parts - 1) / std::max(p->rows, 1.);
  for (int64_t rows : row_choices(*p, half, all)) {
    attrs.rows = rows;
    offer("r" + std::to_string(rows), attrs, block_us(query, *p, half, repeated));
  }
  if (parts == 1 || attrs.hidden < parts * HiddenSlices::kSlice || (attrs.projects == 0 && !half)) return;
  attrs.rows = 0;
  attrs.by_channels = 1;
  offer("channels", attrs, block_us(query, *p, half, 0) + 1);
}

void propose_block(const TacticQuery& query, CandidateSink& sink) {
  if (!is_chain(query.node)) return;
  auto p = std::make_shared<BlockProblem>();
  if (std::string why = describe_block(query, body_of(query.graph, query.node), *p); !why.empty())
    return sink.refuse("depthwise_block", std::move(why));
  offer_block(query, sink, p, false);
  if (!query.precisions.bf16 || !has_mma(query.isa, Mma::dot_bf16)) return;
  if (std::string why = describe_half(*p); !why.empty()) return sink.refuse("depthwise_block.bf16", std::move(why));
  offer_block(query, sink, p, true);
}

}  // namespace

void register_depthwise_block(TacticTable& table) {
  table.add("fused", propose_block);
  table.add("conv", propose_block);
}

}  // namespace planish::tactics::cpu
