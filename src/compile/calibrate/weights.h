#pragma once
// Weights of a product as numbers: a scale for each column, and the numbers.

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace planish {

// [columns] of [channels, taps] behind convolutions, whose columns are filters, and of [depth, 1] behind matmul, whose
// tensor has the columns last.
struct ProductWeights {
  std::vector<double> values;  // in the tensor's order
  int64_t columns = 1, channels = 1, taps = 1, groups = 1;
  bool columns_last = false;

  int64_t depth() const { return channels * taps; }
  size_t index(int64_t column, int64_t k) const {
    return static_cast<size_t>(columns_last ? k * columns + column : column * depth() + k);
  }
  size_t column(size_t i) const {
    return columns_last ? i % static_cast<size_t>(columns) : i / static_cast<size_t>(depth());
  }
  // Of the input, that weight i is multiplied with.
  size_t channel(size_t i) const {
    if (columns_last) return i / static_cast<size_t>(columns);
    const auto own = static_cast<int64_t>(i) % depth() / taps, filter = static_cast<int64_t>(i) / depth();
    return static_cast<size_t>(filter / (columns / groups) * channels + own);
  }
};

// Of a conv or matmul with constant weights that passes::refuse_numbers accepts.
ProductWeights weights_of(const Graph& graph, NodeId product);

// Of columns: the largest magnitude by the number from 32 to 127 (in steps of 1/4 down to 96, of 1 below) that rounds
// the weights with the least squared error. So weights that lie on a grid stay what they are. Of columns of more than
// 256 weights so many are judged by, and 127 is taken unless the error is less than half of its. Error(invalid_model)
// names the product whose weights are not finite.
std::vector<float> weight_scales(const ProductWeights& weights, const std::string& product);

int8_t nearest_number(double weight, double scale);

}  // namespace planish
