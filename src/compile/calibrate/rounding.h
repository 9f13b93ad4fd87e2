#pragma once
// Weights rounded so that a product's results change least, not each weight.

#include <vector>

#include "base/thread_pool.h"
#include "compile/calibrate/weights.h"
#include "tensor/view.h"

namespace planish {

// Second moments of what a product multiplies its columns with: H = E[x x^T] over rows x of its input, apart for each
// group, and for blocks of at most 512 weights of a longer column.
class InputMoments {
 public:
  InputMoments(const Graph& graph, NodeId product);

  // Takes so many rows of the input (f32, any strides), evenly spread, others each time, until 4,096 were taken.
  void add(const TensorView& input, int rows, ThreadPool& pool);
  bool empty() const { return rows_ == 0; }

  struct Block {
    int64_t group = 0, first = 0, size = 0;  // weights [first, first + size) of a column
    std::vector<float> sums;                 // of products, [size, size]; at and right of the diagonal
  };
  const std::vector<Block>& blocks() const { return blocks_; }
  double rows() const { return rows_; }

 private:
  void gather(const TensorView& input, int64_t position, float* row) const;

  bool windows_ = false;  // of a convolution; else rows of a matrix
  std::vector<int64_t> kernel_, strides_, dilations_, pads_;
  int64_t groups_ = 1, channels_ = 1, taps_ = 1;
  std::vector<Block> blocks_;
  int64_t rows_ = 0, calls_ = 0;
};

// Numbers in the order of the tensor. In each block, weights are rounded one after the other, those of the largest
// E[x^2] first, each after what the errors e of those before it cost was made up for: with H = M^T D M, M unit lower
// triangular, e^T H e = sum_j D_j (e_j + sum_{i<j} M_ji e_i)^2, and number j is the nearest to w_j + sum_{i<j} M_ji e_i
// (L. Babai's nearest plane; "OPTQ", E. Frantar et al., ICLR 2023, rounds so). H gets a hundredth of its mean diagonal
// added. `factors`: of the input's channels, that they are divided by; empty: 1.
std::vector<int8_t> rounded_weights(const ProductWeights& weights, const std::vector<float>& scales,
                                    const InputMoments& moments, const std::vector<double>& factors, ThreadPool& pool);

}  // namespace planish
