#pragma once
// What int8 costs a network, and where it does not reach.

#include "cli/options.h"

namespace planish::cli {

// Each layer's signal to noise when it alone is int8, and the outputs' then; all together; with --max-error what has to
// stay fp32 for it.
void verify_layers(CommonOptions& options);

// The layers that compute in floats between integer ones, with the reason.
void print_islands(const CommonOptions& options);

}  // namespace planish::cli
