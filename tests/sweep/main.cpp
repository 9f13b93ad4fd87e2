// sweep: every family of kernels at every level of the host, over random shapes. ./dev test sweep.

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "base/error.h"
#include "base/log.h"
#include "conformance/workers.h"
#include "ir/text.h"
#include "support/arguments.h"
#include "sweep/judge.h"

namespace planish::testing {
namespace {

using conformance::Outcome;

struct Options {
  int count = 20000, jobs = 2;
  uint32_t seed = 1;
  std::string only;    // families whose names contain it
  std::string one;     // FAMILY:SEED[:LEVEL[:CANDIDATE]]
  bool print = false;  // the network of that one
};

std::vector<Isa> levels_of_host() {
  std::vector<Isa> levels;
  std::copy_if(std::begin(kIsas), std::end(kIsas), std::back_inserter(levels),
               [](Isa isa) { return cpu_info().has(isa); });
  return levels;
}

// One sample at every level. Reported as text: a line "level plans kernel,kernel" a level, then failures.
struct Report {
  std::map<std::string, int> plans;
  std::map<std::string, std::set<std::string>> kernels;
  std::vector<std::string> failures;
};

Report judge_sample(const Family& family, uint32_t seed, std::string_view level, const std::string& candidate) {
  Report report;
  const std::string name = fmt::format("{}:{}", family.name, seed);
  try {
    const Sample sample = draw_sample(family, seed);
    Judge judge(sample, seed);
    for (Isa isa : levels_of_host()) {
      if (!level.empty() && isa_name(isa) != level) continue;
      const Verdict verdict = judge.at(isa, candidate);
      const std::string at(isa_name(isa));
      report.plans[at] = verdict.plans;
      report.kernels[at] = verdict.kernels;
      if (verdict.failure.empty()) continue;
      const size_t tab = verdict.failure.find('\t');
      report.failures.push_back(
          fmt::format("{}:{}:{}  {}", name, at, verdict.failure.substr(0, tab), verdict.failure.substr(tab + 1)));
    }
  } catch (const std::exception& error) {
    report.failures.push_back(fmt::format("{}  making it: {}", name, error.what()));
  }
  return report;
}

// A report in the two texts that an outcome has.
Outcome packed(const Report& report) {
  Outcome outcome;
  outcome.verdict = report.failures.empty() ? conformance::Verdict::pass : conformance::Verdict::wrong;
  for (const std::string& failure : report.failures) outcome.reason += failure + '\v';
  for (const auto& [level, plans] : report.plans) {
    outcome.dynamic_reason += fmt::format("{} {} ", level, plans);
    for (const std::string& kernel : report.kernels.at(level)) outcome.dynamic_reason += kernel + ",";
    outcome.dynamic_reason += '\v';
  }
  return outcome;
}

Report unpacked(const Outcome& outcome) {
  Report report;
  std::istringstream failures(outcome.reason), levels(outcome.dynamic_reason);
  for (std::string line; std::getline(failures, line, '\v');) report.failures.push_back(line);
  for (std::string line; std::getline(levels, line, '\v');) {
    std::istringstream fields(line);
    std::string level, kernels;
    int plans = 0;
    fields >> level >> plans >> kernels;
    report.plans[level] = plans;
    std::istringstream names(kernels);
    for (std::string name; std::getline(names, name, ',');) report.kernels[level].insert(name);
  }
  return report;
}

// Rows of names, a column a level.
class Table {
 public:
  void add(const std::string& row, const std::string& level, int count) { rows_[row][level] += count; }
  void print(const char* title) const {
    fmt::print("{:<28}", title);
    for (Isa isa : levels_of_host()) fmt::print("{:>13}", isa_name(isa));
    fmt::print("\n");
    for (const auto& [name, counts] : rows_) {
      fmt::print("{:<28}", name);
      for (Isa isa : levels_of_host()) {
        const auto at = counts.find(std::string(isa_name(isa)));
        fmt::print("{:>13}", at == counts.end() ? 0 : at->second);
      }
      fmt::print("\n");
    }
  }

