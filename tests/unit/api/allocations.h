#pragma once

#include <cstdint>

namespace planish::testing {

// How often this process has asked for memory, in any thread: operator new, and malloc and its kin (those not under
// a sanitizer, which has its own).
int64_t allocations();

}  // namespace planish::testing
