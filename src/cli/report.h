#pragma once
// Measurements as people and programs read them.

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "base/thread_pool.h"

namespace planish::cli {

struct Statistics {
  double min_ms = 0, p10_ms = 0, median_ms = 0, p90_ms = 0, p99_ms = 0;
  int runs = 0;
  double total_ms = 0;
  // Of executions one after another, as they were timed.
  double runs_a_second() const { return total_ms > 0 ? 1e3 * runs / total_ms : 0; }
};
Statistics statistics_of(std::vector<double> milliseconds);

// fp32 peak in GFLOP/s with this pool and level, measured now (best of several short runs).
double measure_peak_gflops(Isa isa, ThreadPool& pool);

void write_text(const std::string& path, const std::string& text);      // "-": standard output
void write_json(const std::string& path, const nlohmann::json& value);  // "-": standard output

// '/', '\\' and ':' become '_'; names that no file system takes are cut.
std::string file_name_of(const std::string& tensor_name);
// The same for tensors of one folder: where two would have one name, the later one's ends in a number.
std::map<std::string, std::string> file_names_of(const std::vector<std::string>& tensor_names);

}  // namespace planish::cli
