#pragma once
// One operand, its result and an epilogue: what poolings, reductions and softmax have in common.

#include <optional>

#include "tactics/cuda/common/launch.h"

namespace planish::tactics::cuda {

struct UnaryProblem {
  EpilogueForm form;
  Epilogue epilogue;
  TensorType x, y;
  size_t operand = 0;
};

// Floats alone. Refuses in the name of `tactic` what it cannot read.
std::optional<UnaryProblem> unary_problem(const TacticQuery& query, CandidateSink& sink, const std::string& tactic);

// `launch`: its arguments are complete but for the epilogue's. Operand and result may be windows.
Candidate unary_candidate(const TacticQuery& query, const UnaryProblem& p, Launch launch, LayoutRule operand,
                          LayoutRule result, double flops);
void offer_unary(const TacticQuery& query, CandidateSink& sink, const UnaryProblem& p, Launch launch,
                 LayoutRule operand, LayoutRule result, double flops);

}  // namespace planish::tactics::cuda
