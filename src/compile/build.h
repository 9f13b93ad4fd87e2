#pragma once
// build(): the product. A graph and a device in, a plan out. pipeline.cpp is its table of contents.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/device.h"
#include "ir/graph.h"
#include "plan/plan.h"
#include "tactics/tactic.h"

namespace planish {

enum class Tuning { off, fast, full };

struct BuildProgress {
  std::string phase;  // "checking", "optimising", "tuning", "planning memory", "done"
  int done = 0, total = 0;
};

struct BuildOptions {
  Tuning tuning = Tuning::fast;
  double tuning_seconds = 0;        // > 0: budget; when spent, estimates decide for the rest
  std::string timing_cache;         // file; empty: none. Unreadable or of another machine: a warning, not an error
  std::string* timings = nullptr;   // in place of a file: the cache's text, read and replaced
  bool timings_by_name = false;     // nodes that are alike are timed and chosen one by one
  bool optimize = true;             // false: no fusion, reference kernels (what `verify` compares with)
  bool keep_intermediates = false;  // every value keeps its own memory (for per-layer comparison)
  std::string isa;                  // build for this level; empty: the active one
  std::string arch;                 // build for an accelerator of this architecture ("sm_90a"); empty: the device's
  bool fallback = true;             // false: what the accelerator has no kernel for is an error, not a step of the host
  int threads = 0;                  // tune for; 0: the device's
  Precisions precisions;            // permitted besides exact fp32
  std::string dump_dir;             // graph after each pass, as text; empty: none
  // Returns false to cancel: build() throws Error(cancelled).
  std::function<bool(const BuildProgress&)> progress;
};

// What was considered for each node; `--verbose` prints it, layers.json carries it.
struct TacticChoice {
  std::string node, chosen;
  std::string key;                                            // of its timings, in a timing cache
  std::vector<std::pair<std::string, double>> timings_us;     // candidate, time (or estimate when not timed)
  std::vector<std::pair<std::string, std::string>> refusals;  // candidate, reason
};
// Which value of the optimised graph a step completes, outside of branches.
struct StepResult {
  uint32_t step = 0;
  size_t output = 0;
  std::string value;
};
struct BuildReport {
  std::vector<TacticChoice> choices;
  std::vector<StepResult> results;
  std::vector<std::pair<std::string, double>> phases_ms;
  int timed = 0, cached = 0;
  int images_compiled = 0, images_from_disk = 0;  // kernels of an accelerator
  double compiler_seconds = 0;                    // of all threads together
};

// Error(unsupported): this machine has no compiler for the accelerator that the device is.
void check_can_build(Device& device);

Plan build(Graph graph, Device& device, const BuildOptions& options = {}, BuildReport* report = nullptr);

}  // namespace planish
