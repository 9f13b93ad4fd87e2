#pragma once
// A product of reduced precision, whatever its operator and operands: what its candidates differ in is the arithmetic
// and the chunk.

#include "tactics/cpu/common/conv_operands.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish::tactics::cpu {

struct MmaProblem {
  std::string kernel, family;  // "mma_conv", "igemm"
  MmaAttrs attrs;              // all but the kind, the chunk and the epilogue's
  EpilogueParams epilogue;
  size_t data = 0;             // operand of the node
  std::vector<size_t> extras;  // likewise
  std::vector<LayoutRule> inputs, outputs;
  int64_t values = 0;   // of depth
  bool chunked = true;  // the chunk is to be chosen
  double rows = 0, flops = 0;
  double bytes = 0;    // of x and the result
  double weights = 0;  // values of the matrix
  std::function<Tensor(Mma)> pack;
  std::function<std::vector<Tensor>(Mma)> rows_behind;  // of integers: scales and offsets
  std::vector<size_t> dynamic;  // operands of the node: x's scale and zero point, where only running tells them
};

MmaProblem mma_conv_problem(const TacticQuery& query, const ConvProblem& conv);
// A [.., values] by a constant matrix of `columns`.
MmaProblem mma_gemm_problem(const TacticQuery& query, const EpilogueForm& form, EpilogueParams epilogue, int64_t values,
                            int64_t columns);

// Packed weights: weight(g, column, value), and of a convolution w[filter][channel][tap] as such.
template <class T>
std::function<Tensor(Mma)> pack_filters(const TacticQuery& query, const ConvProblem& conv, const Tensor& weights) {
  return [isa = query.isa, gemm = conv.gemm, weights, channels = conv.channels, taps = conv.taps](Mma mma) {
    return pack_filter_words(mma, isa, gemm, channels, taps, weights.as<T>());
  };
}
template <class T>
std::function<Tensor(Mma)> pack_matrix(const TacticQuery& query, const Tensor& weights) {
  return [isa = query.isa, weights, values = weights.extents()[0], columns = weights.extents()[1]](Mma mma) {
    const auto w = weights.as<T>();
    return pack_words(mma, isa, 1, columns, values,
                      [&](int64_t, int64_t n, int64_t k) { return w[static_cast<size_t>(k * columns + n)]; });
  };
}

// Candidates for each kind.
void offer_mma(const TacticQuery& query, CandidateSink& sink, const MmaProblem& problem, const std::vector<Mma>& kinds);

}  // namespace planish::tactics::cpu
