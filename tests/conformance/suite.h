#pragma once
// The cases of a folder that holds node, simple, pytorch-converted, pytorch-operator and perhaps light.

#include <string>
#include <vector>

#include "conformance/case.h"

namespace planish::conformance {

struct Suite {
  std::vector<CaseRef> cases;  // in the order of suite and name
  std::vector<CaseRef> light;
  int judged = 0;                     // cases whose class stands in the table
  std::vector<std::string> disputed;  // those of them of which the rule says something else, in words
};

inline constexpr const char* kLight = "light";  // its cases are counted on their own

// `classes`: a table, or empty: the rule decides. `filter`: a part of "suite/case", or empty.
Suite find_cases(const std::string& folder, const std::string& classes, const std::string& filter);

}  // namespace planish::conformance
