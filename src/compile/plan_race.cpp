#include "compile/plan_race.h"

#include <algorithm>
#include <chrono>
#include <list>

#include "compile/trial.h"

namespace planish {

std::vector<double> race(Device& device, const std::vector<const Plan*>& plans, const RaceRound& next) {
  constexpr int kLeast = 3, kMost = 50;
  constexpr double kEnoughUs = 120e3;  // of all runs together, once there were kLeast of each
  std::list<Trial> trials;
  for (const Plan* plan : plans) trials.emplace_back(*plan, device).whole_us();
  std::vector<double> best(plans.size(), 1e30);
  double total = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < kMost && (round < kLeast || total < kEnoughUs); ++round) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!next(round, kMost, seconds) && round > 0) break;
    size_t i = 0;
    for (Trial& trial : trials) {
      const double us = trial.whole_us();
      best[i] = std::min(best[i], us);
      ++i;
      total += us;
    }
  }
  return best;
}

}  // namespace planish
