// A runner of one plan that stays: what peers.py takes turns with. It speaks JSON, one line an answer.
//
//   bench_rounds PLAN THREADS [NAME EXTENTS FILE]…     EXTENTS 1x3x224x224 ("" for a scalar), FILE raw bytes
//
// After the first result: {"version": …}. Then for each line of standard input: "S" (seconds): the milliseconds of
// runs that fill them, two at least; "rss": the peak of memory in kB.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "planish/planish.hpp"

namespace {

using Clock = std::chrono::steady_clock;

planish::Extents parse_extents(const std::string& text) {
  planish::Extents extents;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, 'x');) extents.push_back(std::stoll(word));
  return extents;
}

std::vector<char> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw planish::Error(planish::Code::not_found, path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Runner {
 public:
  Runner(int argc, char** argv)
      : device_(std::atoi(argv[2])),
        engine_(argv[1], {.device = &device_, .trust_constants = true}),
        context_(engine_) {
    for (int i = 3; i + 2 < argc; i += 3) {
      context_.set_shape(argv[i], parse_extents(argv[i + 1]));
      memory_[argv[i]] = read_bytes(argv[i + 2]);
      context_.bind(argv[i], memory_[argv[i]]);
    }
    for (const planish::Binding& binding : engine_.bindings())
      if (!binding.is_input) bind_output(binding.name);
    context_.run();
  }

  double time_once() {
    const auto start = Clock::now();
    context_.run();
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

 private:
  // Outputs whose extents depend on data stay unbound: the context owns them.
  void bind_output(const std::string& name) {
    int64_t bytes = 0;
    if (planish_context_get_bytes(context_.handle(), name.c_str(), &bytes) != PLANISH_OK) return;
    memory_[name].resize(static_cast<size_t>(bytes));
    context_.bind(name, memory_[name]);
  }

  planish::Device device_;
  planish::Engine engine_;
  std::map<std::string, std::vector<char>> memory_;
  planish::Context context_;
};

void answer_times(Runner& runner, double seconds) {
  runner.time_once();  // after a pause, caches hold what others left
  std::string text = "[";
  double left_ms = seconds * 1e3;
  for (int runs = 0; runs < 2 || left_ms > 0; ++runs) {
    const double ms = runner.time_once();
    left_ms -= ms;
    text += (runs == 0 ? "" : ", ") + std::to_string(ms);
  }
  std::printf("%s]\n", text.c_str());
}

void answer_rss() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%ld\n", usage.ru_maxrss);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3 || argc % 3 != 0) {
    std::fprintf(stderr, "usage: bench_rounds PLAN THREADS [NAME EXTENTS FILE]...\n");
    return 2;
  }
  Runner runner(argc, argv);
  std::printf("{\"version\": \"%s\"}\n", planish_version());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    if (line == "rss")
      answer_rss();
    else
      answer_times(runner, std::atof(line.c_str()));
  }
  return 0;
} catch (const planish::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
