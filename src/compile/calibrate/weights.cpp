#include "compile/calibrate/weights.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace planish {
namespace {

constexpr float kLeastWeightScale = 1e-30F;
constexpr size_t kShortColumn = 256;
constexpr double kFewestLevels = 32;

double rounding_error(const std::vector<double>& values, double scale) {
  constexpr double kWhole = 6755399441055744;  // 1.5 * 2^52: what is added to it becomes a whole number
  const double by = 1 / scale;
  double error = 0;
  for (double value : values) {
    const double at = value * by, off = at - ((at + kWhole) - kWhole);
    error += off * off;
  }
  return error * scale * scale;
}

float column_scale(const std::vector<double>& column) {
  double largest = 0;
  for (double value : column) largest = std::max(largest, std::fabs(value));
  if (largest == 0) return 1;
  std::vector<double> judged;  // evenly spread over a long column
  const size_t count = std::min(column.size(), kShortColumn);
  for (size_t i = 0; i < count; ++i) judged.push_back(column[i * column.size() / count]);
  double best = largest / 127, least = rounding_error(judged, best);
  if (column.size() > kShortColumn) least /= 2;
  for (double levels = 127; levels >= kFewestLevels; levels -= levels > 96 ? 0.25 : 1) {
    const double error = rounding_error(judged, largest / levels);
    if (error >= least) continue;
    least = error;
    best = largest / levels;
  }
  return std::max(static_cast<float>(best), kLeastWeightScale);
}

}  // namespace

ProductWeights weights_of(const Graph& graph, NodeId product) {
  const Node& node = graph.node(product);
  const Tensor& tensor = graph.value(node.inputs[1]).constant;
  const auto& extents = tensor.extents();
  ProductWeights w;
  w.values = tensor.to_doubles();
  w.columns_last = node.op == "matmul";
  w.columns = extents[w.columns_last ? 1 : 0];
  w.channels = extents[w.columns_last ? 0 : 1];
  for (size_t k = 2; k < extents.size(); ++k) w.taps *= extents[k];
  if (!w.columns_last) w.groups = node.attrs.get_or<int64_t>("group", 1);
  return w;
}

std::vector<float> weight_scales(const ProductWeights& weights, const std::string& product) {
  if (!std::all_of(weights.values.begin(), weights.values.end(), [](double value) { return std::isfinite(value); }))
    fail(Code::invalid_model, "the weights of '{}' hold values that are not finite", product);
  std::vector<float> scales;
  std::vector<double> column(static_cast<size_t>(weights.depth()));
  for (int64_t c = 0; c < weights.columns; ++c) {
    for (int64_t k = 0; k < weights.depth(); ++k) column[static_cast<size_t>(k)] = weights.values[weights.index(c, k)];
    scales.push_back(column_scale(column));
  }
  return scales;
}

int8_t nearest_number(double weight, double scale) {
  return static_cast<int8_t>(std::clamp(std::nearbyint(weight / scale), -127.0, 127.0));
}

}  // namespace planish
