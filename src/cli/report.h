#pragma once
// Measurements as people and programs read them: statistics, the table of layers, layers.json.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"
#include "cli/session.h"

namespace planish::cli {

struct Statistics {
  double min_ms = 0, p10_ms = 0, median_ms = 0, p90_ms = 0, p99_ms = 0;
  int runs = 0;
};
Statistics statistics_of(std::vector<double> milliseconds);

// fp32 peak in GFLOP/s with this pool and level, measured now (best of several short runs).
double measure_peak_gflops(Isa isa, ThreadPool& pool);

struct LayerRow {
  uint32_t id = 0;
  std::string name, op, kernel;
  std::vector<std::string> origins;
  double ms = 0;  // median over the profiled runs
  int64_t flops = 0, bytes = 0;
};
// Runs `runs` profiled executions.
std::vector<LayerRow> measure_layers(Session& session, int runs);

void print_layers(const std::vector<LayerRow>& rows, double peak_gflops);
nlohmann::json layers_json(const std::vector<LayerRow>& rows, double peak_gflops);
void write_json(const std::string& path, const nlohmann::json& value);

std::string file_name_of(const std::string& tensor_name);  // '/' and ':' become '_'

}  // namespace planish::cli
