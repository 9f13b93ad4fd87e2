#pragma once

#include "conformance/case.h"
#include "conformance/outcome.h"

namespace planish::conformance {

struct Result {
  CaseRef ref;
  Outcome outcome;
  bool passed() const { return outcome.verdict == Verdict::pass; }
};

}  // namespace planish::conformance
