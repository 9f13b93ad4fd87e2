#include "trtexec/report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trtexec/files.h"
#include "trtexec/logger.h"

namespace planish::trtexec {
namespace {

using Metric = double (Trace::*)() const;

std::vector<double> column(const std::vector<Trace>& traces, Metric metric) {
  std::vector<double> values;
  for (const Trace& trace : traces) values.push_back((trace.*metric)());
  return values;
}

std::string text_of(const Statistics& s, const std::vector<float>& percentiles) {
  std::string text =
      fmt::format("min = {:g} ms, max = {:g} ms, mean = {:g} ms, median = {:g} ms", s.min, s.max, s.mean, s.median);
  for (size_t i = 0; i < percentiles.size(); ++i)
    text += fmt::format(", percentile({:g}%) = {:g} ms", percentiles[i], s.percentiles[i]);
  return text;
}

// Averages of `runs` executions each; the first and last 200 lines where there are more.
void print_averages(const std::vector<Trace>& traces, size_t runs) {
  constexpr size_t kLines = 200;
  info("");
  info("=== Trace details ===");
  info("Trace averages of {} runs:", runs);
  const size_t lines = traces.size() / runs;
  for (size_t line = 0; line < lines; ++line) {
    if (lines > 2 * kLines && line == kLines) {
      info("... Omitting {} lines", lines - 2 * kLines);
      line = lines - kLines;
    }
    double compute = 0, latency = 0, enqueue = 0;
    for (size_t i = line * runs; i < (line + 1) * runs; ++i) {
      compute += traces[i].compute();
      latency += traces[i].latency();
      enqueue += traces[i].enqueue();
    }
    const auto n = static_cast<double>(runs);
    info("Average on {} runs - GPU latency: {:g} ms - Host latency: {:g} ms (enqueue {:g} ms)", runs, compute / n,
         latency / n, enqueue / n);
  }
}

void print_warnings(const Options& options, const Statistics& enqueue, const Statistics& h2d, const Statistics& compute,
                    const Statistics& d2h) {
  if (enqueue.median > 0.8 * compute.median) {
    warn("* Throughput may be bound by Enqueue Time rather than GPU Compute and the GPU may be under-utilized.");
    warn("  If not already in use, --useCudaGraph (utilize CUDA graphs where possible) may increase the throughput.");
  }
  if (h2d.median >= compute.median)
    warn("* Throughput may be bound by host-to-device transfers for the inputs; --noDataTransfers leaves them out.");
  if (d2h.median >= compute.median)
    warn("* Throughput may be bound by device-to-host transfers for the outputs; --noDataTransfers leaves them out.");
  if (compute.deviation > 2.5) {
    warn("* GPU compute time is unstable, with coefficient of variance = {:g}%.", compute.deviation);
    warn("  A machine with nothing else to do, a fixed clock frequency or --useSpinWait may improve the stability.");
  }
  if (options.streams > 1)
    warn(
        "* Multiple inference streams are used. Latencies may not be accurate since inferences may run in parallel. "
        "Please use "
        "\"Throughput\" as the performance metric instead.");
}

void explain() {
  verbose("");
  verbose("=== Explanations of the performance metrics ===");
  verbose("Total Host Walltime: from the enqueue of the first query after the warm-ups to the end of the last.");
  verbose("GPU Compute Time: what the kernels of a query take on the device.");
  verbose("Total GPU Compute Time: the sum of it over all queries.");
  verbose("Throughput: queries by Total Host Walltime.");
  verbose("Enqueue Time: what the host takes to enqueue a query.");
  verbose("H2D Latency: copies of a query's inputs from host to device.");
  verbose("D2H Latency: copies of a query's outputs from device to host.");
  verbose("Latency: the sum of H2D Latency, GPU Compute Time and D2H Latency of a query.");
}

}  // namespace

Statistics statistics(std::vector<double> values, const std::vector<float>& percentiles) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  Statistics s;
  s.min = values.front();
  s.max = values.back();
  s.mean = std::clamp(std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(n), s.min, s.max);
  s.median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
  double squares = 0;
  for (double value : values) squares += (value - s.mean) * (value - s.mean);
  s.deviation = s.mean > 0 ? 100 * std::sqrt(squares / static_cast<double>(n)) / s.mean : 0;
  for (float percentile : percentiles) {
    const auto above = static_cast<size_t>((100 - static_cast<double>(percentile)) * static_cast<double>(n) / 100);
    s.percentiles.push_back(values[above < n ? n - 1 - above : 0]);
  }
  return s;
}

