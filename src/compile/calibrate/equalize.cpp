#include "compile/calibrate/equalize.h"

#include <algorithm>
#include <cmath>

#include "compile/runner.h"
#include "passes/common/values.h"

namespace planish {
namespace {

constexpr double kMostFactor = 64;
constexpr double kMargin = 0.9;  // of the bound: channels of other samples are somewhat larger

struct Pair {
  NodeId before;
  ValueId value;
  std::vector<NodeId> behind;
  double bound = 0;  // 0: none
  std::vector<float> peaks;
};

bool is_plain_conv(const Graph& graph, const Node& node) {
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2].valid();
  return node.op == "conv" && passes::is_float_constant(graph, node.inputs[1]) &&
         (!has_bias || passes::is_float_constant(graph, node.inputs[2]));
}

// The other operand of a min or max, when it is one number.
std::optional<double> limit_of(const Graph& graph, const Node& node, ValueId value) {
  if (node.inputs.size() != 2) return std::nullopt;
  return passes::scalar_of(graph, node.inputs[node.inputs[0] == value ? 1 : 0]);
}

bool is_depthwise(const Graph& graph, const Node& conv) {
  return graph.value(conv.inputs[1]).type.shape[1] == Dim(1) && conv.attrs.get_or<int64_t>("group", 1) > 1;
}

std::optional<Pair> pair_from(const Graph& graph, NodeId id) {
  if (!is_plain_conv(graph, graph.node(id))) return std::nullopt;
  Pair pair{id, graph.node(id).outputs[0], {}, 0, {}};
  while (passes::is_private(graph, pair.value)) {
    const Node& next = graph.node(graph.users(pair.value)[0]);
    const auto limit = next.op == "min" || next.op == "max" ? limit_of(graph, next, pair.value) : std::nullopt;
    const bool rectifies = next.op == "relu" || (next.op == "max" && limit == 0.0);
    const bool bounds = next.op == "min" && limit && *limit > 0;
    if (!rectifies && !bounds) break;
    if (bounds) pair.bound = pair.bound > 0 ? std::min(pair.bound, *limit) : *limit;
    pair.value = next.outputs[0];
  }
  if (graph.is_output(pair.value)) return std::nullopt;
  pair.behind = graph.users(pair.value);
  const bool all = std::all_of(pair.behind.begin(), pair.behind.end(), [&](NodeId user) {
    const Node& node = graph.node(user);
    return is_plain_conv(graph, node) && is_depthwise(graph, node) && node.inputs[0] == pair.value;
  });
  return all && !pair.behind.empty() ? std::optional(pair) : std::nullopt;
}

void take_peaks(std::vector<float>& peaks, const TensorView& x) {
  const int64_t channels = x.dims[1], inner = x.element_count() / std::max<int64_t>(x.dims[0] * channels, 1);
  peaks.resize(static_cast<size_t>(channels), 0);
  const auto* values = x.as<const float>();
  for (int64_t row = 0; row < x.dims[0] * channels; ++row) {
    float& peak = peaks[static_cast<size_t>(row % channels)];
    for (int64_t i = 0; i < inner; ++i) peak = std::max(peak, std::fabs(values[row * inner + i]));
  }
}

std::vector<double> factors_of(const Pair& pair) {
  const double largest = *std::max_element(pair.peaks.begin(), pair.peaks.end());
  const double bound = kMargin * (pair.bound > 0 ? pair.bound : largest);
  std::vector<double> factors;
  for (float peak : pair.peaks) factors.push_back(peak > 0 ? std::clamp(bound / peak, 1.0, kMostFactor) : 1);
  return factors;
}

template <class Change>
void change_constant(Graph& graph, NodeId node, size_t operand, Change change) {
  const Tensor& old = graph.value(graph.node(node).inputs[operand]).constant;
  std::vector<double> values = old.to_doubles();
  for (size_t i = 0; i < values.size(); ++i) values[i] = change(static_cast<int64_t>(i), values[i]);
  graph.set_input(node, operand, graph.add_constant(passes::float_tensor(old.extents(), values)));
}

void apply(Graph& graph, const Pair& pair) {
  const std::vector<double> factors = factors_of(pair);
  const auto at = [&](int64_t channel) { return factors[static_cast<size_t>(channel)]; };
  const auto extents = graph.value(graph.node(pair.before).inputs[1]).constant.extents();
  int64_t inner = 1;
  for (size_t k = 1; k < extents.size(); ++k) inner *= extents[k];
  change_constant(graph, pair.before, 1, [&](int64_t i, double w) { return w * at(i / inner); });
  const bool has_bias = graph.node(pair.before).inputs.size() > 2 && graph.node(pair.before).inputs[2].valid();
  if (has_bias) change_constant(graph, pair.before, 2, [&](int64_t i, double b) { return b * at(i); });
  for (NodeId id : pair.behind) {
    const auto w = graph.value(graph.node(id).inputs[1]).constant.extents();
    int64_t taps = 1;
    for (size_t k = 2; k < w.size(); ++k) taps *= w[k];
    const int64_t filters = w[0] / graph.node(id).attrs.get_or<int64_t>("group", 1);
    change_constant(graph, id, 1, [&](int64_t i, double value) {
      return value / at(i / (taps * w[1]) / filters * w[1] + i / taps % w[1]);
    });
  }
}

}  // namespace

Graph equalized(const Graph& graph, Device& device, const SampleSource& source) {
  Graph result = graph.clone();
  std::vector<Pair> pairs;
  Graph watched = graph.clone();
  for (NodeId id : graph.nodes())
    if (auto pair = pair_from(graph, id)) {
      watched.add_output(pair->value);
      pairs.push_back(std::move(*pair));
    }
  if (pairs.empty()) return result;
  BuildOptions plain;
  plain.tuning = Tuning::off;
  const std::shared_ptr<Device> shared(&device, [](Device*) {});
  Runner runner(build(std::move(watched), device, plain), shared);
  while (auto sample = source()) {
    for (const auto& [name, tensor] : *sample) runner.set_input(name, tensor);
    runner.bind_outputs();
    runner.run();
    for (Pair& pair : pairs) take_peaks(pair.peaks, runner.output(graph.value(pair.value).name));
  }
  for (const Pair& pair : pairs)
    if (!pair.peaks.empty()) apply(result, pair);
  result.remove_dead();
  return result;
}

}  // namespace planish
