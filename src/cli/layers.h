#pragma once
// The steps of a plan as people and programs read them: one table, one JSON form (docs/layers_json.md).

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/session.h"

namespace planish::cli {

struct LayerRow {
  uint32_t id = 0;
  std::string name, op, kernel;
  std::vector<std::string> origins;
  std::string arithmetic;  // of a product: arithmetic_of()
  double ms = -1;          // median over the profiled runs; negative: not timed
  int64_t flops = 0, bytes = 0;
  double least_ms = 0;  // of a GPU: what its memory or its arithmetic take for it at their peaks; 0: not known
};

// Runs `runs` profiled executions.
std::vector<LayerRow> measure_layers(Session& session, int runs);
// Untimed; floating-point operations and bytes at the profile's typical extents.
std::vector<LayerRow> planned_layers(const Plan& plan);

// Of measured rows; slowest > 0: so many of them, the slowest first. With a GPU's rows, the fraction of their least
// times.
void print_layers(const std::vector<LayerRow>& rows, double peak_gflops, int slowest = 0);
void print_planned_layers(const std::vector<LayerRow>& rows);
nlohmann::json layers_json(const std::vector<LayerRow>& rows, double peak_gflops);  // peak 0: unknown

}  // namespace planish::cli
