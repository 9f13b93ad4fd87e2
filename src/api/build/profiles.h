#pragma once
// Profiles: one plan that serves several sets of shapes, each with steps and an arena of its own.

#include <string>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace planish::api {

struct InputRange {
  std::string input;
  std::vector<DimRange> axes;
};

// Gives the symbols of the inputs' extents these ranges. Error(invalid_argument): no such input, another rank, a
// fixed extent outside its range, an expression, or one symbol with two ranges.
void apply_ranges(Graph& graph, const std::vector<InputRange>& ranges);

// Appends the profiles of `other`, which was built from the same network; constants are shared by content.
void merge_profiles(Plan& plan, Plan other);

}  // namespace planish::api
