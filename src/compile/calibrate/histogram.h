#pragma once
// How often a tensor's elements have which magnitude, over many samples.

#include <cstdint>
#include <span>
#include <vector>

namespace planish {

constexpr int kHistogramBins = 2048;

struct Histogram {
  std::vector<int64_t> bins = std::vector<int64_t>(kHistogramBins, 0);  // of |x|; bin k is [k, k + 1) * width
  double width = 0;                                                     // 0: nothing but zeros was seen
  int64_t count = 0;
  float least = 0, most = 0;  // of x, whether counted or not

  // The width doubles, neighbours become one bin, until the magnitudes of `low` and `high`, both finite, are inside.
  void widen(float low, float high);
  // Counts elements that lie inside.
  void add(std::span<const float> values);

 private:
  bool seen_ = false;
};

}  // namespace planish
