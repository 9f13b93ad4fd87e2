#pragma once
// The list of cases that are known not to pass: suite/case, verdict, reason, separated by tabs, sorted.

#include <map>
#include <string>
#include <vector>

#include "conformance/result.h"

namespace planish::conformance {

struct KnownFailure {
  Verdict verdict = Verdict::refused;
  std::string reason;
};
using KnownFailures = std::map<std::string, KnownFailure>;  // by "suite/case"

KnownFailures read_known(const std::string& path);
// Rows of cases that were not run stay as they are.
void write_known(const std::string& path, const std::vector<Result>& results);

// A line for each result that the list does not foresee; how many there are. A refusal that has become a wrong answer
// is one, a wrong answer that is now refused is not.
int print_surprises(const std::vector<Result>& results, const KnownFailures& known);

}  // namespace planish::conformance
