#pragma once
// Arithmetic on sizes that come from a file. Overflow is an Error, never a wrapped value.

#include <cstdint>
#include <span>

namespace planish {

int64_t checked_add(int64_t a, int64_t b);
int64_t checked_mul(int64_t a, int64_t b);

// Product of extents; refuses negative extents and overflow. The empty product is 1.
int64_t checked_product(std::span<const int64_t> extents);

constexpr int64_t align_up(int64_t value, int64_t alignment) { return (value + alignment - 1) / alignment * alignment; }
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Weights, arenas and constants are aligned to this many bytes.
constexpr int64_t kAlignment = 64;

}  // namespace planish
