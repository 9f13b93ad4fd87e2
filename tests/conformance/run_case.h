#pragma once
// One case in three ways: built and run; saved as a plan, loaded and run; built with dynamic extents and run.

#include "conformance/case.h"
#include "conformance/outcome.h"

namespace planish::conformance {

// Runs in this process; `scratch` is a file for plans.
Outcome run_case(const CaseRef& ref, const std::string& scratch);

// One case on a GPU of this architecture ("sm_90a"), no step of the host among its steps; its lists are known. Where
// there is no GPU it is built, and a plan is a pass.
Outcome run_case_on_gpu(const CaseRef& ref, const std::string& arch);

}  // namespace planish::conformance
