#include "cli/report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "kernels/kernel.h"

namespace planish::cli {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
  const auto at = static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[at];
}

double rate(double amount, double ms) { return ms > 0 ? amount / ms * 1e-6 : 0; }

std::string shorten(const std::string& text, size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

}  // namespace

Statistics statistics_of(std::vector<double> ms) {
  if (ms.empty()) return {};
  std::sort(ms.begin(), ms.end());
  return {ms.front(),       quantile(ms, .1),  quantile(ms, .5),
          quantile(ms, .9), quantile(ms, .99), static_cast<int>(ms.size())};
}

double measure_peak_gflops(Isa isa, ThreadPool& pool) {
  const Kernel* kernel = cpu_kernels(isa).find("peak");
  int64_t rounds = 400000;
  float result[2] = {};
  const std::vector<int64_t> two = {2};
  const TensorView in = make_view(&rounds, DataType::i64, {}), out = make_view(result, DataType::f32, two);
  KernelArgs args;
  args.inputs = {&in, 1};
  args.outputs = {&out, 1};
  args.pool = &pool;
  double best = 0;
  pool.begin_run();
  for (int i = 0; i < 7; ++i) {
    const auto start = std::chrono::steady_clock::now();
    kernel->run(args);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, result[0] * pool.size() / seconds.count() * 1e-9);
  }
  pool.end_run();
  return best;
}

std::vector<LayerRow> measure_layers(Session& session, int runs) {
  std::vector<LayerRow> rows;
  std::map<uint32_t, std::vector<double>> times;
  session.context().enable_profiling(true);
  for (int i = 0; i < runs; ++i) {
    session.run();
    const auto timings = session.context().timings();
    rows.clear();
    for (const StepTiming& timing : timings) {
      times[timing.step->id].push_back(timing.milliseconds);
      rows.push_back({timing.step->id, timing.step->name, timing.step->op, timing.step->kernel, timing.step->origins, 0,
                      timing.flops, timing.bytes});
    }
  }
  session.context().enable_profiling(false);
  for (LayerRow& row : rows) row.ms = statistics_of(times[row.id]).median_ms;
  return rows;
}

void print_layers(const std::vector<LayerRow>& rows, double peak_gflops) {
  double total = 0;
  for (const LayerRow& row : rows) total += row.ms;
  std::printf("%9s %6s %9s %8s %6s  %-28s %s\n", "ms", "share", "GFLOP/s", "GB/s", "peak", "kernel", "layer");
  for (const LayerRow& row : rows) {
    const double gflops = rate(static_cast<double>(row.flops), row.ms);
    std::printf("%9.4f %5.1f%% %9.1f %8.1f %5.1f%%  %-28s %s\n", row.ms, 100 * row.ms / total, gflops,
                rate(static_cast<double>(row.bytes), row.ms), 100 * gflops / peak_gflops, row.kernel.c_str(),
                shorten(row.name, 70).c_str());
  }
  std::printf("%9.4f ms in %zu steps; fp32 peak measured in this run: %.1f GFLOP/s\n", total, rows.size(), peak_gflops);
}

nlohmann::json layers_json(const std::vector<LayerRow>& rows, double peak_gflops) {
  nlohmann::json steps = nlohmann::json::array();
  for (const LayerRow& row : rows)
    steps.push_back({{"id", row.id},
                     {"name", row.name},
                     {"op", row.op},
                     {"kernel", row.kernel},
                     {"origins", row.origins},
                     {"ms", row.ms},
                     {"flops", row.flops},
                     {"bytes", row.bytes}});
  return {{"peak_gflops", peak_gflops}, {"steps", steps}};
}

void write_json(const std::string& path, const nlohmann::json& value) { write_file_atomic(path, value.dump(2) + "\n"); }

std::string file_name_of(const std::string& tensor_name) {
  std::string name = tensor_name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == ':' || c == '\\'; }, '_');
  return name;
}

}  // namespace planish::cli
