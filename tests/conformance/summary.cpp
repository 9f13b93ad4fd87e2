#include "conformance/summary.h"

#include <fmt/core.h>

#include <algorithm>

#include "conformance/compare.h"
#include "conformance/reasons.h"
#include "conformance/suite.h"

namespace planish::conformance {
namespace {

std::string line(const std::string& name, const Count& count) {
  return fmt::format("{} {} of {} ({:.1f} %)\n", name, count.passed, count.cases, count.percent());
}

}  // namespace

ClassCounts count_classes(const std::vector<Result>& results) {
  ClassCounts counts;
  std::map<std::string, Count> classes;
  for (const Result& result : results) {
    if (result.ref.suite == kLight) {
      counts.light.add(result.passed());
      continue;
    }
    classes[result.ref.kind].add(result.passed());
    counts.all.add(result.passed());
  }
  counts.classes.assign(classes.begin(), classes.end());
  std::stable_sort(counts.classes.begin(), counts.classes.end(),
                   [](const auto& a, const auto& b) { return a.second.cases > b.second.cases; });
  return counts;
}

DynamicCounts count_dynamic(const std::vector<Result>& results) {
  DynamicCounts counts;
  for (const Result& result : results) {
    if (!result.passed() || result.ref.suite == kLight) continue;
    counts.right += result.outcome.dynamic == DynamicVerdict::right ? 1 : 0;
    counts.refused += result.outcome.dynamic == DynamicVerdict::refused ? 1 : 0;
    counts.untried += result.outcome.dynamic == DynamicVerdict::untried ? 1 : 0;
  }
  return counts;
}

std::vector<std::pair<std::string, std::vector<std::string>>> by_reason(const std::vector<Result>& results) {
  std::map<std::string, std::vector<std::string>> reasons;
  for (const Result& result : results)
    if (!result.passed()) reasons[short_reason(result)].push_back(result.ref.id());
  std::vector<std::pair<std::string, std::vector<std::string>>> sorted(reasons.begin(), reasons.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  return sorted;
}

void print_results(const std::vector<Result>& results) {
  for (const auto& [ref, outcome] : results)
    fmt::print("{:7} {} {} ms{}{}{}{}\n", verdict_name(outcome.verdict), ref.id(), outcome.milliseconds,
               outcome.reason.empty() ? "" : ": ", outcome.reason,
               outcome.dynamic == DynamicVerdict::refused ? "; dynamic: " : "",
               outcome.dynamic == DynamicVerdict::refused ? outcome.dynamic_reason : "");
}

int print_stops(const std::vector<Result>& results) {
  int stops = 0;
  for (const auto& [ref, outcome] : results) {
    if (outcome.verdict != Verdict::crash && outcome.verdict != Verdict::hang) continue;
    fmt::print("{} {}: {}\n", outcome.verdict == Verdict::crash ? "CRASH" : "HANG", ref.id(), outcome.reason);
    ++stops;
  }
  return stops;
}

void print_dynamic(const std::vector<Result>& results) {
  const DynamicCounts counts = count_dynamic(results);
  fmt::print("with dynamic extents: {} right, {} refused, {} have none to make dynamic\n", counts.right, counts.refused,
             counts.untried);
  fmt::print("tolerance: {}\n", tolerance_text());
}

void print_summary(const std::vector<Result>& results) {
  const ClassCounts counts = count_classes(results);
  if (counts.light.cases > 0) fmt::print("light models, beside the suite: {}", line("light", counts.light));
  for (const auto& [name, count] : counts.classes) fmt::print("{}", line(name, count));
  fmt::print("{}", line("all", counts.all));
}

}  // namespace planish::conformance
