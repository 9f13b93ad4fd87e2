#include "compile/calibrate/sensitivity.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "compile/runner.h"

namespace planish {
namespace {

BuildOptions untimed() {
  BuildOptions options;
  options.tuning = Tuning::off;
  return options;
}

double error_of(double decibels) { return std::pow(10, -decibels / 20); }

// Results of products as further outputs.
Graph with_results(const Graph& graph, const std::vector<NodeId>& products) {
  Graph watched = graph.clone();
  for (NodeId id : products)
    if (const ValueId result = watched.node(id).outputs[0]; !watched.is_output(result)) watched.add_output(result);
  return watched;
}

}  // namespace

Sensitivity::Sensitivity(const Graph& graph, Device& device, std::vector<Sample> samples,
                         std::function<bool(const BuildProgress&)> progress)
    : graph_(graph), device_(&device, [](Device*) {}), samples_(std::move(samples)), progress_(std::move(progress)) {
  Runner runner(build(with_results(graph, place(graph, {}).products), *device_, untimed()), device_);
  for (const Sample& sample : samples_) {
    for (const auto& [name, tensor] : sample) runner.set_input(name, tensor);
    runner.bind_outputs();
    runner.run();
    expected_.push_back(runner.outputs());
  }
}

// Of the outputs; `also`: a further value whose ratio goes to `own`.
double Sensitivity::decibels(const Graph& numbers, const std::string& also, double* own, double* ms) {
  Runner runner(build(numbers.clone(), *device_, untimed()), device_);
  SignalToNoise outputs, one;
  double least = 1e30;
  for (size_t i = 0; i < samples_.size(); ++i) {
    for (const auto& [name, tensor] : samples_[i]) runner.set_input(name, tensor);
    runner.bind_outputs();
    const auto start = std::chrono::steady_clock::now();
    runner.run();
    least =
        std::min(least, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    for (ValueId id : graph_.outputs()) {
      const std::string& name = graph_.value(id).name;
      outputs.add(Tensor::copy_of(runner.output(name)), expected_[i].at(name));
    }
    if (!also.empty()) one.add(Tensor::copy_of(runner.output(also)), expected_[i].at(also));
  }
  if (own != nullptr) *own = one.decibels();
  if (ms != nullptr) *ms = least;
  return outputs.decibels();
}

std::vector<LayerSensitivity> Sensitivity::layers(const CalibrationTable& calibration, const QuantizeOptions& options) {
  const Placement placement = place(graph_, options.layers);
  std::vector<LayerSensitivity> found;
  for (NodeId id : placement.products) {
    const Node& node = graph_.node(id);
    if (progress_ &&
        !progress_({"layer by layer", static_cast<int>(found.size()), static_cast<int>(placement.products.size())}))
      fail(Code::cancelled, "the comparison was cancelled");
    QuantizeOptions alone = options;
    alone.layers.only = std::set<std::string>{node.name};
    QuantizedLayers layers;
    const Graph numbers = with_results(quantized(graph_, calibration, alone, &layers), {id});
    if (layers.int8.empty()) continue;  // its value has no range
    LayerSensitivity layer{node.name, node.op.str()};
    layer.end_decibels = decibels(numbers, graph_.value(node.outputs[0]).name, &layer.own_decibels, nullptr);
    found.push_back(layer);
  }
  return found;
}

MixedPrecision Sensitivity::judged(const CalibrationTable& calibration, const QuantizeOptions& options,
                                   const std::vector<std::string>& kept) {
  QuantizeOptions mixed = options;
  for (const std::string& name : kept) mixed.layers.fp32.emplace(name, "the outputs' error would be too large");
  MixedPrecision result;
  result.error = error_of(decibels(quantized(graph_, calibration, mixed), "", nullptr, &result.ms));
  result.layers = mixed.layers;
  result.kept = kept;
  return result;
}

MixedPrecision Sensitivity::search(const CalibrationTable& calibration, const QuantizeOptions& options, double most) {
  MixedPrecision all = judged(calibration, options, {});
  all.all_int8_error = all.error;
  all.all_int8_ms = all.ms;
  if (all.error <= most) return all;
  std::vector<LayerSensitivity> order = layers(calibration, options);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.end_decibels < b.end_decibels; });
  const auto keep = [&](size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i)
      if (options.layers.int8.count(order[i].layer) == 0) names.push_back(order[i].layer);
    return judged(calibration, options, names);
  };
  size_t low = 0, high = order.size();  // `low` is not enough, `high` is
  MixedPrecision found = keep(high);
  if (found.error > most)
    fail(Code::unsupported, "an error of {:g} cannot be had: with no layer in int8 it is {:g}", most, found.error);
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    MixedPrecision tried = keep(middle);
    if (tried.error <= most) {
      found = std::move(tried);
      high = middle;
    } else {
      low = middle;
    }
  }
  found.all_int8_error = all.error;
  found.all_int8_ms = all.ms;
  return found;
}

}  // namespace planish
