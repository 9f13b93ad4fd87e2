#pragma once
// How often a disturbed network gives another first class, from margins and noise.

#include <array>
#include <vector>

#include "ir/graph.h"

namespace planish {

// Counting the samples whose first class changed says little of small shares; margins say more. With d_ik the score of
// sample i's first class less that of its k-th,
//   share = mean over i of 1 - product over k = 2 … 5 of Phi(d_ik / s_i).
// s_i^2 is the mean of what was seen of the sample, e_i^2, the mean square of what disturbs its differences, and of
// what is to be expected of it: noise grows with scores, so that this is t_i^2 sum e^2 / sum t^2, with t_i the first
// class's score above the mean of all. Probabilities behind softmax are looked at as logarithms.
class ClassChanges {
 public:
  // Whether the graph's first output holds scores of classes: two or more along one axis, rows along the first.
  static bool has_classes(const Graph& graph);

  explicit ClassChanges(const Graph& graph);
  void add(const Tensor& found, const Tensor& expected);

  double share() const;
  int changed() const { return changed_; }
  int count() const { return static_cast<int>(samples_.size()); }

 private:
  static constexpr size_t kRivals = 4;
  struct Sample {
    std::array<double, kRivals> margins;  // infinite where there are fewer classes
    double noise = 0;                     // mean square of what disturbs them
    double height = 0;                    // the first class's score above the mean
  };

  void add_row(const double* found, const double* expected, size_t classes);

  bool probabilities_ = false;
  std::vector<Sample> samples_;
  int changed_ = 0;
};

}  // namespace planish
