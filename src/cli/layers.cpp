#include "cli/layers.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/arithmetic.h"
#include "cli/report.h"
#include "device/accelerator.h"

namespace planish::cli {
namespace {

constexpr int kLayersVersion = 1;

// Units of 1e9 a second.
double rate(int64_t amount, double ms) { return ms > 0 ? static_cast<double>(amount) / ms * 1e-6 : 0; }

std::string shorten(const std::string& text, size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
}

std::map<std::string, int> arithmetic_in(const std::vector<LayerRow>& rows) {
  std::map<std::string, int> found;
  for (const LayerRow& row : rows)
    if (!row.arithmetic.empty()) ++found[row.arithmetic];
  return found;
}

double total_ms(const std::vector<LayerRow>& rows) {
  double total = 0;
  for (const LayerRow& row : rows) total += row.ms;
  return total;
}

nlohmann::json row_json(const LayerRow& row, double total, double peak_gflops) {
  nlohmann::json json = {{"id", row.id},           {"name", row.name},   {"op", row.op},      {"kernel", row.kernel},
                         {"origins", row.origins}, {"flops", row.flops}, {"bytes", row.bytes}};
  if (!row.arithmetic.empty()) json["arithmetic"] = row.arithmetic;
  if (row.ms < 0) return json;
  json["ms"] = row.ms;
  json["share"] = total > 0 ? row.ms / total : 0;
  json["gflops"] = rate(row.flops, row.ms);
  json["gbytes"] = rate(row.bytes, row.ms);
  if (row.least_ms > 0) json["of_roofline"] = row.ms > 0 ? row.least_ms / row.ms : 0;
  if (row.least_ms <= 0 && peak_gflops > 0) json["of_peak"] = rate(row.flops, row.ms) / peak_gflops;
  return json;
}

// The roofline: the longer one of its bytes through the memory and its operations at the rate of its operands' type.
double least_ms(const StepTiming& timing, const AcceleratorPeaks& peaks) {
  const Step& step = *timing.step;
  if (step.kind != StepKind::launch || peaks.bytes <= 0 || peaks.vector <= 0 || step.inputs.empty()) return 0;
  const DataType type = step.inputs[0].dtype;
  const int64_t size = element_bytes(type);
  const bool tensor_cores = step.kernel.starts_with("tensor_");
  const double rate = size == 1                     ? peaks.eight_bits
                      : is_float(type) && size == 2 ? peaks.sixteen_bits
                      : tensor_cores                ? peaks.tf32
                                                    : peaks.vector;
  return 1e3 * std::max(static_cast<double>(timing.bytes) / peaks.bytes, static_cast<double>(timing.flops) / rate);
}

// Of all layers of a GPU together: least time by time.
double roofline_share(const std::vector<LayerRow>& rows) {
  double least = 0, spent = 0;
  for (const LayerRow& row : rows)
    if (row.least_ms > 0) least += row.least_ms, spent += row.ms;
  return spent > 0 ? least / spent : 0;
}

}  // namespace

std::vector<LayerRow> measure_layers(Session& session, int runs) {
  std::vector<LayerRow> rows;
  Accelerator* const accelerator = session.engine().device().accelerator();
  const AcceleratorPeaks peaks = accelerator == nullptr ? AcceleratorPeaks{} : accelerator->peaks();
  std::map<uint32_t, std::vector<double>> times;
  std::vector<StepTiming> timings;
  session.context().enable_profiling(true).raise();
  for (int i = 0; i < runs; ++i) {
    session.run();
    rows.clear();
    session.context().timings(timings).raise();
    for (const StepTiming& timing : timings) {
      const Step& step = *timing.step;
      times[step.id].push_back(timing.milliseconds);
      rows.push_back({step.id, step.name, step.op, step.kernel, step.origins, arithmetic_of(step), 0, timing.flops,
                      timing.bytes, least_ms(timing, peaks)});
    }
  }
  session.context().enable_profiling(false).raise();
  for (LayerRow& row : rows) row.ms = statistics_of(times[row.id]).median_ms;
  return rows;
}

std::vector<LayerRow> planned_layers(const Plan& plan) {
  SymbolValues typical;
  for (const auto& [name, info] : plan.profiles[0].symbols) typical[name] = info.range.opt;
  std::vector<LayerRow> rows;
  for (const Step& step : plan.profiles[0].steps)
    rows.push_back({step.id, step.name, step.op, step.kernel, step.origins, arithmetic_of(step), -1,
                    step.flops.evaluate(typical), step.bytes.evaluate(typical)});
  return rows;
}

void print_layers(const std::vector<LayerRow>& rows, double peak_gflops, int slowest) {
  const double total = total_ms(rows);
  std::vector<LayerRow> shown = rows;
  if (slowest > 0) {
    std::stable_sort(shown.begin(), shown.end(), [](const LayerRow& a, const LayerRow& b) { return a.ms > b.ms; });
    shown.resize(std::min(shown.size(), static_cast<size_t>(slowest)));
  }
  const double roofline = roofline_share(rows);  // 0: layers of the processor, against its peak
  std::printf("%9s %6s %9s %8s %6s  %-28s %s\n", "ms", "share", "GFLOP/s", "GB/s", roofline > 0 ? "roof" : "peak",
              "kernel", "layer");
  for (const LayerRow& row : shown) {
    const double gflops = rate(row.flops, row.ms);
    const double part = roofline > 0 ? (row.ms > 0 ? row.least_ms / row.ms : 0) : gflops / peak_gflops;
    std::printf("%9.4f %5.1f%% %9.1f %8.1f %5.1f%%  %-28s %s\n", row.ms, total > 0 ? 100 * row.ms / total : 0, gflops,
                rate(row.bytes, row.ms), 100 * part, row.kernel.c_str(), shorten(row.name, 70).c_str());
  }
  if (shown.size() < rows.size()) std::printf("... and %zu faster ones\n", rows.size() - shown.size());
  if (roofline > 0) {
    std::printf("%9.4f ms in %zu steps; the GPU's launches at %.1f %% of the roofline of its memory and arithmetic\n",
                total, rows.size(), 100 * roofline);
    return;
  }
  std::printf("%9.4f ms in %zu steps; fp32 peak measured in this run: %.1f GFLOP/s%s\n", total, rows.size(),
              peak_gflops, above_fp32(arithmetic_in(rows)).c_str());
}

void print_planned_layers(const std::vector<LayerRow>& rows) {
  std::printf("%5s  %10s %10s  %-16s %-28s %s\n", "id", "MFLOP", "MB", "operator", "kernel", "layer");
  for (const LayerRow& row : rows)
    std::printf("%5u  %10.3f %10.3f  %-16s %-28s %s\n", row.id, static_cast<double>(row.flops) * 1e-6,
                static_cast<double>(row.bytes) * 1e-6, row.op.c_str(), row.kernel.c_str(), row.name.c_str());
}

nlohmann::json layers_json(const std::vector<LayerRow>& rows, double peak_gflops) {
  const double total = rows.empty() || rows[0].ms < 0 ? 0 : total_ms(rows);
  nlohmann::json steps = nlohmann::json::array();
  for (const LayerRow& row : rows) steps.push_back(row_json(row, total, peak_gflops));
  nlohmann::json json = {{"version", kLayersVersion}, {"steps", steps}};
  if (peak_gflops > 0) json["peak_gflops"] = peak_gflops;
  return json;
}

}  // namespace planish::cli
