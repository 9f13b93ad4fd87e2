#pragma once
// What the convolutions share: their operands, in which order those must lie, and how a step is made of them.

#include <functional>
#include <memory>

#include "kernels/reference/conv.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {

struct ConvOperands {
  EpilogueForm form;
  ConvAttrs attrs;
  Tensor weights;
  ValueId bias;  // not valid when the anchor has none
};

// Empty, or why the node is no f32 convolution with constant weights and bias.
std::string describe_operands(const TacticQuery& query, ConvOperands& operands);

// Of an image that is better read in any order, a pixel's window at a time.
constexpr int64_t kFewChannels = 8;

// Weights: [M, C/group, kernel…].
struct ConvProblem : ConvOperands {
  GemmAttrs gemm;
  EpilogueParams epilogue;
  int64_t filters = 0, channels = 0, taps = 1;  // channels: a group's
  double flops = 0, bytes = 0;
};

// Empty, or why the matrix kernels do not take the convolution.
std::string describe_conv(const TacticQuery& query, ConvProblem& problem);
// The same of operands that are there already, of any types.
std::string describe_windows(const TacticQuery& query, ConvProblem& problem);

// Data operands of the result's shape lie channels last; rows of a value a channel are taken as they are, but a
// residual of that kind is read along its channels.
std::vector<LayoutRule> operand_rules(const TacticQuery& query, const EpilogueForm& form,
                                      const EpilogueParams& epilogue);

// One step of an fp32 kernel, with the weights that `pack` makes; its estimate is to be set.
Candidate conv_candidate(const TacticQuery& query, std::shared_ptr<const ConvProblem> problem, std::string name,
                         const char* kernel, const GemmAttrs& gemm, std::function<Tensor()> pack);

}  // namespace planish::tactics::cpu
