#include "compile/calibrate/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace planish {
namespace {

constexpr int64_t kBlock = 256;      // elements whose bins are found at once
constexpr int64_t kShare = 1 << 14;  // elements that are worth a thread
constexpr size_t kCopies = 4;        // of a histogram: neighbours seldom wait for each other's count

// Bits of floats as integers of the same order: compilers compare these many at once, and what is not finite lies
// outside of the others.
int32_t ordered(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
float from_ordered(int32_t bits) { return std::bit_cast<float>(bits ^ ((bits >> 31) & 0x7fffffff)); }

struct Range {
  int32_t least = std::numeric_limits<int32_t>::max(), most = std::numeric_limits<int32_t>::lowest();
  void add(Range other) {
    least = std::min(least, other.least);
    most = std::max(most, other.most);
  }
  bool finite() const {
    constexpr float kMost = std::numeric_limits<float>::max();
    return least >= ordered(-kMost) && most <= ordered(kMost);
  }
};

Range range_of(const float* x, int64_t n) {
  Range range;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t bits = ordered(x[i]);
    range.least = bits < range.least ? bits : range.least;
    range.most = bits > range.most ? bits : range.most;
  }
  return range;
}

void count_bins(const float* x, int64_t n, float per_width, uint32_t* counts) {
  int32_t index[kBlock];
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t block = std::min(kBlock, n - begin);
    for (int64_t i = 0; i < block; ++i) {
      const float at = std::fabs(x[begin + i]) * per_width;
      index[i] = static_cast<int32_t>(at < kHistogramBins - 1 ? at : kHistogramBins - 1);
    }
    for (int64_t i = 0; i < block; ++i)
      ++counts[(static_cast<size_t>(i) % kCopies) * kHistogramBins + static_cast<size_t>(index[i])];
  }
}

void double_width(Histogram& h) {
  for (size_t k = 0; k < kHistogramBins; ++k)
    h.bins[k] = k < kHistogramBins / 2 ? h.bins[2 * k] + h.bins[2 * k + 1] : 0;
  h.width *= 2;
}

}  // namespace

bool Histogram::add(std::span<const float> values, ThreadPool& pool) {
  const auto n = static_cast<int64_t>(values.size());
  if (n == 0) return true;
  const int64_t parts = std::clamp<int64_t>(n / kShare, 1, pool.size()), share = (n + parts - 1) / parts;
  const auto length = [&](int64_t p) { return std::max<int64_t>(0, std::min(share, n - p * share)); };
  std::vector<Range> ranges(static_cast<size_t>(parts));
  pool.parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      ranges[static_cast<size_t>(p)] = range_of(values.data() + p * share, length(p));
  });
  Range all;
  for (const Range& range : ranges) all.add(range);
  if (!all.finite()) return false;
  const float low = from_ordered(all.least), high = from_ordered(all.most);
  const double largest = std::max(std::fabs(double{low}), std::fabs(double{high}));
  if (width == 0 && largest > 0) {
    width = largest / kHistogramBins;
    bins[0] = count;  // zeros
  }
  while (largest > width * kHistogramBins) double_width(*this);
  least = count == 0 ? low : std::min(least, low);
  most = count == 0 ? high : std::max(most, high);
  count += n;
  if (width == 0) return true;
  std::vector<std::vector<uint32_t>> counts(static_cast<size_t>(parts));
  const auto per_width = static_cast<float>(std::min<double>(1 / width, std::numeric_limits<float>::max()));
  pool.parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      auto& mine = counts[static_cast<size_t>(p)];
      mine.assign(kCopies * kHistogramBins, 0);
      count_bins(values.data() + p * share, length(p), per_width, mine.data());
    }
  });
  for (const auto& mine : counts)
    for (size_t k = 0; k < mine.size(); ++k) bins[k % kHistogramBins] += mine[k];
  return true;
}

void add_channel_sums(std::span<const float> values, int64_t channels, int64_t inner, std::vector<double>& sums) {
  sums.resize(static_cast<size_t>(channels), 0);
  if (channels == 0 || inner == 0) return;
  const int64_t rows = static_cast<int64_t>(values.size()) / inner;
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = values.data() + row * inner;
    float partial[16] = {};
    int64_t i = 0;
    for (; i + 16 <= inner; i += 16)
      for (int k = 0; k < 16; ++k) partial[k] += x[i + k];
    double sum = 0;
    for (float part : partial) sum += part;
    for (; i < inner; ++i) sum += x[i];
    sums[static_cast<size_t>(row % channels)] += sum;
  }
}

}  // namespace planish
