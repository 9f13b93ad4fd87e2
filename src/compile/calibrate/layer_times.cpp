#include "compile/calibrate/layer_times.h"

#include <algorithm>
#include <chrono>

namespace planish {

double timed_run(Runner& runner, const Sample& sample) {
  for (const auto& [name, tensor] : sample) runner.set_input(name, tensor);
  runner.bind_outputs();
  const auto start = std::chrono::steady_clock::now();
  runner.run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Sample zero_sample(const Graph& graph) {
  SymbolValues typical;
  for (const auto& [name, info] : graph.symbols) typical[name] = info.range.opt;
  Sample sample;
  for (ValueId id : graph.inputs()) {
    const TensorType& type = graph.value(id).type;
    sample[graph.value(id).name] = Tensor::zeros(type.dtype, type.shape.evaluate(typical));
  }
  return sample;
}

std::map<std::string, double> layer_times(Runner& runner, const Graph& graph, const std::vector<NodeId>& products,
                                          const std::vector<Sample>& samples, size_t runs) {
  std::map<std::string, std::string> layer_of;
  for (NodeId id : products) {
    const Node& node = graph.node(id);
    layer_of.emplace(node.name, node.name);
    for (const std::string& origin : node.origins) layer_of.emplace(origin, node.name);
  }
  runner.context().enable_profiling(true).raise();
  std::map<std::string, double> least;
  for (size_t i = 0; i < runs && !samples.empty(); ++i) {
    timed_run(runner, samples[i % samples.size()]);
    std::vector<StepTiming> timings;
    runner.context().timings(timings).raise();
    std::map<std::string, double> now;
    for (const StepTiming& timing : timings)
      for (const std::string& origin : timing.step->origins)
        if (const auto at = layer_of.find(origin); at != layer_of.end()) {
          now[at->second] += timing.milliseconds;
          break;
        }
    for (const auto& [layer, ms] : now) {
      const auto [at, fresh] = least.emplace(layer, ms);
      if (!fresh) at->second = std::min(at->second, ms);
    }
  }
  runner.context().enable_profiling(false).raise();
  return least;
}

}  // namespace planish
