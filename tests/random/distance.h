#pragma once
// How far results are from the reference.

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/tensor.h"

namespace planish::testing {

constexpr double kRelativeTolerance = 1e-4, kAbsoluteTolerance = 1e-5;

// Equal NaNs and infinities are not apart.
inline double apart(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  return std::isfinite(a) && std::isfinite(b) ? std::abs(a - b) : INFINITY;
}

// Of each element, by the largest: a difference of near values has lost digits that nobody gives back.
inline double tolerance_of(const Tensor& expected) {
  if (!is_float(expected.dtype())) return 0;
  double most = 0;
  for (double value : expected.to_doubles())
    if (std::isfinite(value)) most = std::max(most, std::abs(value));
  return kRelativeTolerance * most + kAbsoluteTolerance;
}

inline double largest_distance(const Tensor& found, const Tensor& expected) {
  if (found.type() != expected.type()) return INFINITY;
  const std::vector<double> a = found.to_doubles(), b = expected.to_doubles();
  double most = 0;
  for (size_t i = 0; i < b.size(); ++i) most = std::max(most, apart(a[i], b[i]));
  return most;
}

}  // namespace planish::testing
