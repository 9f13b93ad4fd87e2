#include "tactics/cpu/common/mma_problem.h"

#include <algorithm>

namespace planish::tactics::cpu {
namespace {

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
  attrs.dynamic = p.dynamic.empty() ? 0 : 1;
  std::vector<Operand> inputs = {builder.input(p.data), builder.constant(p.pack(mma)), builder.constant(bias_row(p))};
  if (p.rows_behind)
    for (const Tensor& row : p.rows_behind(mma)) inputs.push_back(builder.constant(row));
  for (size_t i : p.dynamic) inputs.push_back(builder.input(i));
  for (size_t extra : p.extras) inputs.push_back(builder.input(extra));
  builder.step(StepKind::cpu, p.kernel, attrs_of(attrs), std::move(inputs), {builder.output(0)});
}

// Values of the image or matrix to a row: of positions the taps are shared.
int64_t row_values(const TacticQuery& query, const MmaProblem& p, Mma mma) {
  int64_t taps = 1;
  for (int64_t k : p.attrs.kernel) taps *= k;
  const int64_t channels = p.values / std::max<int64_t>(taps, 1);
  return mma_runs(mma, query.isa, p.attrs, channels).form == ImageForm::positions ? channels : p.values;
}

// Microseconds of one thread. Values of the image are put down in words: each of it once where taps are shifts of it;
// the taps of few channels one by one.
double put_down_us(const TacticQuery& query, const MmaProblem& p, Mma mma) {
  constexpr double kInRows = 8e3, kOneByOne = 700;  // values a microsecond
  int64_t taps = 1;
  for (int64_t k : p.attrs.kernel) taps *= k;
  const int64_t channels = p.values / std::max<int64_t>(taps, 1),
                runs = mma_runs(mma, query.isa, p.attrs, channels).count;
  const bool scattered = taps > 1 && runs == 1 && channels < kFewChannels;
  const double values = p.rows * static_cast<double>(p.values * p.attrs.group) / static_cast<double>(runs);
  return values / (scattered ? kOneByOne : kInRows);
}

void set_operands(const TacticQuery& query, const EpilogueForm& form, EpilogueParams epilogue, MmaProblem& p) {
  p.epilogue = std::move(epilogue);
  p.data = operand_index(query.node, form.anchor_inputs[0]);
  for (ValueId extra : p.epilogue.extras) p.extras.push_back(operand_index(query.node, extra));
}

}  // namespace

MmaProblem mma_conv_problem(const TacticQuery& query, const ConvProblem& conv) {
  MmaProblem p;
  p.kernel = "mma_conv";
  p.family = "igemm";
  static_cast<GemmAttrs&>(p.attrs) = conv.gemm;
  set_operands(query, conv.form, conv.epilogue, p);
  p.inputs = operand_rules(query, conv.form, conv.epilogue);
  if (conv.channels * conv.attrs.group <= kFewChannels &&
      std::find(p.extras.begin(), p.extras.end(), p.data) == p.extras.end())
    p.inputs[p.data] = LayoutRule::any;
  p.outputs = {LayoutRule::channels_last};
  p.values = conv.channels * conv.taps;
  p.rows =
      typical_elements(query, query.output(0).type.shape) / static_cast<double>(std::max<int64_t>(conv.filters, 1));
  p.flops = conv.flops;
  p.weights = static_cast<double>(conv.weights.element_count());
  p.bytes = conv.bytes - static_cast<double>(conv.weights.byte_count());
  return p;
}

MmaProblem mma_gemm_problem(const TacticQuery& query, const EpilogueForm& form, EpilogueParams epilogue, int64_t values,
                            int64_t columns) {
  MmaProblem p;
  p.kernel = "mma_gemm";
  p.family = "gemm";
  p.values = values;
  p.attrs.columns = columns;
  set_operands(query, form, std::move(epilogue), p);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  if (p.epilogue.residual) p.inputs[p.extras[0]] = LayoutRule::row_major;
  p.outputs = {LayoutRule::row_major};
  const double results = typical_elements(query, query.output(0).type.shape);
  p.rows = results / static_cast<double>(std::max<int64_t>(columns, 1));
  p.flops = 2 * results * static_cast<double>(values);
  p.bytes = 4 * (typical_elements(query, query.input(p.data).type.shape) + results);
  p.weights = static_cast<double>(values * columns);
  return p;
}

void offer_mma(const TacticQuery& query, CandidateSink& sink, const MmaProblem& problem,
               const std::vector<Mma>& kinds) {
  const auto p = std::make_shared<const MmaProblem>(problem);
  for (Mma mma : kinds) {
    const std::string family = p->family + "." + std::string(mma_class(mma)) + (is_tiled(mma) ? "" : ".dot");
    double penalty = 1;
    const auto choices = mma_row_choices(mma, query.isa, query.threads, p->rows, row_values(query, *p, mma),
                                         p->attrs.columns, p->weights / static_cast<double>(p->attrs.group));
    const double bytes = p->bytes + weight_bytes_of(mma, query.isa, p->weights);
    for (int64_t row_blocks : p->chunked ? choices : std::vector<int64_t>{0}) {
      Candidate candidate;
      candidate.name = family + (p->chunked ? ".r" + std::to_string(row_blocks) : "");
      candidate.inputs = p->inputs;
      candidate.outputs = p->outputs;
      candidate.strided_inputs = candidate.strided_output = p->kernel != "mma_gemm";
      const MmaFormat format = mma_format(mma, code_level(query.isa));
      if (!format.integer && format.planes == 1) candidate.half_inputs = kAllOperands;
      candidate.half_output = !format.integer && format.planes == 1;
      candidate.estimated_us = penalty * estimate_mma_us(query, mma, p->flops, bytes, put_down_us(query, *p, mma));
      penalty *= 1.02;
      candidate.emit = [p, mma, row_blocks](StepBuilder& builder) { emit_mma(builder, *p, mma, row_blocks); };
      sink.offer(std::move(candidate));
    }
  }
}

}  // namespace planish::tactics::cpu
