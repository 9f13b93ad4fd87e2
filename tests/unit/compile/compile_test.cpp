#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "compile/memory.h"
#include "support/networks.h"

namespace planish {
namespace {

TEST(Memory, LiveIntervalsNeverOverlap) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<Interval> intervals;
    for (int i = 0; i < 40; ++i) {
      const int first = static_cast<int>(random() % 30);
      intervals.push_back({static_cast<int64_t>(random() % 5000) + 1, first, first + static_cast<int>(random() % 8)});
    }
    const MemoryPlan plan = plan_memory(intervals);
    EXPECT_GE(plan.arena_bytes, plan.live_peak_bytes);
    for (size_t i = 0; i < intervals.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      for (size_t j = 0; j < i; ++j) {
        const bool together = intervals[i].first <= intervals[j].last && intervals[j].first <= intervals[i].last;
        const bool apart = plan.offsets[i] + intervals[i].bytes <= plan.offsets[j] ||
                           plan.offsets[j] + intervals[j].bytes <= plan.offsets[i];
        EXPECT_TRUE(!together || apart);
      }
    }
  }
}

TEST(Build, FusesToOneStepALayer) {
  const Plan plan = testing::build_small(true);
  int compute = 0;
  for (const Step& step : plan.profiles[0].steps) compute += step.kind != StepKind::copy ? 1 : 0;
  EXPECT_EQ(compute, 4);  // conv + relu, pool, conv + add + relu, fc
}

TEST(Build, TimingCacheMakesThePlanReproducible) {
  const std::string cache = std::filesystem::temp_directory_path() / ("planish_cache_" + std::to_string(getpid()));
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.timing_cache = cache;
  BuildReport first, second;
  const auto a = serialize(build(testing::small_network(), *device, options, &first));
  const auto b = serialize(build(testing::small_network(), *device, options, &second));
  EXPECT_GT(first.timed, 0);
  EXPECT_EQ(second.timed, 0);
  EXPECT_EQ(a, b);
  write_file_atomic(cache, "garbage");
  EXPECT_NO_THROW(build(testing::small_network(), *device, options));
  std::filesystem::remove(cache);
}

TEST(Build, CanBeCancelled) {
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.progress = [](const BuildProgress& progress) { return progress.phase != "tuning"; };
  EXPECT_THROW(build(testing::small_network(), *device, options), Error);
}

}  // namespace
}  // namespace planish
