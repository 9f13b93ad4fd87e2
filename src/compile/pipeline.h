#pragma once
// The order of the passes.

#include <string>
#include <vector>

#include "ir/pass.h"

namespace planish {

// Read top to bottom. optimize = false: only what execution needs. gpu: products of one value become one; else matrices
// of numbers that meet f32 rows stay numbers, since the processor has products of these.
std::vector<Pass> pipeline(bool optimize, bool gpu = false);

// Behind narrow_half, for a target that multiplies factored rows: what its kernels of halves take together.
std::vector<Pass> half_passes();

// Its first part: layers are in the form in which precisions are chosen, and nothing is fused yet.
std::vector<Pass> simplifying_passes();

// Runs them in order, removing dead nodes after each; with `dump_dir`, writes the graph's text after each, the first
// one as number `first`. Returns the number behind the last.
int run_pipeline(Graph& graph, const std::vector<Pass>& passes, const std::string& dump_dir, int first = 0);

}  // namespace planish
