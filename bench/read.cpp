// bench_read MEGABYTES [THREADS [SECONDS]]: the rate at which memory of that footprint is read again and again, each
// thread its own part, all together. Best and median of the passes, in GB/s.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// Eight sums, so that no addition waits for another one.
uint64_t sum_of(const uint64_t* words, size_t count) {
  uint64_t sums[8] = {};
  for (size_t i = 0; i + 8 <= count; i += 8)
    for (size_t k = 0; k < 8; ++k) sums[k] += words[i + k];
  uint64_t sum = 0;
  for (uint64_t s : sums) sum += s;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const double megabytes = argc > 1 ? std::atof(argv[1]) : 0, seconds = argc > 3 ? std::atof(argv[3]) : 1;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 2;
  if (!(megabytes > 0) || threads < 1 || !(seconds > 0)) {
    std::fprintf(stderr, "usage: bench_read MEGABYTES [THREADS [SECONDS]]\n");
    return 2;
  }
  const auto each = static_cast<size_t>(megabytes * 1e6 / 8 / threads) / 8 * 8;
  std::vector<std::vector<uint64_t>> parts(static_cast<size_t>(threads));
  std::vector<double> rates;
  std::atomic<uint64_t> kept{0};
  std::atomic<bool> done{false};
  Clock::time_point start;
  const auto begin = Clock::now();
  const double bytes = static_cast<double>(each) * 8 * threads;
  std::barrier first(threads, [&]() noexcept { start = Clock::now(); });
  std::barrier last(threads, [&]() noexcept {
    const auto now = Clock::now();
    rates.push_back(bytes / std::chrono::duration<double>(now - start).count() * 1e-9);
    done = std::chrono::duration<double>(now - begin).count() > seconds;
  });
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t)
    team.emplace_back([&, t] {
      auto& part = parts[static_cast<size_t>(t)];
      part.assign(each, static_cast<uint64_t>(t) + 1);
      while (!done) {
        first.arrive_and_wait();
        kept += sum_of(part.data(), part.size());
        last.arrive_and_wait();
      }
    });
  for (std::thread& thread : team) thread.join();
  std::sort(rates.begin(), rates.end());
  std::printf("%.1f MB, %d threads: best %.2f GB/s, median %.2f GB/s\n", bytes * 1e-6, threads, rates.back(),
              rates[rates.size() / 2]);
  return kept == 0 ? 1 : 0;
}
