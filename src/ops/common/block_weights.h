#pragma once
// Matrices of weights kept as numbers of 8 bits and fewer, a scale and perhaps a zero point for each block of depth of
// each column:
//   w[k, n] = (number[k, n] - zero[k / block, n]) * scale[k / block, n]

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace planish {

struct BlockWeights {
  int64_t depth = 0, columns = 0;
  int64_t block = 0;             // the last one may be shorter; depth: a scale a column
  int bits = 8;                  // of a number: 8, or 4 for what has 4 and fewer
  std::vector<uint8_t> numbers;  // [depth, columns], raised by 2^(bits - 1) where they were signed
  std::vector<float> scales;     // [blocks, columns]
  std::vector<uint8_t> zeros;    // likewise, raised alike

  int64_t blocks() const { return block == 0 ? 0 : (depth + block - 1) / block; }
};

// A dequantize_linear of constants as such a matrix [K, N]; nothing where it is none: other ranks, types or axes,
// scales that are not finite.
std::optional<BlockWeights> block_weights(const Graph& graph, const Node& dequantize);
// Of its operands; zeros may be absent.
std::optional<BlockWeights> block_weights(const Tensor& numbers, const Tensor& scales, const Tensor& zeros,
                                          const Attrs& attrs);
Tensor dequantized(const BlockWeights& weights);  // f32 [depth, columns]

// How floats become numbers. Symmetric: scale = the value of the block that is largest by magnitude, by -2^(bits - 1),
// so that it is met exactly; zero point 2^(bits - 1). Else the range with 0 in it spans all numbers. A block of zeros
// has scale 1.
struct WeightFormat {
  int bits = 4;        // 4 or 8
  int64_t block = 32;  // 0: a scale a column
  bool symmetric = true;
};
// weights [depth, columns] in f32; Error(invalid_argument) names the first that is not finite.
BlockWeights quantized_matrix(std::span<const float> weights, int64_t depth, int64_t columns,
                              const WeightFormat& format);

// Refuses what no format is: Error(invalid_argument).
void check_format(const WeightFormat& format);

// The operands of dequantize_linear (numbers u4 or u8, scales, zero points) and its attributes.
struct DequantizeOperands {
  Tensor numbers, scales, zeros;
  Attrs attrs;
};
DequantizeOperands dequantize_operands(const BlockWeights& weights);

}  // namespace planish
