#pragma once
// Kernels that take a node as it is: same operands, same attributes, one step.

#include "tactics/tactic.h"

namespace planish::tactics::cpu {

struct DirectKernel {
  std::string kernel;
  LayoutRule inputs = LayoutRule::any, outputs = LayoutRule::any;
  bool strided_output = false;  // Candidate::strided_output
  double flops = 0;
  double bytes = -1;  // of traffic; negative: all of the operands and results
};

void offer_direct(const TacticQuery& query, CandidateSink& sink, const DirectKernel& direct);

// "operand 1 is f64 [3], f32 is accepted", or "" when operand `i` is absent or of one of `accepted`.
std::string refuse_dtype(const TacticQuery& query, size_t i, std::initializer_list<DataType> accepted);

}  // namespace planish::tactics::cpu
