#include "compile/calibrate/observer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "tensor/tensor.h"

namespace planish {
namespace {

constexpr int64_t kPart = 1 << 15;     // elements that are worth a thread
constexpr int64_t kParts = 16;         // of a tensor at most, whatever the threads: sums are the same
constexpr int64_t kSampled = 1 << 14;  // elements that the histogram takes of a tensor
constexpr int64_t kRun = 64;           // neighbours that it takes together
constexpr int64_t kFlushed = 256;      // rows that are summed in floats

// Bits of floats as integers of the same order: compilers compare these many at once, and what is not finite lies
// outside of the others.
int32_t ordered(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
float from_ordered(int32_t bits) { return std::bit_cast<float>(bits ^ ((bits >> 31) & 0x7fffffff)); }

constexpr int32_t kLeastOrdered = std::numeric_limits<int32_t>::lowest();
constexpr int32_t kMostOrdered = std::numeric_limits<int32_t>::max();

bool is_finite(int32_t low, int32_t high) {
  constexpr float kMost = std::numeric_limits<float>::max();
  return low >= ordered(-kMost) && high <= ordered(kMost);
}

// [outer, channels, inner] elements of f32; channels or inner lie one after the other.
struct Rows {
  const float* data = nullptr;
  int64_t outer = 1, channels = 1, inner = 1;
};

// Partial figures of all channels.
struct Figures {
  std::vector<int32_t> low, high;
  std::vector<double> sums, squares;

  explicit Figures(size_t channels)
      : low(channels, kMostOrdered), high(channels, kLeastOrdered), sums(channels, 0), squares(channels, 0) {}
};

// Channels lie last: rows of them.
void add_channel_rows(const Rows& rows, int64_t begin, int64_t end, Figures& f) {
  const auto channels = static_cast<size_t>(rows.channels);
  std::vector<float> sums(channels), squares(channels);
  for (int64_t first = begin; first < end; first += kFlushed) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    std::fill(squares.begin(), squares.end(), 0.0F);
    int32_t* low = f.low.data();
    int32_t* high = f.high.data();
    float* sum = sums.data();
    float* square = squares.data();
    for (int64_t row = first; row < std::min(end, first + kFlushed); ++row) {
      const float* x = rows.data + row * rows.channels;
      for (size_t c = 0; c < channels; ++c) {
        const int32_t bits = ordered(x[c]);
        low[c] = bits < low[c] ? bits : low[c];
        high[c] = bits > high[c] ? bits : high[c];
        sum[c] += x[c];
        square[c] += x[c] * x[c];
      }
    }
    for (size_t c = 0; c < channels; ++c) {
      f.sums[c] += sums[c];
      f.squares[c] += squares[c];
    }
  }
}

// One row of one channel.
void add_inner_row(const float* x, int64_t n, size_t channel, Figures& f) {
  constexpr size_t kLanes = 16;
  std::array<int32_t, kLanes> low, high;
  low.fill(kMostOrdered);
  high.fill(kLeastOrdered);
  for (int64_t first = 0; first < n; first += kFlushed * static_cast<int64_t>(kLanes)) {
    const int64_t end = std::min(n, first + kFlushed * static_cast<int64_t>(kLanes));
    std::array<float, kLanes> sum{}, square{};
    int64_t i = first;
    for (; i + static_cast<int64_t>(kLanes) <= end; i += static_cast<int64_t>(kLanes))
      for (size_t k = 0; k < kLanes; ++k) {
        const float value = x[static_cast<size_t>(i) + k];
        const int32_t bits = ordered(value);
        low[k] = bits < low[k] ? bits : low[k];
        high[k] = bits > high[k] ? bits : high[k];
        sum[k] += value;
        square[k] += value * value;
      }
    for (; i < end; ++i) {
      low[0] = std::min(low[0], ordered(x[i]));
      high[0] = std::max(high[0], ordered(x[i]));
      sum[0] += x[i];
      square[0] += x[i] * x[i];
    }
    for (size_t k = 0; k < kLanes; ++k) {
      f.sums[channel] += sum[k];
      f.squares[channel] += square[k];
    }
  }
  f.low[channel] = std::min(f.low[channel], *std::min_element(low.begin(), low.end()));
  f.high[channel] = std::max(f.high[channel], *std::max_element(high.begin(), high.end()));
}

std::vector<Figures> figures_of(const Rows& rows, ThreadPool& pool) {
  const int64_t lines = rows.inner == 1 ? rows.outer : rows.outer * rows.channels;
  const int64_t elements = rows.outer * rows.channels * rows.inner;
  const int64_t parts = std::clamp<int64_t>(std::min(elements / kPart, lines), 1, kParts);
  std::vector<Figures> found(static_cast<size_t>(parts), Figures(static_cast<size_t>(rows.channels)));
  pool.parallel_for(parts, 1, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      Figures& mine = found[static_cast<size_t>(p)];
      const int64_t begin = lines * p / parts, end = lines * (p + 1) / parts;
      if (rows.inner == 1) {
        add_channel_rows(rows, begin, end, mine);
        continue;
      }
      for (int64_t line = begin; line < end; ++line)
        add_inner_row(rows.data + line * rows.inner, rows.inner, static_cast<size_t>(line % rows.channels), mine);
    }
  });
  return found;
}

}  // namespace

