#pragma once
// Products of f32 rows and a constant matrix [K, N], packed when the plan is written.

#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {

// `weights`: what the anchor multiplies by, whether an operand of the node or made of some.
void offer_packed(const TacticQuery& query, CandidateSink& sink, const EpilogueForm& form, const Tensor& weights);

}  // namespace planish::tactics::cpu
