#pragma once
// What an epilogue adds first: a bias or a residual, which kernels take as an operand of its own.

#include "tactics/tactic.h"

namespace planish {

// The input that a leading add(r0, input) reads, where both are read nowhere else; 0: there is none.
uint16_t leading_addend(const PointwiseProgram& program);

// The program behind its leading addition: the sum takes the place of r0, the addend's register goes.
void drop_leading_add(PointwiseProgram& program, uint16_t addend);

// A constant row of the channels that is added first becomes the bias.
bool take_bias(const TacticQuery& query, PointwiseProgram& program, std::vector<ValueId>& extras, int64_t channels,
               Tensor& bias);

}  // namespace planish
