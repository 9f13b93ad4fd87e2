#pragma once
// Cases run in forked processes, so that one that dies or never ends takes nothing with it.

#include <functional>
#include <vector>

#include "conformance/outcome.h"

namespace planish::conformance {

struct WorkOptions {
  int jobs = 2;
  size_t batch = 16;         // cases a process
  double case_seconds = 20;  // then it hangs
};

// One outcome for each index of [0, count). `run` is called in the child. A batch that dies or hangs is run again a
// case at a time, from the first that it did not report.
std::vector<Outcome> run_all(size_t count, const std::function<Outcome(size_t)>& run, const WorkOptions& options);

}  // namespace planish::conformance
