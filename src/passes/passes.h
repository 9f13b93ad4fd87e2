#pragma once
// Every pass of this folder, declared by the build: `fold_scale.cpp` defines `Pass fold_scale()`.
// compile/pipeline.cpp puts them in order.

#include <vector>

#include "ir/pass.h"

namespace planish::passes {

#define PLANISH_ROW(name) Pass name();
#include "gen/passes.inc"
#undef PLANISH_ROW

// All of them, by file name: for the tests.
std::vector<Pass> all();

}  // namespace planish::passes
