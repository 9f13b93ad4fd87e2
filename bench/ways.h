#pragma once
// Ways of doing the same, timed in turns.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace ways {

using Clock = std::chrono::steady_clock;

inline double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

struct Way {
  std::vector<double> returned, completed;

  template <class Enqueue, class Wait>
  void measure(Enqueue&& enqueue, Wait&& wait) {
    const auto start = Clock::now();
    enqueue();
    const auto back = Clock::now();
    wait();
    completed.push_back(microseconds(Clock::now() - start));
    returned.push_back(microseconds(back - start));
  }
  void print(const char* name) {
    const auto median = [](std::vector<double>& times) {
      std::nth_element(times.begin(), times.begin() + static_cast<ptrdiff_t>(times.size() / 2), times.end());
      return times[times.size() / 2];
    };
    const auto least = [](const std::vector<double>& times) { return *std::min_element(times.begin(), times.end()); };
    std::printf("%-14s returns after %6.2f (median %6.2f), complete after %8.2f (median %8.2f) us; %zu runs\n", name,
                least(returned), median(returned), least(completed), median(completed), returned.size());
  }
};

}  // namespace ways
