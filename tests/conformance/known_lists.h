#pragma once
// Operands that state extents, axes and counts, as networks have them: weights.

#include "conformance/case.h"

namespace planish::conformance {

// The case with its lists as initializers of the model: integers of at most one axis and Resize's scales, but the first
// input. Tests have them as inputs, and what they decide would be known only while it runs.
Case with_known_lists(Case given);

}  // namespace planish::conformance
