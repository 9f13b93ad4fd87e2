#pragma once
// What a run took: averages, the summary, and the file of --exportTimes.

#include <string>
#include <vector>

#include "trtexec/options.h"

namespace planish::trtexec {

// Milliseconds of one execution since the start of the run.
struct Trace {
  int stream = 0;
  double enqueue_start = 0, enqueue_end = 0;
  double h2d_start = 0, h2d_end = 0, compute_start = 0, compute_end = 0, d2h_start = 0, d2h_end = 0;

  double enqueue() const { return enqueue_end - enqueue_start; }
  double h2d() const { return h2d_end - h2d_start; }
  double compute() const { return compute_end - compute_start; }
  double d2h() const { return d2h_end - d2h_start; }
  double latency() const { return h2d() + compute() + d2h(); }
};

struct Statistics {
  double min = 0, max = 0, mean = 0, median = 0, deviation = 0;  // deviation: in percent of the mean
  std::vector<double> percentiles;
};
// `percentiles` in 0 to 100, 0 the fastest; the value below which that part of all lies. Values must not be empty.
Statistics statistics(std::vector<double> values, const std::vector<float>& percentiles);

// Without the warm-ups: executions that began to compute before --warmUp was over, but at least one is left.
std::vector<Trace> measured(const std::vector<Trace>& traces, double warm_up);

// Prints, and writes --exportTimes.
void report(const Options& options, const std::vector<Trace>& traces);
std::string times_as_json(const std::vector<Trace>& traces);

}  // namespace planish::trtexec
