#pragma once
// Arena planning: offsets for buffers with known sizes and lifetimes.

#include <cstdint>
#include <vector>

namespace planish {

struct Interval {
  int64_t bytes = 0;
  int first = 0, last = 0;  // positions of the first and the last step that touches the buffer, inclusive
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // 64-byte aligned, one an interval
  int64_t arena_bytes = 0;
  int64_t live_peak_bytes = 0;  // largest sum of (aligned) live intervals: no plan can be smaller
};

// Fits in several orders (by size, by size times lifetime, by start, by end), then a bounded search over the order
// while the arena is above the lower bound. Deterministic.
MemoryPlan plan_memory(const std::vector<Interval>& intervals);

}  // namespace planish
