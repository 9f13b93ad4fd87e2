#pragma once
// The parts of a softmax along a contiguous row.

#include "kernels/cpu/common/math.h"
#include "kernels/cpu/common/simd.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kSoftmaxLanes = 16, kSoftmaxStretch = 512;

inline float row_max(const float* x, int64_t n) {
  constexpr int64_t kWidth = Vec::kWidth;
  Vec even = Vec::splat(x[0]), odd = even;
  int64_t i = 0;
  for (; i + 2 * kWidth <= n; i += 2 * kWidth) {
    even = Vec::max(Vec::load(x + i), even);
    odd = Vec::max(Vec::load(x + i + kWidth), odd);
  }
  float lanes[kWidth];
  Vec::max(even, odd).store(lanes);
  for (; i < n; ++i) lanes[0] = x[i] > lanes[0] ? x[i] : lanes[0];
  for (int64_t half = kWidth / 2; half > 0; half /= 2)
    for (int64_t k = 0; k < half; ++k) lanes[k] = lanes[k + half] > lanes[k] ? lanes[k + half] : lanes[k];
  return lanes[0];
}

// y[0 … kSoftmaxLanes) = exp(x - largest), added to sums.
inline void exp_lanes(const float* x, float largest, float* y, float* sums) {
  for (int64_t k = 0; k < kSoftmaxLanes; ++k) y[k] = exp_exact_range(x[k] - largest);
  for (int64_t k = 0; k < kSoftmaxLanes; ++k) sums[k] += y[k];
}

// y = exp(x - largest); returns the sum. A tail is a whole vector whose other lanes are exp(-inf).
inline double row_exp(const float* x, float largest, int64_t n, float* y) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kSoftmaxStretch) {
    const int64_t count = std::min(kSoftmaxStretch, n - i), whole = count / kSoftmaxLanes * kSoftmaxLanes;
    float sums[kSoftmaxLanes] = {};
    for (int64_t k = 0; k < whole; k += kSoftmaxLanes) exp_lanes(x + i + k, largest, y + i + k, sums);
    if (whole < count) {
      float tail[kSoftmaxLanes];
      std::fill(std::copy(x + i + whole, x + i + count, tail), tail + kSoftmaxLanes, -HUGE_VALF);
      exp_lanes(tail, largest, tail, sums);
      std::copy_n(tail, count - whole, y + i + whole);
    }
    for (int64_t half = kSoftmaxLanes / 2; half > 0; half /= 2)
      for (int64_t k = 0; k < half; ++k) sums[k] += sums[k + half];
    sum += sums[0];
  }
  return sum;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