std::vector<Trace> measured(const std::vector<Trace>& traces, double warm_up) {
  auto first = std::find_if(traces.begin(), traces.end(), [&](const Trace& t) { return t.compute_start >= warm_up; });
  if (first == traces.end() && first != traces.begin()) --first;
  return {first, traces.end()};
}

void report(const Options& options, const std::vector<Trace>& traces) {
  const std::vector<Trace> kept = measured(traces, options.warm_up);
  require(!kept.empty(), "there was no execution to measure; --iterations asks for some");
  double end = 0;
  for (const Trace& trace : kept) end = std::max(end, trace.d2h_end);
  const double wall = end - kept.front().h2d_start;
  const auto queries = static_cast<double>(kept.size()) * std::max(options.batch, 1);
  info("Warmup completed {} queries over {:g} ms", traces.size() - kept.size(), options.warm_up);
  info("Timing trace has {} queries over {:g} s", kept.size(), wall / 1e3);
  print_averages(kept, static_cast<size_t>(options.avg_runs));

  const auto of = [&](Metric metric) { return statistics(column(kept, metric), options.percentiles); };
  const Statistics latency = of(&Trace::latency), enqueue = of(&Trace::enqueue), h2d = of(&Trace::h2d),
                   compute = of(&Trace::compute), d2h = of(&Trace::d2h);
  info("");
  info("=== Performance summary ===");
  info("Throughput: {:g} qps", 1e3 * queries / wall);
  info("Latency: {}", text_of(latency, options.percentiles));
  info("Enqueue Time: {}", text_of(enqueue, options.percentiles));
  info("H2D Latency: {}", text_of(h2d, options.percentiles));
  info("GPU Compute Time: {}", text_of(compute, options.percentiles));
  info("D2H Latency: {}", text_of(d2h, options.percentiles));
  info("Total Host Walltime: {:g} s", wall / 1e3);
  info("Total GPU Compute Time: {:g} s", compute.mean * static_cast<double>(kept.size()) / 1e3);
  print_warnings(options, enqueue, h2d, compute, d2h);
  info("Explanations of the performance metrics are printed in the verbose logs.");
  explain();
  info("");
  if (!options.export_times.empty()) write_file(options.export_times, times_as_json(kept));
}

std::string times_as_json(const std::vector<Trace>& traces) {
  std::string text = "[\n";
  for (size_t i = 0; i < traces.size(); ++i) {
    const Trace& t = traces[i];
    text += fmt::format(
        "{}{{ \"startEnqMs\" : {:.9g}, \"endEnqMs\" : {:.9g}, \"startH2dMs\" : {:.9g}, \"endH2dMs\" : {:.9g}, "
        "\"startComputeMs\" : {:.9g}, \"endComputeMs\" : {:.9g}, \"startD2hMs\" : {:.9g}, \"endD2hMs\" : {:.9g}, "
        "\"h2dMs\" : {:.9g}, \"computeMs\" : {:.9g}, \"d2hMs\" : {:.9g}, \"latencyMs\" : {:.9g} }}\n",
        i == 0 ? "  " : ", ", t.enqueue_start, t.enqueue_end, t.h2d_start, t.h2d_end, t.compute_start, t.compute_end,
        t.d2h_start, t.d2h_end, t.h2d(), t.compute(), t.d2h(), t.latency());
  }
  return text + "]\n";
}

}  // namespace planish::trtexec