bool ValueObserver::add(const TensorView& view, ThreadPool& pool) {
  const int64_t elements = view.element_count();
  if (elements == 0) return true;
  Tensor copy;  // of what lies in neither order
  Rows rows{view.as<const float>()};
  const bool has_axis = axis_ >= 0 && axis_ < view.rank;
  const int64_t channels = has_axis ? view.dims[static_cast<size_t>(axis_)] : 1;
  const bool last = has_axis && axis_ == view.rank - 1;
  if (has_axis && axis_ == 1 && view.is_dense(Layout::channels_last)) {
    rows.channels = channels;
    rows.outer = elements / channels;
  } else {
    if (!view.is_dense()) {
      copy = Tensor::copy_of(view);
      rows.data = copy.as<float>().data();
    }
    rows.channels = channels;
    for (int k = 0; has_axis && k < axis_; ++k) rows.outer *= view.dims[static_cast<size_t>(k)];
    rows.inner = last ? 1 : elements / (rows.outer * rows.channels);
  }
  const std::vector<Figures> parts = figures_of(rows, pool);
  std::vector<ChannelFigures> found(static_cast<size_t>(channels));
  int32_t lowest = kMostOrdered, highest = kLeastOrdered;
  for (size_t c = 0; c < found.size(); ++c) {
    int32_t low = kMostOrdered, high = kLeastOrdered;
    for (const Figures& part : parts) {
      low = std::min(low, part.low[c]);
      high = std::max(high, part.high[c]);
      found[c].sum += part.sums[c];
      found[c].squares += part.squares[c];
    }
    found[c].least = from_ordered(low);
    found[c].most = from_ordered(high);
    lowest = std::min(lowest, low);
    highest = std::max(highest, high);
  }
  if (!is_finite(lowest, highest)) return false;
  take_channels(found);
  rows_ += static_cast<double>(elements) / static_cast<double>(channels);
  histogram_.widen(from_ordered(lowest), from_ordered(highest));
  sample(rows.data, elements);
  ++tensors_;
  return true;
}

void ValueObserver::take_channels(const std::vector<ChannelFigures>& found) {
  if (tensors_ == 0) {
    channels_ = found;
    return;
  }
  uneven_ = uneven_ || channels_.size() != found.size();
  if (uneven_) return channels_.clear();
  for (size_t c = 0; c < found.size(); ++c) {
    channels_[c].least = std::min(channels_[c].least, found[c].least);
    channels_[c].most = std::max(channels_[c].most, found[c].most);
    channels_[c].sum += found[c].sum;
    channels_[c].squares += found[c].squares;
  }
}

void ValueObserver::sample(const float* x, int64_t n) {
  if (n <= kSampled) return histogram_.add({x, static_cast<size_t>(n)});
  const int64_t runs = n / kRun, wanted = kSampled / kRun;
  const int64_t offset = tensors_ * 7919 % runs;  // a prime: later tensors give other runs
  std::vector<float> taken(static_cast<size_t>(kSampled));
  for (int64_t i = 0; i < wanted; ++i) {
    const int64_t run = (i * runs / wanted + offset) % runs;
    std::copy_n(x + run * kRun, kRun, taken.data() + i * kRun);
  }
  histogram_.add(taken);
}

}  // namespace planish
