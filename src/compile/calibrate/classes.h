#pragma once
// How often a disturbed network gives another first class, from margins and noise.

#include <array>
#include <vector>

#include "ir/graph.h"

namespace planish {

// Counting the samples whose first class changed says little of small shares; margins say more. With d_ik the score of
// sample i's first class less that of its k-th, and s^2 the mean square of what disturbs such differences,
//   share = mean over i of 1 - product over k = 2 … 5 of Phi(d_ik / s).
// Probabilities behind softmax are looked at as logarithms.
class ClassChanges {
 public:
  // Whether the graph's first output holds scores of classes: two or more along one axis, rows along the first.
  static bool has_classes(const Graph& graph);

  explicit ClassChanges(const Graph& graph);
  void add(const Tensor& found, const Tensor& expected);

  double share() const;
  int changed() const { return changed_; }
  int count() const { return static_cast<int>(margins_.size()); }

 private:
  static constexpr size_t kRivals = 4;
  using Margins = std::array<double, kRivals>;  // infinite where there are fewer classes

  void add_row(const double* found, const double* expected, size_t classes);

  bool probabilities_ = false;
  std::vector<Margins> margins_;
  double noise_ = 0, pairs_ = 0;
  int changed_ = 0;
};

}  // namespace planish
