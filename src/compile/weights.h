#pragma once
// Constant matrices become numbers of 8 or 4 bits, without samples: weight-only, or with rows quantised as they come.

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ops/common/block_weights.h"

namespace planish {

struct WeightOptions {
  int bits = 0;        // 8 or 4; 0: weights stay floats
  int64_t block = -1;  // of depth; 0: a scale a column; -1: that for 8 bits, 32 for 4
  bool symmetric = true;
  // Rows become integers of 8 bits as they come, each with a scale of its own, weights likewise, a column each.
  bool dynamic = false;
  std::vector<std::string> exclude;  // names of layers that stay as they are

  bool wanted() const { return bits != 0 || dynamic; }
};

// Refuses what does not go together: Error(invalid_argument).
void check_weight_options(const WeightOptions& options);
WeightFormat weight_format(const WeightOptions& options);

struct WeightReport {
  std::vector<std::string> layers;
  int64_t bytes_before = 0, bytes_after = 0;  // of their weights
};

// `graph`: simplified. Products of f32 rows and a constant matrix [K, N] of at least 16 rows take part.
// Error(invalid_argument) names an excluded layer that there is not.
void quantize_weights(Graph& graph, const WeightOptions& options, WeightReport* report = nullptr);

}  // namespace planish
