#include "compile/calibrate/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compile/calibrate/classes.h"
#include "compile/calibrate/equalise.h"
#include "compile/calibrate/layer_times.h"

namespace planish {
namespace {

constexpr size_t kLayerSamples = 8;
constexpr int kMostReturns = 48;     // layers that are tried in int8 again
constexpr double kLeastCost = 0.25;  // of a layer's mean time in fp32: below, differences are noise

using Values = std::map<std::string, Tensor>;

BuildOptions untimed() {
  BuildOptions options;
  options.tuning = Tuning::off;
  return options;
}

double error_of(double decibels) { return std::pow(10, -decibels / 20); }
double noise_of(double decibels) { return std::pow(10, -decibels / 10); }

// Results of products as further outputs.
Graph with_results(const Graph& graph, const std::vector<NodeId>& products) {
  Graph watched = graph.clone();
  for (NodeId id : products)
    if (const ValueId result = watched.node(id).outputs[0]; !watched.is_output(result)) watched.add_output(result);
  return watched;
}

}  // namespace

struct Sensitivity::State {
  const Graph& graph;
  std::shared_ptr<Device> device;
  std::vector<Sample> samples;
  std::vector<Values> expected;
  std::function<bool(const BuildProgress&)> progress;
  double fp32_ms = std::numeric_limits<double>::infinity();

  Runner runner_of(Graph of) const { return {build(std::move(of), *device, untimed()), device}; }
  size_t layer_samples() const { return std::min(samples.size(), kLayerSamples); }

  void say(const std::string& phase, int done, int total) const {
    if (progress && !progress({phase, done, total})) fail(Code::cancelled, "the comparison was cancelled");
  }
};

Sensitivity::Sensitivity(const Graph& graph, Device& device, std::vector<Sample> samples,
                         std::function<bool(const BuildProgress&)> progress)
    : state_(new State{graph, {&device, [](Device*) {}}, std::move(samples), {}, std::move(progress)}) {
  if (state_->samples.empty()) fail(Code::invalid_argument, "there is no sample to judge by");
  Runner runner = state_->runner_of(graph.clone());
  for (const Sample& sample : state_->samples) {
    state_->fp32_ms = std::min(state_->fp32_ms, timed_run(runner, sample));
    state_->expected.push_back(runner.outputs());
  }
}

Sensitivity::~Sensitivity() = default;

Loss Sensitivity::loss_of(const CalibrationTable& table, const QuantizeOptions& options) {
  const Graph& graph = state_->graph;
  Runner runner = state_->runner_of(quantized(graph, table, options));
  const std::string first = graph.outputs().empty() ? "" : graph.value(graph.outputs()[0]).name;
  std::optional<ClassChanges> classes;
  if (ClassChanges::has_classes(graph)) classes.emplace(graph);
  OutputNoise ratio;
  Loss loss;
  loss.ms = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < state_->samples.size(); ++i) {
    loss.ms = std::min(loss.ms, timed_run(runner, state_->samples[i]));
    for (const auto& [name, tensor] : runner.outputs()) {
      ratio.add(name, tensor, state_->expected[i].at(name));
      if (classes && name == first) classes->add(tensor, state_->expected[i].at(name));
    }
  }
  loss.error = error_of(ratio.decibels());
  if (classes) loss.changed = classes->share();
  return loss;
}

