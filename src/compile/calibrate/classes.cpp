#include "compile/calibrate/classes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "passes/common/values.h"

namespace planish {
namespace {

constexpr double kLeastProbability = 1e-12;

double normal_below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

}  // namespace

bool ClassChanges::has_classes(const Graph& graph) {
  if (graph.outputs().empty()) return false;
  const TensorType& type = graph.value(graph.outputs()[0]).type;
  if (type.dtype != DataType::f32 || type.shape.rank() < 1) return false;
  int wide = 0;
  for (int k = type.shape.rank() == 1 ? 0 : 1; k < type.shape.rank(); ++k) wide += type.shape[k] == Dim(1) ? 0 : 1;
  return wide == 1;
}

ClassChanges::ClassChanges(const Graph& graph) {
  ValueId value = graph.outputs()[0];
  while (graph.value(value).producer.valid() && passes::is_move(graph.node(graph.value(value).producer)))
    value = graph.node(graph.value(value).producer).inputs[0];
  const NodeId producer = graph.value(value).producer;
  probabilities_ = producer.valid() && graph.node(producer).op == "softmax";
}

void ClassChanges::add(const Tensor& found, const Tensor& expected) {
  if (found.extents() != expected.extents())
    fail(Code::mismatch, "{} beside {}", found.type().str(), expected.type().str());
  std::vector<double> mine = found.to_doubles(), wanted = expected.to_doubles();
  for (auto* values : {&mine, &wanted})
    for (double& value : *values)
      if (probabilities_) value = std::log(std::max(value, kLeastProbability));
  const size_t rows = expected.rank() > 1 ? static_cast<size_t>(expected.extents()[0]) : 1;
  const size_t classes = rows == 0 ? 0 : wanted.size() / rows;
  for (size_t row = 0; row < rows && classes > 1; ++row)
    add_row(mine.data() + row * classes, wanted.data() + row * classes, classes);
}

void ClassChanges::add_row(const double* found, const double* expected, size_t classes) {
  const size_t rivals = std::min(classes - 1, kRivals);
  std::vector<size_t> order(classes);
  std::iota(order.begin(), order.end(), size_t{0});
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(rivals) + 1, order.end(),
      [&](size_t a, size_t b) { return expected[a] > expected[b] || (expected[a] == expected[b] && a < b); });
  Sample sample;
  sample.margins.fill(std::numeric_limits<double>::infinity());
  const size_t first = order[0];
  for (size_t k = 0; k < rivals; ++k) {
    const size_t rival = order[k + 1];
    sample.margins[k] = expected[first] - expected[rival];
    const double off = found[first] - found[rival] - sample.margins[k];
    sample.noise += off * off / static_cast<double>(rivals);
  }
  sample.height = expected[first] - std::accumulate(expected, expected + classes, 0.0) / static_cast<double>(classes);
  samples_.push_back(sample);
  changed_ += static_cast<size_t>(std::max_element(found, found + classes) - found) == first ? 0 : 1;
}

double ClassChanges::share() const {
  double noise = 0, heights = 0, sum = 0;
  for (const Sample& sample : samples_) {
    noise += sample.noise;
    heights += sample.height * sample.height;
  }
  if (noise == 0) return 0;
  for (const Sample& sample : samples_) {
    const double expected = heights > 0 ? sample.height * sample.height * noise / heights : 0;
    const double deviation = std::sqrt((sample.noise + expected) / 2);
    double stays = 1;
    for (double margin : sample.margins) stays *= deviation > 0 ? normal_below(margin / deviation) : 1;
    sum += 1 - stays;
  }
  return sum / static_cast<double>(samples_.size());
}

}  // namespace planish
