#include "compile/calibrate/rounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace planish {
namespace {

constexpr int64_t kLongestBlock = 512;
constexpr int64_t kMostRows = 4096;
constexpr double kDamping = 0.01;
constexpr size_t kLanes = 16;  // columns that are rounded together

// Rank-`rows` update of the upper triangle's lines [begin, end).
void update_lines(InputMoments::Block& block, const float* x, int64_t stride, int rows, int64_t begin, int64_t end) {
  const int64_t n = block.size;
  for (int64_t i = begin; i < end; ++i) {
    float* line = block.sums.data() + i * n;
    int r = 0;
    for (; r + 4 <= rows; r += 4) {
      const float *a = x + r * stride, *b = a + stride, *c = b + stride, *d = c + stride;
      const float fa = a[i], fb = b[i], fc = c[i], fd = d[i];
      for (int64_t j = i; j < n; ++j) line[j] += fa * a[j] + fb * b[j] + fc * c[j] + fd * d[j];
    }
    for (; r < rows; ++r) {
      const float* a = x + r * stride;
      const float fa = a[i];
      for (int64_t j = i; j < n; ++j) line[j] += fa * a[j];
    }
  }
}

// M of H = M^T D M for the weights in `order`, by lines.
std::vector<float> feedback(const InputMoments::Block& block, const std::vector<size_t>& order,
                            const std::vector<double>& factors, double rows) {
  const size_t n = order.size();
  std::vector<double> h(n * n);
  double trace = 0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      const size_t a = std::min(order[i], order[j]), b = std::max(order[i], order[j]);
      h[i * n + j] = double{block.sums[a * n + b]} / rows / (factors[a] * factors[b]);
      trace += i == j ? h[i * n + j] : 0;
    }
  for (size_t i = 0; i < n; ++i) h[i * n + i] += kDamping * trace / static_cast<double>(n) + 1e-30;
  std::vector<float> m(n * n, 0);
  for (size_t j = n; j-- > 0;) {
    const double pivot = h[j * n + j];
    const double* line = &h[j * n];
    for (size_t i = 0; i < j; ++i) m[j * n + i] = static_cast<float>(line[i] / pivot);
    for (size_t i = 0; i < j; ++i) {
      const double by = line[i] / pivot;
      double* to = &h[i * n];
      for (size_t k = 0; k <= i; ++k) to[k] -= by * line[k];
    }
  }
  return m;
}

struct Lanes {
  std::array<float, kLanes> of{};
};

void round_columns(const ProductWeights& w, const std::vector<float>& scales, const InputMoments::Block& block,
                   const std::vector<size_t>& order, const std::vector<float>& m, int64_t first, int64_t count,
                   std::vector<int8_t>& numbers) {
  const size_t n = order.size();
  std::vector<Lanes> errors(n);
  for (size_t j = 0; j < n; ++j) {
    Lanes sum;
    for (size_t i = 0; i < j; ++i) {
      const float by = m[j * n + i];
      for (size_t lane = 0; lane < kLanes; ++lane) sum.of[lane] += by * errors[i].of[lane];
    }
    for (int64_t lane = 0; lane < count; ++lane) {
      const int64_t column = first + lane;
      const size_t at = w.index(column, block.first + static_cast<int64_t>(order[j]));
      const double scale = scales[static_cast<size_t>(column)];
      numbers[at] = nearest_number(w.values[at] + double{sum.of[static_cast<size_t>(lane)]}, scale);
      errors[j].of[static_cast<size_t>(lane)] = static_cast<float>(w.values[at] - numbers[at] * scale);
    }
  }
}

}  // namespace

InputMoments::InputMoments(const Graph& graph, NodeId product) {
  const Node& node = graph.node(product);
  const ProductWeights w = weights_of(graph, product);
  windows_ = node.op == "conv";
  groups_ = w.groups;
  channels_ = w.channels;
  taps_ = w.taps;
  if (windows_) {
    const auto& extents = graph.value(node.inputs[1]).constant.extents();
    kernel_.assign(extents.begin() + 2, extents.end());
    strides_ = node.attrs.get_or<std::vector<int64_t>>("strides", std::vector<int64_t>(kernel_.size(), 1));
    dilations_ = node.attrs.get_or<std::vector<int64_t>>("dilations", std::vector<int64_t>(kernel_.size(), 1));
    pads_ = node.attrs.get_or<std::vector<int64_t>>("pads", std::vector<int64_t>(2 * kernel_.size(), 0));
  }
  const int64_t most = std::max<int64_t>(1, kLongestBlock / taps_) * taps_;
  for (int64_t group = 0; group < groups_; ++group)
    for (int64_t first = 0; first < w.depth(); first += most) {
      const int64_t size = std::min(most, w.depth() - first);
      blocks_.push_back({group, first, size, std::vector<float>(static_cast<size_t>(size * size), 0)});
    }
}

