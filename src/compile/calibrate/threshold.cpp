#include "compile/calibrate/threshold.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace planish {
namespace {

constexpr int kLevels = 128;
constexpr CalibrationMethod kMethods[] = {CalibrationMethod::entropy, CalibrationMethod::min_max,
                                          CalibrationMethod::percentile, CalibrationMethod::mse,
                                          CalibrationMethod::best};

double log_of_itself(double x) { return x > 0 ? x * std::log(x) : 0; }

// Sums over bins [0, k) for every k, so that a range is judged by its levels alone.
struct Prefixes {
  std::vector<double> counts, occupied, logs;  // count, bins that are not empty, count * log(count)

  explicit Prefixes(const std::vector<int64_t>& bins) {
    counts = occupied = logs = std::vector<double>(bins.size() + 1, 0);
    for (size_t k = 0; k < bins.size(); ++k) {
      const auto count = static_cast<double>(bins[k]);
      counts[k + 1] = counts[k] + count;
      occupied[k + 1] = occupied[k] + (count > 0 ? 1 : 0);
      logs[k + 1] = logs[k] + log_of_itself(count);
    }
  }
};

// sum P/N log((P/N) / (Q/C)) = (sum P log P - sum P log Q) / N - log N + log C, with N all counts and C those inside.
double divergence(const Prefixes& p, size_t i) {
  const double all = p.counts.back(), inside = p.counts[i], beyond = all - inside;
  const double last = p.counts[i] - p.counts[i - 1];
  if (inside == 0 || (beyond > 0 && last == 0)) return std::numeric_limits<double>::infinity();
  double of_q = 0, last_level = 0;
  for (size_t level = 0, begin = 0; level < kLevels; ++level) {
    const size_t end = ((level + 1) * i + kLevels - 1) / kLevels;  // bin k belongs to level k * 128 / i
    const double count = p.counts[end] - p.counts[begin], occupied = p.occupied[end] - p.occupied[begin];
    last_level = count > 0 ? std::log(count / occupied) : 0;
    of_q += count * last_level;
    begin = end;
  }
  const double of_p = p.logs[i - 1] + log_of_itself(last + beyond);
  return (of_p - of_q - beyond * last_level) / all - std::log(all) + std::log(inside);
}

}  // namespace

const char* method_name(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::entropy:
      return "entropy";
    case CalibrationMethod::min_max:
      return "minmax";
    case CalibrationMethod::percentile:
      return "percentile";
    case CalibrationMethod::mse:
      return "mse";
    default:
      return "best";
  }
}

CalibrationMethod parse_method(const std::string& name) {
  for (CalibrationMethod method : kMethods)
    if (name == method_name(method)) return method;
  fail(Code::invalid_argument, "calibration method '{}'; entropy, minmax, percentile, mse and best are accepted", name);
}

double entropy_threshold(const Histogram& histogram) {
  std::vector<int64_t> bins = histogram.bins;
  bins[0] = bins[1];
  const Prefixes prefixes(bins);
  double least = std::numeric_limits<double>::infinity();
  size_t best = bins.size();
  for (size_t i = kLevels; i <= bins.size(); ++i) {
    const double found = divergence(prefixes, i);
    if (found > least) continue;
    least = found;
    best = i;
  }
  return static_cast<double>(best) * histogram.width;
}

double percentile_threshold(const Histogram& histogram, double percent) {
  const double wanted = static_cast<double>(histogram.count) * percent / 100;
  double below = 0;
  for (size_t k = 0; k < histogram.bins.size(); ++k) {
    below += static_cast<double>(histogram.bins[k]);
    if (below >= wanted) return static_cast<double>(k + 1) * histogram.width;
  }
  return static_cast<double>(histogram.bins.size()) * histogram.width;
}

double mse_threshold(const Histogram& histogram, int levels) {
  constexpr size_t kStride = 8;
  double least = std::numeric_limits<double>::infinity();
  size_t best = histogram.bins.size();
  for (size_t i = kLevels; i <= histogram.bins.size(); i += kStride) {
    const double step = static_cast<double>(i) / levels;  // in bins
    double error = 0;
    for (size_t k = 0; k < histogram.bins.size(); ++k) {
      if (histogram.bins[k] == 0) continue;
      const double centre = static_cast<double>(k) + 0.5;
      const double off = centre - std::min<double>(std::floor(centre / step + 0.5), levels) * step;
      error += static_cast<double>(histogram.bins[k]) * off * off;
    }
    if (error > least) continue;
    least = error;
    best = i;
  }
  return static_cast<double>(best) * histogram.width;
}

double threshold_of(const Histogram& histogram, CalibrationMethod method, double percent, int levels) {
  if (histogram.width == 0) return 0;
  const double largest = std::max(std::fabs(double{histogram.least}), std::fabs(double{histogram.most}));
  switch (method) {
    case CalibrationMethod::entropy:
      return std::min(entropy_threshold(histogram), largest);
    case CalibrationMethod::percentile:
      return std::min(percentile_threshold(histogram, percent), largest);
    case CalibrationMethod::mse:
      return std::min(mse_threshold(histogram, levels), largest);
    default:
      return largest;
  }
}

}  // namespace planish
