// Products of fp32 operands in the reduced precisions that are permitted: the operands stay fp32 in memory, the kernel
// rounds them as it reads. "tf32" (two bf16 parts each) is closer than TensorRT's TF32, "bf16" keeps 8 bits.

#include <algorithm>

#include "tactics/cpu/common/conv_operands.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish::tactics::cpu {
namespace {

// One product, whatever the operator: what its candidates differ in is the arithmetic and the chunk.
struct MmaProblem {
  std::string kernel, family;  // "mma_conv", "igemm"
  MmaAttrs attrs;
  EpilogueParams epilogue;
  size_t data = 0;             // operand of the node
  std::vector<size_t> extras;  // likewise
  std::vector<LayoutRule> inputs, outputs;
  int64_t values = 0;  // of depth
  double rows = 0, flops = 0, bytes = 0;
  std::function<Tensor(Mma)> pack;
};

Tensor bias_row(const MmaProblem& p) {
  const int64_t columns = p.attrs.columns * p.attrs.group;
  if (p.epilogue.bias.present()) return p.epilogue.bias.reshaped({columns});
  return Tensor::of<float>({columns}, std::vector<float>(static_cast<size_t>(columns), 0.f));
}

void emit_mma(StepBuilder& builder, const MmaProblem& p, Mma mma, int64_t row_blocks) {
  MmaAttrs attrs = p.attrs;
  apply(p.epilogue, attrs);
  attrs.mma = static_cast<int64_t>(mma);
  attrs.row_blocks = row_blocks;
  std::vector<Operand> inputs = {builder.input(p.data), builder.constant(p.pack(mma)), builder.constant(bias_row(p))};
  for (size_t extra : p.extras) inputs.push_back(builder.input(extra));
  builder.step(StepKind::cpu, p.kernel, attrs_of(attrs), std::move(inputs), {builder.output(0)});
}

void offer_mma(const TacticQuery& query, CandidateSink& sink, const std::shared_ptr<const MmaProblem>& p) {
  for (Mma mma : permitted_float_mmas(query)) {
    const std::string family = p->family + "." + std::string(mma_class(mma)) + (is_tiled(mma) ? "" : ".dot");
    if (!fits_mma(mma, query.isa, p->values)) {
      sink.refuse(family, "a depth of " + std::to_string(p->values) + " values");
      continue;
    }
    double penalty = 1;
    for (int64_t row_blocks : mma_row_choices(mma, query.isa, query.threads, p->rows, p->values)) {
      Candidate candidate;
      candidate.name = family + ".r" + std::to_string(row_blocks);
      candidate.inputs = p->inputs;
      candidate.outputs = p->outputs;
      candidate.strided_inputs = candidate.strided_output = p->kernel == "mma_conv";
      candidate.estimated_us =
          penalty * estimate_mma_us(query, mma, p->flops, p->bytes, p->rows * static_cast<double>(p->values));
      penalty *= 1.02;
      candidate.emit = [p, mma, row_blocks](StepBuilder& builder) { emit_mma(builder, *p, mma, row_blocks); };
      sink.offer(std::move(candidate));
    }
  }
}

void set_extras(const TacticQuery& query, MmaProblem& p) {
  for (ValueId extra : p.epilogue.extras) p.extras.push_back(operand_index(query.node, extra));
}

void propose_mma_conv(const TacticQuery& query, CandidateSink& sink) {
  if (permitted_float_mmas(query).empty()) return;
  ConvProblem conv;
  if (std::string why = describe_conv(query, conv); !why.empty()) return sink.refuse("igemm.mma", std::move(why));
  if (conv.attrs.group > 1 && conv.channels < 8) return sink.refuse("igemm.mma", "groups of few channels");
  auto p = std::make_shared<MmaProblem>();
  p->kernel = "mma_conv";
  p->family = "igemm";
  static_cast<GemmAttrs&>(p->attrs) = conv.gemm;
  p->epilogue = conv.epilogue;
  p->data = operand_index(query.node, conv.form.anchor_inputs[0]);
  set_extras(query, *p);
  p->inputs = operand_rules(query, conv.form, conv.epilogue);
  if (conv.channels * conv.attrs.group <= kFewChannels &&
      std::find(p->extras.begin(), p->extras.end(), p->data) == p->extras.end())
    p->inputs[p->data] = LayoutRule::any;
  p->outputs = {LayoutRule::channels_last};
  p->values = conv.channels * conv.taps;
  p->rows =
      typical_elements(query, query.output(0).type.shape) / static_cast<double>(std::max<int64_t>(conv.filters, 1));
  p->flops = conv.flops;
  p->bytes = conv.bytes;
  p->pack = [isa = query.isa, attrs = p->attrs, weights = conv.weights, channels = conv.channels,
             taps = conv.taps](Mma mma) {
    const auto w = weights.as<float>();
    return pack_words(mma, isa, attrs.group, attrs.columns, channels * taps, [&](int64_t g, int64_t n, int64_t k) {
      return w[static_cast<size_t>(((g * attrs.columns + n) * channels + k % channels) * taps + k / channels)];
    });
  };
  offer_mma(query, sink, p);
}

void propose_mma_gemm(const TacticQuery& query, CandidateSink& sink) {
  if (permitted_float_mmas(query).empty()) return;
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return sink.refuse("gemm.mma", "the fused body is not an anchor with a pointwise epilogue");
  const Value &a = query.graph.value(form->anchor_inputs[0]), &b = query.graph.value(form->anchor_inputs[1]);
  if (a.type.dtype != DataType::f32 || !b.is_constant() || b.type.shape.rank() != 2 || a.type.shape.rank() < 2)
    return sink.refuse("gemm.mma", "f32 rows and a constant f32 matrix are accepted");
  auto p = std::make_shared<MmaProblem>();
  p->kernel = "mma_gemm";
  p->family = "gemm";
  p->values = b.constant.extents()[0];
  p->attrs.columns = b.constant.extents()[1];
  p->epilogue = epilogue_params(query, *form, {}, p->attrs.columns, query.output(0).type.shape.rank() - 1);
  p->data = operand_index(query.node, form->anchor_inputs[0]);
  set_extras(query, *p);
  p->inputs.assign(query.node.inputs.size(), LayoutRule::any);
  if (p->epilogue.residual) p->inputs[p->extras[0]] = LayoutRule::row_major;
  p->outputs = {LayoutRule::row_major};
  const double results = typical_elements(query, query.output(0).type.shape);
  p->rows = results / static_cast<double>(std::max<int64_t>(p->attrs.columns, 1));
  p->flops = 2 * results * static_cast<double>(p->values);
  p->bytes = 4 * (typical_elements(query, a.type.shape) + results) + static_cast<double>(b.constant.byte_count());
  p->pack = [isa = query.isa, weights = b.constant, values = p->values, columns = p->attrs.columns](Mma mma) {
    const auto w = weights.as<float>();
    return pack_words(mma, isa, 1, columns, values,
                      [&](int64_t, int64_t n, int64_t k) { return w[static_cast<size_t>(k * columns + n)]; });
  };
  offer_mma(query, sink, p);
}

}  // namespace

void register_mma(TacticTable& table) {
  table.add("conv", propose_mma_conv);
  table.add("matmul", propose_mma_gemm);
}

}  // namespace planish::tactics::cpu
