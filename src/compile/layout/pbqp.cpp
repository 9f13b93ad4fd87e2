#include "compile/layout/pbqp.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace planish {
namespace {

using Costs = std::vector<double>;

// Pair costs as seen from one end: [own options][neighbour's options].
struct Matrix {
  size_t rows = 0, columns = 0;
  Costs values;
  double at(size_t r, size_t c) const { return values[r * columns + c]; }
  double& at(size_t r, size_t c) { return values[r * columns + c]; }
  Matrix transposed() const {
    Matrix t{columns, rows, Costs(values.size())};
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < columns; ++c) t.at(c, r) = at(r, c);
    return t;
  }
};

size_t cheapest(const Costs& costs) {
  return static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
}

class Solver {
 public:
  explicit Solver(const PbqpProblem& problem) : costs_(problem.variables), neighbours_(problem.variables.size()) {
    for (const PbqpProblem::Edge& edge : problem.edges) {
      const auto a = static_cast<size_t>(edge.a), b = static_cast<size_t>(edge.b);
      connect(a, b, {costs_[a].size(), costs_[b].size(), edge.costs});
    }
    for (size_t v = 0; v < costs_.size(); ++v) by_degree_.emplace(neighbours_[v].size(), v);
  }

  PbqpSolution run() {
    while (!by_degree_.empty()) {
      const auto [degree, v] = *by_degree_.begin();
      if (degree <= 2)
        eliminate(v);
      else
        fix(by_degree_.rbegin()->second);
    }
    PbqpSolution solution;
    solution.exact = exact_;
    solution.choice.assign(costs_.size(), 0);
    for (size_t i = eliminated_.size(); i-- > 0;)
      solution.choice[eliminated_[i].variable] = choose(eliminated_[i], solution.choice);
    return solution;
  }

 private:
  struct Eliminated {
    size_t variable;
    Costs costs;
    std::map<size_t, Matrix> neighbours;
  };

  static int choose(const Eliminated& e, const std::vector<int>& choice) {
    Costs total = e.costs;
    for (const auto& [other, matrix] : e.neighbours)
      for (size_t k = 0; k < total.size(); ++k) total[k] += matrix.at(k, static_cast<size_t>(choice[other]));
    return static_cast<int>(cheapest(total));
  }

  void set_degree(size_t v, size_t before) {
    by_degree_.erase({before, v});
    by_degree_.emplace(neighbours_[v].size(), v);
  }

  void connect(size_t a, size_t b, const Matrix& matrix) {
    const auto add = [&](size_t from, size_t to, const Matrix& m) {
      auto [at, fresh] = neighbours_[from].try_emplace(to, m);
      if (fresh) return;
      for (size_t i = 0; i < m.values.size(); ++i) at->second.values[i] += m.values[i];
    };
    add(a, b, matrix);
    add(b, a, matrix.transposed());
  }

  // Takes v out of the graph and remembers what it needs to choose once its neighbours have.
  Eliminated& remove(size_t v) {
    by_degree_.erase({neighbours_[v].size(), v});
    for (const auto& [other, matrix] : neighbours_[v]) {
      const size_t before = neighbours_[other].size();
      neighbours_[other].erase(v);
      set_degree(other, before);
    }
    eliminated_.push_back({v, costs_[v], std::move(neighbours_[v])});
    neighbours_[v].clear();
    return eliminated_.back();
  }

  // What v costs at best becomes a cost of its neighbour, or of its two neighbours' pair.
  void eliminate(size_t v) {
    const Eliminated& e = remove(v);
    if (e.neighbours.empty()) return;
    const size_t a = e.neighbours.begin()->first;
    const Matrix& to_a = e.neighbours.begin()->second;
    if (e.neighbours.size() == 1) {
      for (size_t i = 0; i < costs_[a].size(); ++i)
        costs_[a][i] += best(e.costs, [&](size_t k) { return to_a.at(k, i); });
      return;
    }
    const size_t b = e.neighbours.rbegin()->first;
    const Matrix& to_b = e.neighbours.rbegin()->second;
    Matrix pair{costs_[a].size(), costs_[b].size(), Costs(costs_[a].size() * costs_[b].size())};
    for (size_t i = 0; i < pair.rows; ++i)
      for (size_t j = 0; j < pair.columns; ++j)
        pair.at(i, j) = best(e.costs, [&](size_t k) { return to_a.at(k, i) + to_b.at(k, j); });
    const size_t before_a = neighbours_[a].size(), before_b = neighbours_[b].size();
    connect(a, b, pair);
    set_degree(a, before_a);
    set_degree(b, before_b);
  }

  template <class Extra>
  static double best(const Costs& costs, Extra extra) {
    double least = std::numeric_limits<double>::infinity();
    for (size_t k = 0; k < costs.size(); ++k) least = std::min(least, costs[k] + extra(k));
    return least;
  }

  void fix(size_t v) {
    exact_ = false;
    Costs total = costs_[v];
    for (const auto& [other, matrix] : neighbours_[v])
      for (size_t k = 0; k < total.size(); ++k)
        total[k] += best(costs_[other], [&, &pair = matrix](size_t i) { return pair.at(k, i); });
    const size_t chosen = cheapest(total);
    Eliminated& e = remove(v);
    for (const auto& [other, matrix] : e.neighbours)
      for (size_t i = 0; i < costs_[other].size(); ++i) costs_[other][i] += matrix.at(chosen, i);
    for (size_t k = 0; k < e.costs.size(); ++k)
      if (k != chosen) e.costs[k] = std::numeric_limits<double>::infinity();
    e.neighbours.clear();
  }

  std::vector<Costs> costs_;
  std::vector<std::map<size_t, Matrix>> neighbours_;
  std::set<std::pair<size_t, size_t>> by_degree_;  // (degree, variable)
  std::vector<Eliminated> eliminated_;
  bool exact_ = true;
};

}  // namespace

int PbqpProblem::add_variable(std::vector<double> costs) {
  variables.push_back(std::move(costs));
  return static_cast<int>(variables.size()) - 1;
}

void PbqpProblem::add_edge(int a, int b, std::vector<double> costs) { edges.push_back({a, b, std::move(costs)}); }

double PbqpProblem::cost(const std::vector<int>& choice) const {
  double sum = 0;
  for (size_t v = 0; v < variables.size(); ++v) sum += variables[v][static_cast<size_t>(choice[v])];
  for (const Edge& edge : edges) {
    const auto a = static_cast<size_t>(edge.a), b = static_cast<size_t>(edge.b);
    sum += edge.costs[static_cast<size_t>(choice[a]) * variables[b].size() + static_cast<size_t>(choice[b])];
  }
  return sum;
}

PbqpSolution solve(const PbqpProblem& problem) { return Solver(problem).run(); }

}  // namespace planish
