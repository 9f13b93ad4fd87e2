// A runner of one plan that stays: what peers.py takes turns with. It speaks JSON, one line an answer.
//
//   bench_rounds PLAN THREADS [NAME EXTENTS FILE]…     EXTENTS 1x3x224x224 ("" for a scalar), FILE raw bytes
//
// THREADS may be "SxT": S contexts of one engine at once, each with a caller and a device of T threads.
//
// After the first result: {"version": …}. Then for each line of standard input: "S" (seconds): the milliseconds of runs
// that fill them, two at least, or, of several contexts, the time over the runs that all made together; "rss": the peak
// of memory in kB; "memory": that, what is held now, and what was held before the model was loaded.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
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
  Runner(const planish::Engine& engine, char** inputs, int words) : context_(engine) {
    for (int i = 0; i + 2 < words; i += 3) {
      context_.set_shape(inputs[i], parse_extents(inputs[i + 1]));
      memory_[inputs[i]] = read_bytes(inputs[i + 2]);
      context_.bind(inputs[i], memory_[inputs[i]]);
    }
    for (const planish::Binding& binding : engine.bindings())
      if (!binding.is_input) bind_output(binding.name);
    context_.run();
  }

  void run() { context_.run(); }
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

  std::map<std::string, std::vector<char>> memory_;
  planish::Context context_;
};

// One context, or several that run at once.
class Bench {
 public:
  Bench(int argc, char** argv) {
    const std::string threads = argv[2];
    const size_t cross = threads.find('x');
    const int streams = cross == std::string::npos ? 1 : std::atoi(threads.c_str());
    const int each = std::atoi(threads.c_str() + (cross == std::string::npos ? 0 : cross + 1));
    for (int i = 0; i < streams; ++i) {
      // Contexts of one thread share a device, and with it the engine; a pool serves one caller at a time.
      if (i == 0 || each > 1) {
        devices_.push_back(std::make_unique<planish::Device>(each));
        engines_.push_back(std::make_unique<planish::Engine>(
            argv[1], planish::LoadOptions{.device = devices_.back().get(), .trust_constants = true}));
      }
      runners_.push_back(std::make_unique<Runner>(*engines_.back(), argv + 3, argc - 3));
    }
  }

  void answer_times(double seconds) {
    if (runners_.size() > 1) return answer_throughput(seconds);
    Runner& runner = *runners_[0];
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

 private:
  void answer_throughput(double seconds) {
    std::atomic<int64_t> runs{0};
    const auto start = Clock::now();
    std::vector<std::thread> callers;
    for (const auto& runner : runners_)
      callers.emplace_back([&, end = start + std::chrono::duration<double>(seconds)] {
        do {
          runner->run();
          ++runs;
        } while (Clock::now() < end);
      });
    for (std::thread& caller : callers) caller.join();
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    std::printf("[%f]\n", ms / static_cast<double>(runs.load()));
  }

  std::vector<std::unique_ptr<planish::Device>> devices_;
  std::vector<std::unique_ptr<planish::Engine>> engines_;
  std::vector<std::unique_ptr<Runner>> runners_;
};

// A line of /proc/self/status, kB. Of this process alone: what getrusage() says began with the size of the process
// that started it.
long status_kb(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(field + ":", 0) == 0) return std::atol(line.c_str() + field.size() + 1);
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3 || argc % 3 != 0) {
    std::fprintf(stderr, "usage: bench_rounds PLAN THREADS|CONTEXTSxTHREADS [NAME EXTENTS FILE]...\n");
    return 2;
  }
  const long before = status_kb("VmRSS");
  Bench bench(argc, argv);
  std::printf("{\"version\": \"%s\"}\n", planish_version());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line); std::fflush(stdout)) {
    if (line == "rss")
      std::printf("%ld\n", status_kb("VmHWM"));
    else if (line == "memory")
      std::printf("[%ld, %ld, %ld]\n", status_kb("VmHWM"), status_kb("VmRSS"), before);
    else
      bench.answer_times(std::atof(line.c_str()));
  }
  return 0;
} catch (const planish::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
