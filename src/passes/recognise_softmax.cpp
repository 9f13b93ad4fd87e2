// e = exp(x - max(x)) or exp(x);  e / sum(e)  ->  softmax(x)
// d = x - max(x);  d - log(sum(exp(d)))       ->  log_softmax(x)
// log(softmax(x))                             ->  log_softmax(x)
// sum over one axis, kept; max over axes that include it (any shift that is constant along the axis cancels).

#include <algorithm>

#include "ir/matcher.h"
#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// Axes of a reduction that keeps them, in [0, rank).
std::vector<int64_t> kept_axes(const Graph& graph, ValueId id) {
  const Node& node = graph.node(graph.value(id).producer);
  const auto given = ints_of(graph, node, 1);
  if (!given || node.attrs.get_or<int64_t>("keepdims", 1) == 0) return {};
  std::vector<int64_t> axes;
  for (int64_t axis : *given) axes.push_back(normalize_axis(axis, graph.value(id).type.shape.rank()));
  return axes;
}

bool keeps_one_axis(const Graph& graph, ValueId id) { return kept_axes(graph, id).size() == 1; }
bool keeps_axes(const Graph& graph, ValueId id) { return !kept_axes(graph, id).empty(); }

struct SoftmaxRule {
  const char* op;
  Pattern pattern;  // captures x, sum, and max where there is one
};

std::vector<SoftmaxRule> softmax_rules() {
  const Pattern x = any().as("x");
  const Pattern shifted = op("sub", {x, op("reduce_max", {x}).where(keeps_axes).as("max")});
  const auto ratio = [](const Pattern& e) {
    const Pattern sum = op("reduce_sum", {e}).where(keeps_one_axis).as("sum");
    return op("div", {e, sum}).or_else(op("mul", {e, op("reciprocal", {sum})}).commutative());
  };
  const Pattern d = shifted.shared().as("d");
  const Pattern log_sum = op("log", {op("reduce_sum", {op("exp", {d})}).where(keeps_one_axis).as("sum")});
  return {
      {"softmax", ratio(op("exp", {shifted}).shared().as("e"))},
      {"softmax", ratio(op("exp", {x}).shared().as("e"))},
      {"log_softmax", op("sub", {d, log_sum})},
  };
}

bool recognise_softmax_at(Graph& graph, NodeId id, const std::vector<SoftmaxRule>& rules) {
  const ValueId result = graph.node(id).outputs[0];
  for (const SoftmaxRule& rule : rules) {
    const Match found = match(graph, result, rule.pattern);
    if (!found || graph.value(found["x"]).type != graph.value(result).type) continue;
    const int64_t axis = kept_axes(graph, found["sum"])[0];
    if (found.values.count("max") > 0) {
      const auto shifted = kept_axes(graph, found["max"]);
      if (std::find(shifted.begin(), shifted.end(), axis) == shifted.end()) continue;
    }
    Patch patch(graph);
    patch.replace(result, add_op(patch, rule.op, {found["x"]}, {{"axis", axis}}));
    patch.apply();
    return true;
  }
  return false;
}

bool recognise_log_of_softmax(Graph& graph, NodeId id) {
  const ValueId result = graph.node(id).outputs[0];
  const Match found = match(graph, result, op("log", {op("softmax", {any().as("x")}).as("softmax")}));
  if (!found) return false;
  const Attrs attrs = graph.node(found.node("softmax")).attrs;
  Patch patch(graph);
  patch.replace(result, add_op(patch, "log_softmax", {found["x"]}, attrs));
  patch.apply();
  return true;
}

}  // namespace

Pass recognise_softmax() {
  return {"recognise_softmax", [](Graph& graph) {
            const auto rules = softmax_rules();
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              if (!graph.alive(id)) continue;
              const OpName op = graph.node(id).op;
              if (op == "div" || op == "mul" || op == "sub")
                changed |= recognise_softmax_at(graph, id, rules);
              else if (op == "log")
                changed |= recognise_log_of_softmax(graph, id);
            }
            return changed;
          }};
}

}  // namespace planish::passes
