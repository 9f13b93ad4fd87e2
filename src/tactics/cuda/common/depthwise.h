#pragma once
// Depthwise convolutions of halves (kernels/cuda/depthwise.cuh).

#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {

constexpr int64_t kDepthwiseThreads = 128;

// What a thread computes: channels of lines x pixels.
struct DepthwisePatch {
  int64_t lines, pixels, vector;
  int64_t in_block() const { return 4 * vector; }
  Dim in_image(const TensorProduct& p) const;
};

// Small images want every thread there is, large ones few reads.
std::vector<DepthwisePatch> depthwise_patches(const TacticQuery& query, const TensorProduct& p);

bool is_depthwise(const TensorProduct& p, int64_t group);  // of extents that the kernel has

// "operands are f32, weights f32", or "" where kernels over views of images take the types.
std::string refuse_direct_types(const TensorProduct& p);

// The first lines of a source: the program, view.cuh and `file`, `using Chosen = chosen;`.
std::string direct_head(const TensorProduct& p, const std::string& file, const std::string& chosen);

// The kernel's own arguments are the pads; views x and y, weights, bias and the residual's view come in front. sums: a
// pointer to sums of patches and how many are added together come behind.
Launch depthwise_launch(const TensorProduct& p, const DepthwisePatch& patch, bool sums);
Tensor pack_depthwise(const TensorProduct& p);  // [tap][channel]
double depthwise_us(const TacticQuery& query, const TensorProduct& p, const DepthwisePatch& patch);

}  // namespace planish::tactics::cuda
