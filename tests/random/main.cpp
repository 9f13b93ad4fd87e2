// random_graphs: random networks, optimised against reference. ./dev test random.

#include <cctype>
#include <cstdio>

#include "base/log.h"
#include "conformance/workers.h"
#include "ir/text.h"
#include "random/generator.h"
#include "random/judge.h"
#include "random/shrink.h"
#include "support/arguments.h"

namespace planish::testing {
namespace {

using conformance::Outcome;
using conformance::Verdict;

struct Options {
  int count = 20000, jobs = 2, shrunk = 5;
  uint32_t seed = 1;
  bool print = false;
};

Outcome try_seed(uint32_t seed) {
  Outcome outcome;
  try {
    outcome.reason = judge(random_graph(seed), seed);
  } catch (const std::exception& error) {
    outcome.reason = std::string("making it: ") + error.what();
  }
  outcome.verdict = outcome.reason.empty() ? Verdict::pass : Verdict::wrong;
  return outcome;
}

// Errors must be the same up to what stands in quotes, differences may be any.
std::string kind_of(const std::string& why) {
  if (why.rfind("error: ", 0) != 0) return "difference";
  std::string kind;
  bool quoted = false;
  for (char c : why) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && std::isdigit(static_cast<unsigned char>(c)) == 0) kind += c;
  }
  return kind;
}

void print_shrunk(uint32_t seed) {
  const Graph graph = random_graph(seed);
  const std::string kind = kind_of(judge(graph, seed));
  const Graph small = shrink(graph, [&](const Graph& candidate) {
    const std::string why = judge(candidate, seed);
    return !why.empty() && kind_of(why) == kind;
  });
  fmt::print("{}\n{}\n", judge(small, seed), planish::print(small, {64}));
}

int run_networks(const Options& options) {
  set_log_sink([](Severity, std::string_view) {});
  if (options.print) fmt::print("{}\n", planish::print(random_graph(options.seed)));
  const auto outcomes = conformance::run_all(
      static_cast<size_t>(options.count), [&](size_t i) { return try_seed(options.seed + static_cast<uint32_t>(i)); },
      {.jobs = options.jobs, .batch = 100, .case_seconds = 60});
  int failed = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].verdict == Verdict::pass) continue;
    const uint32_t seed = options.seed + static_cast<uint32_t>(i);
    fmt::print("seed {}: {}\n", seed, outcomes[i].reason);
    std::fflush(stdout);
    if (++failed <= options.shrunk && outcomes[i].verdict == Verdict::wrong) print_shrunk(seed);
  }
  fmt::print("{} random networks, {} differ or fail; tolerance: {}\n", options.count, failed, random_tolerance());
  return failed == 0 ? 0 : 1;
}

constexpr char kUsage[] =
    "Random networks: optimised plans against reference kernels, on fresh data\n"
    "  --count N   networks (20000)\n"
    "  --seed N    of the first network; each has the next (1)\n"
    "  --jobs N    processes (2)\n"
    "  --shrink N  how many failures are made small and printed (5)\n"
    "  --print     print the first network\n";

Options parse(int argc, char** argv) {
  Options options;
  Arguments arguments(kUsage);
  arguments.number("count", options.count, 1, 100000000);
  arguments.seed("seed", options.seed);
  arguments.number("jobs", options.jobs, 1, 256);
  arguments.number("shrink", options.shrunk, 0, 1000);
  arguments.flag("print", options.print);
  arguments.parse(argc, argv);
  return options;
}

}  // namespace
}  // namespace planish::testing

int main(int argc, char** argv) { return planish::testing::run_networks(planish::testing::parse(argc, argv)); }
