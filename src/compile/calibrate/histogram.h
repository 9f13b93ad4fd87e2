#pragma once
// How often a tensor's elements have which magnitude, over many samples.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"

namespace planish {

constexpr int kHistogramBins = 2048;

struct Histogram {
  std::vector<int64_t> bins = std::vector<int64_t>(kHistogramBins, 0);  // of |x|; bin k is [k, k + 1) * width
  double width = 0;                                                     // 0: nothing but zeros was seen
  int64_t count = 0;
  float least = 0, most = 0;  // of x

  // Adds elements. The width doubles, neighbours become one bin, until the largest magnitude is inside. The result does
  // not depend on the number of threads. False, and nothing is added, where an element is NaN or infinite.
  bool add(std::span<const float> values, ThreadPool& pool);
};

// Sums of each channel's elements: values are [batch, channels, inner], `sums` [channels].
void add_channel_sums(std::span<const float> values, int64_t channels, int64_t inner, std::vector<double>& sums);

}  // namespace planish
