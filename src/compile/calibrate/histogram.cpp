#include "compile/calibrate/histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace planish {
namespace {

constexpr size_t kBlock = 256;  // elements whose bins are found at once
constexpr size_t kCopies = 4;   // of a histogram: neighbours seldom wait for each other's count

void double_width(Histogram& h) {
  for (size_t k = 0; k < kHistogramBins; ++k)
    h.bins[k] = k < kHistogramBins / 2 ? h.bins[2 * k] + h.bins[2 * k + 1] : 0;
  h.width *= 2;
}

}  // namespace

void Histogram::widen(float low, float high) {
  const double largest = std::max(std::fabs(double{low}), std::fabs(double{high}));
  if (width == 0 && largest > 0) {
    width = largest / kHistogramBins;
    bins[0] = count;  // zeros
  }
  while (largest > width * kHistogramBins) double_width(*this);
  least = seen_ ? std::min(least, low) : low;
  most = seen_ ? std::max(most, high) : high;
  seen_ = true;
}

void Histogram::add(std::span<const float> values) {
  count += static_cast<int64_t>(values.size());
  if (width == 0) return;
  const auto per_width = static_cast<float>(std::min<double>(1 / width, std::numeric_limits<float>::max()));
  std::array<uint32_t, kCopies * kHistogramBins> counts{};
  std::array<int32_t, kBlock> index;
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    const size_t block = std::min(kBlock, values.size() - begin);
    for (size_t i = 0; i < block; ++i) {
      const float at = std::fabs(values[begin + i]) * per_width;
      index[i] = static_cast<int32_t>(at < kHistogramBins - 1 ? at : kHistogramBins - 1);
    }
    for (size_t i = 0; i < block; ++i) ++counts[(i % kCopies) * kHistogramBins + static_cast<size_t>(index[i])];
  }
  for (size_t k = 0; k < counts.size(); ++k) bins[k % kHistogramBins] += counts[k];
}

}  // namespace planish
