// Products of quantised numbers on the integers themselves. With centred weights W = w - zw
//   sum (x - zx) W sx sw  =  (sum x W - zx sum W) sx sw
// so that a column's offset takes the zero point out of the exact sum (and the 128 that signed bytes are raised by
// where only unsigned ones multiply), and its scale makes a number of it in steps of the result. Where zx and sx are
// known only when it runs, offsets are the negated sums of W.

#include "tactics/cpu/common/mma_problem.h"
#include "tactics/cpu/common/quantized_form.h"

namespace planish::tactics::cpu {
namespace {

std::vector<Mma> integer_mmas(const TacticQuery& query, const QuantizedWeights& weights) {
  std::vector<Mma> found;
  for (Mma mma : {Mma::tile_i8, Mma::dot_i8, Mma::madd_i16}) {
    const bool bytes = weights.least >= -128 && weights.most <= 127;
    if (has_mma(query.isa, mma) && (mma == Mma::madd_i16 || bytes)) found.push_back(mma);
  }
  return found;
}

// What kernels do behind numbers within: a residual of numbers is added.
bool ends_as_sum(const QuantizedForm& q, const EpilogueParams& epilogue) {
  return !q.inner || (q.dynamic.empty() && epilogue.residual && q.extras.count(epilogue.extras[0]) > 0);
}

// sums: of each column's weights
void set_integers(const TacticQuery& query, const QuantizedForm& q, const QuantizedEpilogue& e,
                  std::vector<int32_t> sums, MmaProblem& p) {
  for (ValueId id : q.dynamic) {
    p.dynamic.push_back(operand_index(query.node, id));
    p.inputs[p.dynamic.back()] = LayoutRule::row_major;
  }
  p.attrs.x_zero = q.x.zero;
  p.attrs.out_zero = e.out_zero;
  p.attrs.residual_zero = e.residual_zero;
  p.attrs.residual_scale = e.residual_scale;
  if (!q.table.results.empty()) p.attrs.table = q.table.str();
  p.attrs.table_signed = q.result && q.result->numbers == DataType::i8 ? 1 : 0;
  p.attrs.inner_scale = e.inner_scale;
  p.attrs.inner_zero = q.inner ? q.inner->zero : 0;
  p.attrs.inner_signed = q.inner && q.inner->numbers == DataType::i8 ? 1 : 0;
  const bool is_signed = q.x.numbers == DataType::i8;
  p.rows_behind = [=, dynamic = !q.dynamic.empty(), zero = q.x.zero, scales = e.scales](Mma mma) {
    const int64_t taken = dynamic ? 1 : zero + (is_signed && mma != Mma::madd_i16 ? 128 : 0);
    std::vector<int32_t> offsets;
    for (int32_t sum : sums) offsets.push_back(static_cast<int32_t>(-taken * sum));
    const auto columns = static_cast<int64_t>(scales.size());
    return std::vector<Tensor>{Tensor::of<float>({columns}, scales), Tensor::of<int32_t>({columns}, offsets)};
  };
  // Bytes where there were words of four.
  p.bytes /= 4;
}

// A group a channel: the channels are the columns of one product of depth `taps`.
void offer_depthwise(const TacticQuery& query, CandidateSink& sink, const ConvProblem& conv,
                     const QuantizedWeights& weights, MmaProblem p) {
  p.kernel = "mma_depthwise";
  p.family = "depthwise";
  p.attrs.group = 1;
  p.attrs.columns = conv.filters;
  p.inputs[p.data] = LayoutRule::channels_last;
  p.chunked = false;
  const bool dots = has_mma(query.isa, Mma::dot_i8) && weights.least >= -128 && weights.most <= 127 &&
                    conv.taps <= kMostTaps && DepthwiseWords(p.attrs, code_level(query.isa)).fits();
  p.pack = [isa = query.isa, attrs = p.attrs, taps = conv.taps, centred = conv.weights](Mma mma) {
    const auto w = centred.as<int16_t>();
    if (mma == Mma::dot_i8) return pack_depthwise(isa, attrs, w);
    return pack_words(mma, isa, 1, attrs.columns, taps,
                      [&](int64_t, int64_t n, int64_t k) { return w[static_cast<size_t>(n * taps + k)]; });
  };
  offer_mma(query, sink, p, {dots ? Mma::dot_i8 : Mma::madd_i16});
}

void propose_conv_of_numbers(const TacticQuery& query, CandidateSink& sink, const QuantizedForm& q) {
  ConvProblem conv;
  conv.form = q.form;
  conv.attrs = attrs_to<ConvAttrs>(q.form.anchor->attrs);
  conv.weights = q.weights.centred;
  if (q.form.anchor_inputs.size() > 2) conv.bias = q.form.anchor_inputs[2];
  if (std::string why = describe_windows(query, conv); !why.empty()) return sink.refuse("igemm.i8", std::move(why));
  if (!ends_as_sum(q, conv.epilogue)) return sink.refuse("igemm.i8", "numbers are quantised within the epilogue");
  const QuantizedEpilogue e = quantized_epilogue(q, conv.epilogue, conv.filters);
  conv.epilogue = e.params;
  MmaProblem p = mma_conv_problem(query, conv);
  std::vector<int32_t> sums(static_cast<size_t>(conv.filters), 0);
  const auto w = q.weights.centred.as<int16_t>();
  for (size_t i = 0; i < w.size(); ++i) sums[i / (w.size() / sums.size())] += w[i];
  set_integers(query, q, e, std::move(sums), p);
  if (conv.channels == 1 && conv.attrs.group == conv.filters) {
    if (!q.dynamic.empty()) return sink.refuse("depthwise.i8", "the scale of the operand is dynamic");
    return offer_depthwise(query, sink, conv, q.weights, std::move(p));
  }
  p.pack = pack_filters<int16_t>(query, conv, q.weights.centred);
  offer_mma(query, sink, p, integer_mmas(query, q.weights));
}

void propose_matrix_of_numbers(const TacticQuery& query, CandidateSink& sink, const QuantizedForm& q) {
  const int64_t values = q.weights.centred.extents()[0], columns = q.weights.centred.extents()[1];
  const EpilogueParams epilogue = epilogue_params(query, q.form, {}, columns, query.output(0).type.shape.rank() - 1);
  if (!ends_as_sum(q, epilogue)) return sink.refuse("gemm.i8", "numbers are quantised within the epilogue");
  const QuantizedEpilogue e = quantized_epilogue(q, epilogue, columns);
  MmaProblem p = mma_gemm_problem(query, q.form, e.params, values, columns);
  std::vector<int32_t> sums(static_cast<size_t>(columns), 0);
  const auto w = q.weights.centred.as<int16_t>();
  for (size_t i = 0; i < w.size(); ++i) sums[i % sums.size()] += w[i];
  set_integers(query, q, e, std::move(sums), p);
  p.pack = pack_matrix<int16_t>(query, q.weights.centred);
  offer_mma(query, sink, p, integer_mmas(query, q.weights));
}

void propose_product_of_numbers(const TacticQuery& query, CandidateSink& sink) {
  if (query.node.op != "fused") return;
  const auto q = quantized_form(query.graph, query.node);
  if (!q) return;  // a pointwise body
  q->form.anchor->op == "conv" ? propose_conv_of_numbers(query, sink, *q) : propose_matrix_of_numbers(query, sink, *q);
}

}  // namespace

void register_mma_quantized(TacticTable& table) { table.add("dequantize_linear", propose_product_of_numbers); }

}  // namespace planish::tactics::cpu
