#pragma once
// Partitioned Boolean quadratic programs: every variable takes one of its options; the sum of the options' own
// costs and of the costs of adjacent pairs is to be small.

#include <vector>

namespace planish {

struct PbqpProblem {
  struct Edge {
    int a = 0, b = 0;
    std::vector<double> costs;  // [options of a][options of b]; infinity forbids a pair
  };
  std::vector<std::vector<double>> variables;  // costs of the options, at least one each
  std::vector<Edge> edges;                     // several between two variables add up

  int add_variable(std::vector<double> costs);
  void add_edge(int a, int b, std::vector<double> costs);
  double cost(const std::vector<int>& choice) const;
};

struct PbqpSolution {
  std::vector<int> choice;
  bool exact = true;  // no variable had to be fixed by the heuristic
};

// Variables of degree 0, 1 and 2 are eliminated without loss; where only larger degrees are left, the one of the
// largest degree takes the option that is best for itself and its neighbours. Linear in the number of variables.
PbqpSolution solve(const PbqpProblem& problem);

}  // namespace planish
