#include "trtexec/profile.h"

#include <fmt/format.h>

#include <numeric>

#include "trtexec/report.h"

namespace planish::trtexec {

double Profiler::Layer::total() const { return std::accumulate(times.begin(), times.end(), 0.0); }
double Profiler::Layer::median() const { return statistics(times, {}).median; }

double Profiler::total() const {
  double sum = 0;
  for (const Layer& layer : layers_) sum += layer.total();
  return sum;
}

// During the first execution the list grows, until its first name comes again.
void Profiler::reportLayerTime(char const* name, float milliseconds) {
  if (next_ == layers_.size()) {
    const bool again = !layers_.empty() && layers_.front().name == name && runs_ > 0;
    if (layers_.empty() || again) ++runs_;
    if (again)
      next_ = 0;
    else
      layers_.push_back({name, {}});
  }
  layers_[next_++].times.push_back(milliseconds);
}

std::string Profiler::table() const {
  const double all = std::max(total(), 1e-12);
  double medians = 0;
  std::string text = fmt::format("\n=== Profile ({} iterations ) ===\n", runs_);
  text += "   Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer\n";
  for (const Layer& layer : layers_) {
    const double sum = layer.total();
    medians += layer.median();
    text += fmt::format("{:11.2f}{:13.4f}{:13.4f}{:10.1f}   {}\n", sum, sum / static_cast<double>(layer.times.size()),
                        layer.median(), 100 * sum / all, layer.name);
  }
  return text + fmt::format("{:11.2f}{:13.4f}{:13.4f}{:10.1f}   Total\n", total(),
                            runs_ > 0 ? total() / static_cast<double>(runs_) : 0, medians, 100.0);
}

std::string Profiler::json() const {
  const double all = std::max(total(), 1e-12);
  std::string text = fmt::format("[\n  {{ \"count\" : {} }}\n", runs_);
  for (const Layer& layer : layers_) {
    std::string name;
    for (char c : layer.name) {
      if (c == '"' || c == '\\') name += '\\';
      name += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    const double sum = layer.total();
    text += fmt::format(
        ", {{ \"name\" : \"{}\", \"timeMs\" : {:.6g}, \"averageMs\" : {:.6g}, \"medianMs\" : {:.6g}, \"percentage\" : "
        "{:.6g} }}\n",
        name, sum, sum / static_cast<double>(layer.times.size()), layer.median(), 100 * sum / all);
  }
  return text + "]\n";
}

}  // namespace planish::trtexec
