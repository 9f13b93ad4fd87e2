#pragma once
// "depthwise.bf16": what it takes and how its weights are packed, shared by the kernel and its tactic.
//
// Weights: [block of kLanes channels][pair of lines][column][lower, upper][kLanes / 2] words of two bf16, those of a
// line and of the one below it, zeros where there is none. Of each eight channels the lower words have the first four.

#include <cstdint>
#include <vector>

namespace planish::half_depthwise {

constexpr int64_t kLanes = 32, kMostTaps = 7;  // kMostTaps: down

inline bool takes(const std::vector<int64_t>& kernel, const std::vector<int64_t>& strides,
                  const std::vector<int64_t>& dilations) {
  return kernel.size() == 2 && kernel[0] <= kMostTaps && (kernel[1] == 3 || kernel[1] == 5) && strides[1] <= 2 &&
         dilations[0] == 1 && dilations[1] == 1;
}

// Channel of word i of the lower (half 0) or upper ones.
constexpr int64_t channel_of(int64_t half, int64_t i) { return i / 4 * 8 + half * 4 + i % 4; }

}  // namespace planish::half_depthwise
