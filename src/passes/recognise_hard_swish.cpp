// Piecewise linear activations in the forms exporters write, clip being min(max(…)) by now and max(…, 0) maybe relu:
//   clip(x + 3, 0, 6) / 6            -> hard_sigmoid(x, alpha=1/6, beta=1/2)
//   clip(a x + b, 0, 1)              -> hard_sigmoid(x, alpha=a, beta=b)
//   x * hard_sigmoid(x, 1/6, 1/2)    -> hard_swish(x)
//   x * clip(x + 3, 0, 6) / 6        -> hard_swish(x)

#include <cmath>

#include "ir/matcher.h"
#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct HardPatterns {
  Pattern sixth_of_clip, unit_clip, times_sigmoid, times_clip;
};

Pattern either_way(const char* name, const Pattern& a, const Pattern& b) { return op(name, {a, b}).commutative(); }

bool is_sixth_half(const Graph& graph, ValueId id) {
  const Attrs& attrs = graph.node(graph.value(id).producer).attrs;
  return std::abs(attrs.get_or<double>("alpha", 0.2) * 6 - 1) < 1e-6 &&
         std::abs(attrs.get_or<double>("beta", 0.5) - 0.5) < 1e-6;
}

Pattern clip_pattern(const Pattern& x, double high) {
  const Pattern positive = either_way("max", x, constant(0)).or_else(op("relu", {x}));
  return either_way("min", positive, constant(high));
}

Pattern sixth_of(const Pattern& x) {
  return op("div", {x, constant(6)}).or_else(either_way("mul", x, constant(1.0 / 6)));
}

HardPatterns hard_patterns() {
  const Pattern x = any().as("x");
  const Pattern clip = clip_pattern(either_way("add", x, constant(3)), 6);
  const Pattern line = either_way("add", either_way("mul", x, constant().as("a")), constant().as("b"));
  return {sixth_of(clip), clip_pattern(line, 1), either_way("mul", x, op("hard_sigmoid", {x}).where(is_sixth_half)),
          sixth_of(either_way("mul", x, clip))};
}

bool replace_activation(Graph& graph, ValueId result, ValueId x, const char* op, Attrs attrs) {
  if (graph.value(x).type != graph.value(result).type) return false;
  Patch patch(graph);
  patch.replace(result, add_op(patch, op, {x}, std::move(attrs)));
  patch.apply();
  return true;
}

bool recognise_hard_at(Graph& graph, NodeId id, const HardPatterns& patterns) {
  const ValueId result = graph.node(id).outputs[0];
  for (const Pattern* pattern : {&patterns.times_sigmoid, &patterns.times_clip})
    if (const Match found = match(graph, result, *pattern))
      return replace_activation(graph, result, found["x"], "hard_swish", {});
  if (const Match found = match(graph, result, patterns.sixth_of_clip))
    return replace_activation(graph, result, found["x"], "hard_sigmoid", {{"alpha", 1.0 / 6}, {"beta", 0.5}});
  const Match line = match(graph, result, patterns.unit_clip);
  const auto a = line ? scalar_of(graph, line["a"]) : std::nullopt,
             b = line ? scalar_of(graph, line["b"]) : std::nullopt;
  return a && b && replace_activation(graph, result, line["x"], "hard_sigmoid", {{"alpha", *a}, {"beta", *b}});
}

}  // namespace

Pass recognise_hard_swish() {
  return {"recognise_hard_swish", [](Graph& graph) {
            const HardPatterns patterns = hard_patterns();
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              if (!graph.alive(id)) continue;
              const OpName op = graph.node(id).op;
              if (op == "mul" || op == "div" || op == "min") changed |= recognise_hard_at(graph, id, patterns);
            }
            return changed;
          }};
}

}  // namespace planish::passes
