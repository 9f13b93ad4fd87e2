#pragma once
// How far one tensor is from another.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace planish::cli {

struct Difference {
  double relative_l2 = 0;  // |found - expected| / max(|expected|, 1e-6 sqrt(n)): results of 1e-6 are noise beside 1
  double max_abs = 0, mean_abs = 0;
  std::vector<int64_t> worst;  // where max_abs stands
  double found_there = 0, expected_there = 0;
  int64_t not_finite = 0;  // elements where one is NaN or infinite and the other is not the same
  int64_t elements = 0;
  double rounding = 0;  // of `found`, where its elements are of 16 bits: one neighbour or the other may be the nearer
  bool same_extents = true;
  std::vector<int64_t> found_extents, expected_extents;
};

// Equal NaNs and equal infinities agree. Other extents: all infinite, and same_extents is false.
Difference difference_of(const Tensor& found, const Tensor& expected);

// "rel L2 1.2e-06  max 3.1e-05 at [0,3] (1.5, 1.50003)  mean 2e-06"
std::string difference_text(const Difference& difference);
nlohmann::json difference_json(const Difference& difference);

}  // namespace planish::cli
