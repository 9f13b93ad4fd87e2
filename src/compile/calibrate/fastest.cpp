#include "compile/calibrate/fastest.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <limits>

#include "compile/calibrate/layer_times.h"

namespace planish {
namespace {

constexpr size_t kProfiled = 10;      // runs
constexpr double kRaceSeconds = 0.6;  // that candidates are run in turns
constexpr int kRaceRounds = 5;        // at least
constexpr double kAhead = 1.02;       // layers change sides for more than noise

// Kernels that several plans share are timed once.
class SharedTimings {
 public:
  explicit SharedTimings(BuildOptions& options) {
    static std::atomic<int> count{0};
    if (!options.timing_cache.empty()) return;
    path_ = (std::filesystem::temp_directory_path() / fmt::format("planish-{}-{}.cache", getpid(), count++)).string();
    options.timing_cache = path_;
  }
  ~SharedTimings() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  SharedTimings(const SharedTimings&) = delete;
  SharedTimings& operator=(const SharedTimings&) = delete;

 private:
  std::string path_;
};

struct Racer {
  Plan plan;
  BuildReport report;
  std::unique_ptr<Runner> runner;
  double ms = std::numeric_limits<double>::infinity();
};

}  // namespace

FastestPlan build_fastest(const Graph& graph, const CalibrationTable& table, const QuantizeOptions& options,
                          std::shared_ptr<Device> device, const BuildOptions& build_options, BuildReport* report) {
  BuildOptions how = build_options;
  const SharedTimings timings(how);
  std::vector<Racer> plans(2);
  const auto make = [&](Racer& one, Graph of) {
    one.plan = build(std::move(of), *device, how, &one.report);
    one.runner = std::make_unique<Runner>(one.plan, device);
  };
  make(plans[0], quantized(graph, table, options));
  make(plans[1], graph.clone());
  const std::vector<Sample> zeros = {zero_sample(graph)};
  const auto products = place(graph, options.layers).products;
  auto int8 = layer_times(*plans[0].runner, graph, products, zeros, kProfiled);
  auto fp32 = layer_times(*plans[1].runner, graph, products, zeros, kProfiled);
  FastestPlan found;
  QuantizeOptions mixed = options;
  for (NodeId id : products) {
    const Node& node = graph.node(id);
    if (fp32.count(node.name) == 0 || fp32[node.name] * kAhead >= int8[node.name] ||
        find_named(options.layers.int8, node) != options.layers.int8.end())
      continue;
    mixed.layers.fp32.emplace(node.name, "fp32 is faster");
    found.fp32.push_back(node.name);
  }
  if (!found.fp32.empty() && found.fp32.size() < products.size())
    make(plans.emplace_back(), quantized(graph, table, mixed));
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  for (int round = 0; round < kRaceRounds || seconds() < kRaceSeconds; ++round)
    for (Racer& one : plans) one.ms = std::min(one.ms, timed_run(*one.runner, zeros[0]));
  const auto fastest =
      std::min_element(plans.begin(), plans.end(), [](const auto& a, const auto& b) { return a.ms < b.ms; });
  found.int8_ms = plans[0].ms;
  found.fp32_ms = plans[1].ms;
  found.mixed_ms = plans.size() > 2 ? plans[2].ms : 0;
  found.taken = fastest == plans.begin() ? "int8" : fastest == plans.begin() + 1 ? "fp32" : "mixed";
  if (report != nullptr) *report = std::move(fastest->report);
  found.plan = std::move(fastest->plan);
  return found;
}

}  // namespace planish