std::vector<LayerSensitivity> Sensitivity::layers(const CalibrationTable& table, const QuantizeOptions& options) {
  const Graph& graph = state_->graph;
  const Placement placement = place(graph, options.layers);
  std::vector<Values> results;
  Graph alike = graph.clone();  // with the results that numbers are made for
  CalibrationTable scaled = table;
  equalise(alike, scaled);
  Runner plain = state_->runner_of(with_results(alike, placement.products));
  for (size_t i = 0; i < state_->layer_samples(); ++i) {
    timed_run(plain, state_->samples[i]);
    results.push_back(plain.outputs());
  }
  const auto times_of = [&](Graph of) {
    Runner runner = state_->runner_of(std::move(of));
    return layer_times(runner, graph, placement.products, state_->samples, kLayerSamples);
  };
  auto fp32_ms = times_of(graph.clone()), int8_ms = times_of(quantized(graph, table, options));
  std::vector<LayerSensitivity> found;
  for (NodeId id : placement.products) {
    const Node& node = graph.node(id);
    state_->say("layer by layer", static_cast<int>(found.size()), static_cast<int>(placement.products.size()));
    QuantizeOptions alone = options;
    alone.layers.only = std::set<std::string>{node.name};
    QuantizedLayers layers;
    const Graph numbers = with_results(quantized(graph, table, alone, &layers), {id});
    if (layers.int8.empty()) continue;  // its value has no range
    Runner runner = state_->runner_of(numbers.clone());
    const std::string& result = graph.value(node.outputs[0]).name;
    SignalToNoise own;
    OutputNoise end;
    for (size_t i = 0; i < results.size(); ++i) {
      timed_run(runner, state_->samples[i]);
      for (ValueId output : graph.outputs()) {
        const std::string& name = graph.value(output).name;
        end.add(name, Tensor::copy_of(runner.output(name)), results[i].at(name));
      }
      own.add(Tensor::copy_of(runner.output(result)), results[i].at(result));
    }
    found.push_back({node.name, node.op.str(), own.decibels(), end.decibels(), int8_ms[node.name], fp32_ms[node.name]});
  }
  return found;
}

MixedPrecision Sensitivity::search(const CalibrationTable& given, const QuantizeOptions& options,
                                   const LossBounds& bounds) {
  if (std::isfinite(bounds.changed) && !ClassChanges::has_classes(state_->graph))
    fail(Code::invalid_argument, "the first output holds no scores of classes; a bound on the error is accepted");
  CalibrationTable table = given;
  note_weight_scales(state_->graph, table);
  MixedPrecision found;
  found.fp32_ms = state_->fp32_ms;
  const auto judged = [&](const std::vector<std::string>& kept) {
    MixedPrecision one = found;
    one.layers = options.layers;
    for (const std::string& name : kept) one.layers.fp32.emplace(name, "the outputs would lose too much");
    one.kept = kept;
    QuantizeOptions mixed = options;
    mixed.layers = one.layers;
    one.loss = loss_of(table, mixed);
    return one;
  };
  found = judged({});
  found.all_int8 = found.loss;
  if (found.loss.within(bounds)) return found;
  std::vector<LayerSensitivity> order = layers(table, options);
  order.erase(std::remove_if(order.begin(), order.end(),
                             [&](const auto& layer) { return options.layers.int8.count(layer.layer) > 0; }),
              order.end());
  const double least = kLeastCost * state_->fp32_ms / static_cast<double>(std::max<size_t>(order.size(), 1));
  const auto worth = [least](const LayerSensitivity& layer) {
    return noise_of(layer.end_decibels) / std::max(layer.ms - layer.int8_ms, least);
  };
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) { return worth(a) > worth(b); });
  const auto first = [&](size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) names.push_back(order[i].layer);
    return judged(names);
  };
  const MixedPrecision all = found;
  size_t low = 0, high = order.size();  // `low` is not enough, `high` is
  found = first(high);
  if (!found.loss.within(bounds))
    fail(Code::unsupported,
         "an error of {:g} and other first classes in {:g} % cannot be had: with no layer in int8 "
         "they are {:g} and {:g} %",
         bounds.error, 100 * bounds.changed, found.loss.error, 100 * found.loss.changed);
  while (high - low > 1) {
    state_->say("searching", static_cast<int>(order.size() - (high - low)), static_cast<int>(order.size()));
    const size_t middle = low + (high - low) / 2;
    MixedPrecision tried = first(middle);
    const bool enough = tried.loss.within(bounds);
    (enough ? high : low) = middle;
    if (enough) found = std::move(tried);
  }
  // What was needed on the way may be so no more.
  std::vector<std::string> returning = found.kept;
  std::reverse(returning.begin(), returning.end());
  for (size_t i = 0; i < returning.size() && i < static_cast<size_t>(kMostReturns) && found.kept.size() > 1; ++i) {
    std::vector<std::string> fewer = found.kept;
    fewer.erase(std::remove(fewer.begin(), fewer.end(), returning[i]), fewer.end());
    state_->say("searching", static_cast<int>(i), static_cast<int>(returning.size()));
    if (MixedPrecision tried = judged(fewer); tried.loss.within(bounds)) found = std::move(tried);
  }
  found.all_int8 = all.all_int8;
  return found;
}

}  // namespace planish
