#pragma once
// Measurements as people and programs read them.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"

namespace planish::cli {

struct Statistics {
  double min_ms = 0, p10_ms = 0, median_ms = 0, p90_ms = 0, p99_ms = 0;
  int runs = 0;
};
Statistics statistics_of(std::vector<double> milliseconds);

// fp32 peak in GFLOP/s with this pool and level, measured now (best of several short runs).
double measure_peak_gflops(Isa isa, ThreadPool& pool);

void write_json(const std::string& path, const nlohmann::json& value);  // "-": standard output

std::string file_name_of(const std::string& tensor_name);  // '/' and ':' become '_'

}  // namespace planish::cli