// The input under the window at `position` of the results, group by group; outside of it zeros. Windows lie wholly or
// in part inside, whatever auto_pad says: second moments hardly depend on where exactly.
void InputMoments::gather(const TensorView& input, int64_t position, float* row) const {
  const auto* data = input.as<const float>();
  if (!windows_) {
    int64_t offset = 0;
    for (int k = input.rank - 2; k >= 0; --k) {
      const auto axis = static_cast<size_t>(k);
      offset += position % input.dims[axis] * input.strides[axis];
      position /= input.dims[axis];
    }
    for (int64_t c = 0; c < channels_; ++c)
      row[c] = data[offset + c * input.strides[static_cast<size_t>(input.rank) - 1]];
    return;
  }
  const size_t spatial = kernel_.size();
  std::array<int64_t, 3> corner{};
  for (size_t k = spatial; k-- > 0;) {
    const int64_t reach = dilations_[k] * (kernel_[k] - 1) + 1;
    const int64_t results =
        std::max<int64_t>(1, (input.dims[k + 2] + pads_[k] + pads_[k + spatial] - reach) / strides_[k] + 1);
    corner[k] = position % results * strides_[k] - pads_[k];
    position /= results;
  }
  const int64_t sample = position % input.dims[0];
  for (int64_t tap = 0; tap < taps_; ++tap) {
    int64_t offset = sample * input.strides[0], rest = tap;
    bool inside = true;
    for (size_t k = spatial; k-- > 0;) {
      const int64_t at = corner[k] + rest % kernel_[k] * dilations_[k];
      rest /= kernel_[k];
      inside = inside && at >= 0 && at < input.dims[k + 2];
      offset += at * input.strides[k + 2];
    }
    for (int64_t c = 0; c < groups_ * channels_; ++c)
      row[c * taps_ + tap] = inside ? data[offset + c * input.strides[1]] : 0;
  }
}

void InputMoments::add(const TensorView& input, int rows, ThreadPool& pool) {
  if (rows_ >= kMostRows || input.element_count() == 0) return;
  int64_t positions = 1;
  if (windows_) {
    positions = input.dims[0];
    for (size_t k = 0; k < kernel_.size(); ++k) {
      const int64_t reach = dilations_[k] * (kernel_[k] - 1) + 1;
      positions *=
          std::max<int64_t>(1, (input.dims[k + 2] + pads_[k] + pads_[k + kernel_.size()] - reach) / strides_[k] + 1);
    }
  } else {
    for (int k = 0; k + 1 < input.rank; ++k) positions *= input.dims[static_cast<size_t>(k)];
  }
  const int taken = static_cast<int>(std::min<int64_t>(rows, positions));
  const int64_t width = groups_ * channels_ * taps_, offset = calls_++ * 7919;  // a prime
  std::vector<float> x(static_cast<size_t>(taken * width));
  pool.parallel_for(taken, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      gather(input, (r * positions / taken + offset) % positions, x.data() + r * width);
  });
  constexpr int64_t kLines = 32;
  std::vector<std::pair<size_t, int64_t>> work;
  for (size_t b = 0; b < blocks_.size(); ++b)
    for (int64_t line = 0; line < blocks_[b].size; line += kLines) work.emplace_back(b, line);
  pool.parallel_for(static_cast<int64_t>(work.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const auto [at, line] = work[static_cast<size_t>(k)];
      Block& block = blocks_[at];
      update_lines(block, x.data() + block.group * channels_ * taps_ + block.first, width, taken, line,
                   std::min(line + kLines, block.size));
    }
  });
  rows_ += taken;
}

std::vector<int8_t> rounded_weights(const ProductWeights& weights, const std::vector<float>& scales,
                                    const InputMoments& moments, const std::vector<double>& factors, ThreadPool& pool) {
  std::vector<int8_t> numbers(weights.values.size(), 0);
  const int64_t filters = weights.columns / weights.groups;
  const auto& blocks = moments.blocks();
  // A thread takes a block where there are many, else columns of it.
  const auto take = [&](const InputMoments::Block& block, bool alone) {
    const auto n = static_cast<size_t>(block.size);
    std::vector<double> own(n, 1);
    for (size_t k = 0; k < n && !factors.empty(); ++k)
      own[k] = factors[static_cast<size_t>(block.group * weights.channels +
                                           (block.first + static_cast<int64_t>(k)) / weights.taps)];
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), size_t{0});
    const auto power = [&](size_t k) { return double{block.sums[k * n + k]} / (own[k] * own[k]); };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return power(a) > power(b); });
    const std::vector<float> m = feedback(block, order, own, moments.rows());
    const auto round = [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        const int64_t first = part * static_cast<int64_t>(kLanes);
        round_columns(weights, scales, block, order, m, block.group * filters + first,
                      std::min<int64_t>(kLanes, filters - first), numbers);
      }
    };
    const int64_t parts = (filters + static_cast<int64_t>(kLanes) - 1) / static_cast<int64_t>(kLanes);
    alone ? round(0, parts) : pool.parallel_for(parts, 1, round);
  };
  if (blocks.size() < 8) {
    for (const auto& block : blocks) take(block, false);
  } else {
    pool.parallel_for(static_cast<int64_t>(blocks.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) take(blocks[static_cast<size_t>(k)], true);
    });
  }
  return numbers;
}

}  // namespace planish