 private:
  std::map<std::string, std::map<std::string, int>> rows_;
};

std::vector<Family> chosen_families(const Options& options) {
  std::vector<Family> chosen;
  for (const Family& family : all_families())
    if (std::string(family.name).find(options.only) != std::string::npos) chosen.push_back(family);
  if (chosen.empty()) fail(Code::invalid_argument, "--only {}: no family is called so", options.only);
  return chosen;
}

int run_sweep(const Options& options) {
  const auto families = chosen_families(options);
  const size_t levels = levels_of_host().size(), samples = (static_cast<size_t>(options.count) + levels - 1) / levels;
  const auto seed_of = [&](size_t i) { return options.seed + static_cast<uint32_t>(i); };
  const auto outcomes = conformance::run_all(
      samples, [&](size_t i) { return packed(judge_sample(families[i % families.size()], seed_of(i), "", "")); },
      {.jobs = options.jobs, .batch = 50, .case_seconds = 60});
  Table cases, kernels;
  size_t plans = 0, judged = 0, failed = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const char* family = families[i % families.size()].name;
    Report report = unpacked(outcomes[i]);
    using conformance::Verdict;
    if (outcomes[i].verdict == Verdict::crash || outcomes[i].verdict == Verdict::hang)
      report.failures = {
          fmt::format("{}:{}  {} {}", family, seed_of(i), verdict_name(outcomes[i].verdict), outcomes[i].reason)};
    for (const std::string& failure : report.failures) fmt::print("{}\n", failure);
    failed += report.failures.size();
    for (const auto& [level, count] : report.plans) {
      cases.add(family, level, 1);
      ++judged;
      plans += static_cast<size_t>(count);
      for (const std::string& kernel : report.kernels[level]) kernels.add(kernel, level, 1);
    }
  }
  cases.print("cases of a family");
  kernels.print("cases with a step of");
  fmt::print("{} cases ({} samples, seeds from {}), {} plans compared, {} differ or fail; {}\n", judged, samples,
             options.seed, plans, failed, bounds_in_words());
  const size_t wanted = samples * levels;
  if (judged != wanted) fmt::print("{} cases were wanted: some levels of some samples were not judged\n", wanted);
  return failed == 0 && judged == wanted ? 0 : 1;
}

int run_one(const Options& options) {
  std::istringstream text(options.one);
  std::string name, seed, level, candidate;
  std::getline(text, name, ':');
  std::getline(text, seed, ':');
  std::getline(text, level, ':');
  std::getline(text, candidate);
  for (const Family& family : all_families()) {
    if (family.name != name) continue;
    const auto number = static_cast<uint32_t>(number_argument("case", seed.c_str(), 0, UINT32_MAX));
    if (options.print) fmt::print("{}\n", print(draw_sample(family, number).graph));
    const Report report = judge_sample(family, number, level, candidate);
    for (const std::string& failure : report.failures) fmt::print("{}\n", failure);
    for (const auto& [at, plans] : report.plans) fmt::print("{}: {} plans\n", at, plans);
    return report.failures.empty() ? 0 : 1;
  }
  fail(Code::invalid_argument, "--case {}: no family is called '{}'", options.one, name);
}

constexpr char kUsage[] =
    "Random shapes of every family of kernels: each candidate at each level of the host against the reference\n"
    "  --count N   cases: a shape at a level (20000)\n"
    "  --seed N    of the first shape; each has the next (1)\n"
    "  --jobs N    processes (2)\n"
    "  --only TEXT families whose names contain it\n"
    "  --case FAMILY:SEED[:LEVEL[:CANDIDATE]]   one of them, as failures name it\n"
    "  --print     its network\n";

Options parse(int argc, char** argv) {
  Options options;
  Arguments arguments(kUsage);
  arguments.number("count", options.count, 1, 100000000);
  arguments.seed("seed", options.seed);
  arguments.number("jobs", options.jobs, 1, 256);
  arguments.text("only", options.only);
  arguments.text("case", options.one);
  arguments.flag("print", options.print);
  arguments.parse(argc, argv);
  return options;
}

int run_program(int argc, char** argv) {
  const Options options = parse(argc, argv);
  set_log_sink([](Severity, std::string_view) {});
  try {
    return options.one.empty() ? run_sweep(options) : run_one(options);
  } catch (const Error& error) {
    fmt::print(stderr, "sweep: {}\n", error.what());
    return 2;
  }
}

}  // namespace
}  // namespace planish::testing

int main(int argc, char** argv) { return planish::testing::run_program(argc, argv); }
