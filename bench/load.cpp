// How long a plan of about 100 MB takes to load, with the full check and with the index alone, beside the rate at
// which this machine reads that much memory. The file is in the page cache: what is timed is mapping, checking,
// and making an engine.
//
//   bench_load [--json FILE] [--rounds N]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "planish/planish.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kWidth = 1024, kLayers = 25;  // 25 matrices of 4 MiB

struct Times {
  double min = 0, median = 0;
};

template <class Body>
Times time_of(int rounds, Body body) {
  std::vector<double> milliseconds;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    body();
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return {milliseconds.front(), milliseconds[milliseconds.size() / 2]};
}

planish::Plan make_plan() {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> unit(-0.05f, 0.05f);
  planish::Network net("load");
  auto x = net.input("x", planish::DataType::f32, {1, kWidth});
  std::vector<float> weights(static_cast<size_t>(kWidth * kWidth));
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    for (float& weight : weights) weight = unit(random);
    x = planish::activation(net, planish::fully_connected(net, x, net.constant({kWidth, kWidth}, weights)),
                            planish::Activation::relu);
  }
  net.mark_output(x, "y");
  planish::BuildOptions options;
  options.tuning = planish::Tuning::off;
  return planish::build(net, options);
}

// Bytes a second at which all cores together read memory that is there already.
double read_rate(size_t bytes, int rounds) {
  const size_t threads = std::max(1u, std::thread::hardware_concurrency()), words = bytes / 8 / threads;
  std::vector<uint64_t> memory(words * threads, 1);
  std::vector<uint64_t> sums(threads * 8);
  const Times times = time_of(rounds, [&] {
    std::vector<std::thread> pool;
    for (size_t t = 0; t < threads; ++t)
      pool.emplace_back([&, t] {
        uint64_t sum[8] = {};
        for (size_t i = t * words; i + 8 <= (t + 1) * words; i += 8)
          for (size_t k = 0; k < 8; ++k) sum[k] += memory[i + k];
        std::copy_n(sum, 8, &sums[t * 8]);
      });
    for (std::thread& thread : pool) thread.join();
  });
  uint64_t total = 0;
  for (uint64_t sum : sums) total += sum;
  if (total == 0) std::abort();  // the sums are used
  return static_cast<double>(bytes) / (times.min * 1e-3);
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const planish::Plan& plan)
      : path_((std::filesystem::temp_directory_path() / ("planish_load_" + std::to_string(std::random_device()())))
                  .string()) {
    plan.save(path_);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Options {
  std::string json;
  int rounds = 21;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--json") == 0) options.json = argv[i + 1];
    if (std::strcmp(argv[i], "--rounds") == 0) options.rounds = std::max(3, std::atoi(argv[i + 1]));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse(argc, argv);
  const TemporaryFile file(make_plan());
  const auto bytes = static_cast<double>(std::filesystem::file_size(file.path()));
  const planish::Device device(0);
  const auto load = [&](bool trust) {
    return time_of(options.rounds,
                   [&] { planish::Engine engine(file.path(), {.device = &device, .trust_constants = trust}); });
  };
  load(false);
  const Times full = load(false), index = load(true);
  const double rate = read_rate(static_cast<size_t>(bytes), options.rounds), floor_ms = bytes / rate * 1e3;
  std::printf("plan of %.1f MB, in the page cache, %d threads\n", bytes * 1e-6, device.threads());
  std::printf("%-28s %10s %10s %14s\n", "", "min", "median", "GB/s (min)");
  std::printf("%-28s %7.2f ms %7.2f ms %14.1f\n", "load, full check", full.min, full.median, bytes / full.min * 1e-6);
  std::printf("%-28s %7.2f ms %7.2f ms\n", "load, index only (opt-in)", index.min, index.median);
  std::printf("%-28s %7.2f ms %10s %14.1f\n", "reading that much memory", floor_ms, "", rate * 1e-9);
  std::printf("full check / reading: %.2f; targets: 15 ms and 2 ms\n", full.min / floor_ms);
  if (!options.json.empty())
    std::ofstream(options.json) << "{\"bytes\": " << static_cast<int64_t>(bytes) << ", \"full_min_ms\": " << full.min
                                << ", \"full_median_ms\": " << full.median << ", \"index_min_ms\": " << index.min
                                << ", \"index_median_ms\": " << index.median << ", \"read_gb_per_s\": " << rate * 1e-9
                                << ", \"full_over_read\": " << full.min / floor_ms << "}\n";
  return 0;
} catch (const planish::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
