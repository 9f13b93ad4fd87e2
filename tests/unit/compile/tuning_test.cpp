// What tuning is allowed: no timing, a budget, all of it.

#include <gtest/gtest.h>

#include "compile/build.h"
#include "support/networks.h"

namespace planish {
namespace {

Plan tuned(const BuildOptions& options, BuildReport* report = nullptr) {
  return build(testing::small_network(), *create_cpu_device(2), options, report);
}

TEST(Tuning, WithoutTimingEveryBuildIsTheSame) {
  BuildOptions options;
  options.tuning = Tuning::off;
  BuildReport report;
  const auto first = serialize(tuned(options, &report));
  EXPECT_EQ(report.timed, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(serialize(tuned(options)), first);
}

// A candidate that has begun is finished; then estimates decide.
TEST(Tuning, ABudgetThatIsSpentEndsTheTiming) {
  BuildOptions whole, budget;
  whole.tuning = budget.tuning = Tuning::full;
  budget.tuning_seconds = 1e-9;
  BuildReport all, few;
  tuned(whole, &all);
  const Plan plan = tuned(budget, &few);
  EXPECT_GT(all.timed, 1);
  EXPECT_LE(few.timed, 1);
  const std::map<std::string, Tensor> inputs = {{"x", testing::random_tensor({3, 3, 8, 8}, 1)}};
  EXPECT_LE(testing::relative_l2(testing::run(plan, inputs).begin()->second,
                                 testing::run(testing::build_small(false), inputs).begin()->second),
            1e-5);
}

}  // namespace
}  // namespace planish
