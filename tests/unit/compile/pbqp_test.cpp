// The solver against all combinations.

#include "compile/layout/pbqp.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace planish {
namespace {

PbqpProblem random_problem(std::mt19937& random, int variables, int edges, bool tree) {
  PbqpProblem problem;
  const auto cost = [&] { return static_cast<double>(random() % 100); };
  for (int v = 0; v < variables; ++v) {
    std::vector<double> costs(1 + random() % 3);
    for (double& c : costs) c = cost();
    problem.add_variable(costs);
  }
  for (int e = 0; e < (tree ? variables - 1 : edges); ++e) {
    const int a = tree ? e + 1 : static_cast<int>(random() % static_cast<unsigned>(variables));
    const int b = tree ? static_cast<int>(random() % static_cast<unsigned>(e + 1))
                       : (a + 1 + static_cast<int>(random() % static_cast<unsigned>(variables - 1))) % variables;
    std::vector<double> costs(problem.variables[static_cast<size_t>(a)].size() *
                              problem.variables[static_cast<size_t>(b)].size());
    for (double& c : costs) c = random() % 12 == 0 ? 1e6 : cost();
    problem.add_edge(a, b, costs);
  }
  return problem;
}

double best_of_all(const PbqpProblem& problem) {
  std::vector<int> choice(problem.variables.size(), 0);
  double best = std::numeric_limits<double>::infinity();
  while (true) {
    best = std::min(best, problem.cost(choice));
    size_t v = 0;
    while (v < choice.size() && ++choice[v] == static_cast<int>(problem.variables[v].size())) choice[v++] = 0;
    if (v == choice.size()) return best;
  }
}

TEST(Pbqp, TreesAndCyclesAreSolvedExactly) {
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const PbqpProblem problem = random_problem(random, 2 + static_cast<int>(random() % 7), 0, true);
    const PbqpSolution solution = solve(problem);
    EXPECT_TRUE(solution.exact);
    EXPECT_DOUBLE_EQ(problem.cost(solution.choice), best_of_all(problem));
  }
}

TEST(Pbqp, WhatIsCalledExactIsTheBestOfAllAndTheRestIsClose) {
  std::mt19937 random(4);
  double sum = 0, best_sum = 0;
  for (int i = 0; i < 300; ++i) {
    const int variables = 3 + static_cast<int>(random() % 6);
    const PbqpProblem problem = random_problem(random, variables, variables + static_cast<int>(random() % 6), false);
    const PbqpSolution solution = solve(problem);
    const double found = problem.cost(solution.choice), best = best_of_all(problem);
    if (solution.exact) {
      EXPECT_DOUBLE_EQ(found, best);
    }
    EXPECT_GE(found, best);
    if (best < 1e6 && found < 1e6) sum += found, best_sum += best;
  }
  EXPECT_LE(sum, 1.05 * best_sum);
}

TEST(Pbqp, ForbiddenPairsAreAvoidedAndNoVariablesIsFine) {
  const double never = std::numeric_limits<double>::infinity();
  PbqpProblem problem;
  const int a = problem.add_variable({0, 5}), b = problem.add_variable({0, 5});
  problem.add_edge(a, b, {never, 1, 1, never});
  EXPECT_EQ(problem.cost(solve(problem).choice), 6);
  EXPECT_TRUE(solve({}).choice.empty());
}

}  // namespace
}  // namespace planish
