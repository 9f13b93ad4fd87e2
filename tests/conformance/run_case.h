#pragma once
// One case in three ways: built and run; saved as a plan, loaded and run; built with dynamic extents and run.

#include "conformance/case.h"
#include "conformance/outcome.h"

namespace planish::conformance {

// Runs in this process; `scratch` is a file for plans.
Outcome run_case(const CaseRef& ref, const std::string& scratch);

}  // namespace planish::conformance
