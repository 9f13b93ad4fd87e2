#include "compile/calibrate/bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "passes/common/values.h"

namespace planish {
namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();
constexpr int kDepth = 32;  // of operators that hand bounds on

struct Bounded {
  std::string_view op;
  Bounds bounds;
};
// Least values: x sigmoid(x) at -1.2785, x Phi(x) at -0.7518, x tanh(softplus(x)) at -1.1925, x (x + 3) / 6 at -1.5.
constexpr Bounded kBounded[] = {
    {"relu", {0, kNone}},        {"sigmoid", {0, 1}},         {"hard_sigmoid", {0, 1}},
    {"softmax", {0, 1}},         {"tanh", {-1, 1}},           {"silu", {-0.27847, kNone}},
    {"gelu", {-0.17005, kNone}}, {"mish", {-0.30885, kNone}}, {"hard_swish", {-0.375, kNone}},
    {"softplus", {0, kNone}},    {"abs", {0, kNone}},         {"exp", {0, kNone}}};

bool hands_on(const Node& node) {
  for (const char* op : {"average_pool", "global_average_pool", "global_max_pool", "reduce_mean", "reduce_max",
                         "reduce_min", "identity", "gather", "expand", "tile"})
    if (node.op == op) return true;
  return passes::is_move(node);
}

Bounds find_bounds(const Graph& graph, ValueId id, int depth);

Bounds bounds_of_extremes(const Graph& graph, const Node& node, int depth) {
  Bounds found{-kNone, kNone};
  for (size_t i = 0; i < 2; ++i) {
    const auto limit = passes::scalar_of(graph, node.inputs[i]);
    if (!limit || node.inputs.size() != 2) continue;
    const Bounds of = find_bounds(graph, node.inputs[1 - i], depth);
    const bool least = node.op == "min";
    found = least ? Bounds{std::min(of.low, *limit), std::min(of.high, *limit)}
                  : Bounds{std::max(of.low, *limit), std::max(of.high, *limit)};
  }
  return found;
}

Bounds find_bounds(const Graph& graph, ValueId id, int depth) {
  const Bounds none{-kNone, kNone};
  if (depth == 0 || !graph.value(id).producer.valid()) return none;
  const Node& node = graph.node(graph.value(id).producer);
  for (const Bounded& known : kBounded)
    if (node.op == OpName(known.op)) return known.bounds;
  if (node.op == "min" || node.op == "max") return bounds_of_extremes(graph, node, depth - 1);
  if (node.op == "concat") {
    Bounds all = find_bounds(graph, node.inputs[0], depth - 1);
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      const Bounds one = find_bounds(graph, node.inputs[i], depth - 1);
      all = {std::min(all.low, one.low), std::max(all.high, one.high)};
    }
    return all;
  }
  if (!hands_on(node)) return none;
  const Bounds of = find_bounds(graph, node.inputs[0], depth - 1);
  return {std::min(of.low, 0.0), std::max(of.high, 0.0)};  // windows may hold padding
}

}  // namespace

Bounds bounds_of(const Graph& graph, ValueId value) { return find_bounds(graph, value, kDepth); }

}  // namespace planish
