#pragma once
// The parts of a softmax along a contiguous row.

#include "kernels/cpu/common/math.h"
#include "kernels/cpu/common/simd.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kSoftmaxLanes = 16, kSoftmaxStretch = 512;

inline float row_max(const float* x, int64_t n) {
  constexpr int64_t kWidth = Vec::kWidth;
  Vec largest = Vec::splat(x[0]);
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) largest = Vec::max(Vec::load(x + i), largest);
  if (i < n && n >= kWidth) largest = Vec::max(Vec::load(x + n - kWidth), largest);
  float most = largest.largest();
  for (; i < n && n < kWidth; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

// A sum in so many lanes at every level, added by halves.
class LaneSums {
 public:
  LaneSums() { std::fill_n(sums_, kVecs, Vec::splat(0)); }
  void add(const float* x) {
    for (int i = 0; i < kVecs; ++i) sums_[i] = sums_[i] + Vec::load(x + i * Vec::kWidth);
  }
  float sum() const {
    Vec sums[kVecs];
    std::copy_n(sums_, kVecs, sums);
    for (int half = kVecs / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) sums[i] = sums[i] + sums[i + half];
    return sums[0].sum();
  }

 private:
  static constexpr int kVecs = kSoftmaxLanes / Vec::kWidth;
  Vec sums_[kVecs];
};

// y[0 … kSoftmaxLanes) = exp(x - largest)
inline void exp_lanes(const float* x, float largest, float* y) {
  for (int64_t k = 0; k < kSoftmaxLanes; ++k) y[k] = exp_exact_range(x[k] - largest);
}

// y = exp(x - largest); returns the sum. A tail is a whole vector whose other lanes are exp(-inf).
inline double row_exp(const float* x, float largest, int64_t n, float* y) {
  double sum = 0;
  for (int64_t i = 0; i < n; i += kSoftmaxStretch) {
    const int64_t count = std::min(kSoftmaxStretch, n - i), whole = count / kSoftmaxLanes * kSoftmaxLanes;
    LaneSums sums;
    for (int64_t k = i; k < i + whole; k += kSoftmaxLanes) {
      exp_lanes(x + k, largest, y + k);
      sums.add(y + k);
    }
    if (whole < count) {
      float tail[kSoftmaxLanes];
      std::fill(std::copy(x + i + whole, x + i + count, tail), tail + kSoftmaxLanes, -HUGE_VALF);
      exp_lanes(tail, largest, tail);
      sums.add(tail);
      std::copy_n(tail, count - whole, y + i + whole);
    }
    sum += sums.sum();
  }
  return sum;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
