#pragma once
// What the products of a plan are computed in.

#include <map>
#include <string>

#include "plan/plan.h"

namespace planish::cli {

// "fp32", "tf32", "bf16", "int8" of a product of the processor; empty: the step is none.
std::string arithmetic_of(const Step& step);

// How many products are computed in each, bodies of loops and branches included.
std::map<std::string, int> arithmetic_of(const Plan& plan);

// "12 in bf16, 3 in fp32".
std::string text_of(const std::map<std::string, int>& arithmetic);
// What stands behind a share of the fp32 peak where products of narrower numbers may go beyond it; else nothing.
std::string above_fp32(std::map<std::string, int> arithmetic);

}  // namespace planish::cli
