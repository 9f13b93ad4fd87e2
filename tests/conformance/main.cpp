// conformance SUITE_DIR: the ONNX backend suite, each case in three ways. See docs/conformance.md.

#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>

#include "conformance/known.h"
#include "conformance/report.h"
#include "conformance/run_case.h"
#include "conformance/suite.h"
#include "conformance/summary.h"
#include "conformance/workers.h"
#include "planish/planish.h"
#include "support/arguments.h"

namespace planish::conformance {
namespace {

struct Options {
  std::string suite, classes, filter, known, update, report, gpu;
  int jobs = 2;
  bool verbose = false;
};

constexpr char kUsage[] =
    "conformance [options] SUITE: the ONNX backend suite (a folder with node, simple, pytorch-converted,\n"
    "pytorch-operator and light); each case is built and run, loaded from its plan, and built with dynamic extents\n"
    "  --cases FILE    table of classes; without it a rule decides\n"
    "  --filter WORD   only cases whose suite/name contains this\n"
    "  --jobs N        processes (2)\n"
    "  --expect FILE   cases that are known not to pass; any other is an error\n"
    "  --update FILE   write the cases that do not pass; rows of cases not run stay\n"
    "  --report FILE   write the results as a page\n"
    "  --gpu ARCH      on a GPU of this architecture (sm_90a) alone, without steps of the host; where there is none\n"
    "                  cases are built for it\n"
    "  -v, --verbose   a line for every case\n";

Options parse(int argc, char** argv) {
  Options options;
  testing::Arguments arguments(kUsage);
  arguments.text("cases", options.classes);
  arguments.text("filter", options.filter);
  arguments.number("jobs", options.jobs, 1, 256);
  arguments.text("expect", options.known);
  arguments.text("update", options.update);
  arguments.text("report", options.report);
  arguments.text("gpu", options.gpu);
  arguments.flag("verbose", options.verbose, 'v');
  options.suite = arguments.parse(argc, argv, 1).front();
  if (!std::filesystem::is_directory(options.suite)) arguments.exit_with_usage();
  return options;
}

Outcome run_apart(const CaseRef& ref, const std::string& gpu) {
  if (!gpu.empty()) return run_case_on_gpu(ref, gpu);
  const auto scratch = std::filesystem::temp_directory_path() / fmt::format("conformance.{}.plan", ::getpid());
  const Outcome outcome = run_case(ref, scratch.string());
  std::error_code ignored;
  std::filesystem::remove(scratch, ignored);
  return outcome;
}

void add_results(const std::vector<CaseRef>& cases, const std::string& gpu, const WorkOptions& options,
                 std::vector<Result>& results) {
  const std::vector<Outcome> outcomes = run_all(
      cases.size(), [&](size_t i) { return run_apart(cases[i], gpu); }, options);
  for (size_t i = 0; i < cases.size(); ++i) results.push_back({cases[i], outcomes[i]});
}

std::vector<Result> run_suite(const Suite& suite, const std::string& gpu, int jobs) {
  std::vector<Result> results;
  add_results(suite.cases, gpu, {.jobs = jobs, .batch = 16, .case_seconds = 20}, results);
  add_results(suite.light, gpu, {.jobs = jobs, .batch = 1, .case_seconds = 120}, results);
  return results;
}

void print_rule(const Suite& suite) {
  if (suite.judged == 0) return;
  fmt::print("classes: the rule agrees with the table on {} of {} cases{}\n", suite.judged - suite.disputed.size(),
             suite.judged, suite.disputed.empty() ? "" : "; not on");
  for (const std::string& line : suite.disputed) fmt::print("  {}\n", line);
}

int run(const Options& options) {
  planish_set_log(nullptr, nullptr, PLANISH_LOG_ERROR);
  const Suite suite = find_cases(options.suite, options.classes, options.filter);
  if (suite.cases.empty() && suite.light.empty())
    throw std::runtime_error(options.suite + " has no cases of that name");
  const std::vector<Result> results = run_suite(suite, options.gpu, options.jobs);
  if (options.verbose) print_results(results);
  int errors = print_stops(results);
  if (!options.known.empty()) errors += print_surprises(results, read_known(options.known));
  if (!options.update.empty()) write_known(options.update, results);
  if (!options.report.empty()) write_report(options.report, results);
  print_rule(suite);
  if (options.gpu.empty()) print_dynamic(results);
  print_summary(results);
  return errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace planish::conformance

int main(int argc, char** argv) {
  const auto options = planish::conformance::parse(argc, argv);
  try {
    return planish::conformance::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "conformance: %s\n", error.what());
    return 2;
  }
}
