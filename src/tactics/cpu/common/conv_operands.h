#pragma once
// What convolution and transposed convolution share: their operands, and in which order those must lie.

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

// Data operands of the result's shape lie channels last; rows of a value a channel are taken as they are, but a
// residual of that kind is read along its channels.
std::vector<LayoutRule> operand_rules(const TacticQuery& query, const EpilogueForm& form,
                                      const EpilogueParams& epilogue);

}  // namespace planish::tactics::cpu
