// Activations in the forms exporters write:
//   x * sigmoid(x)                                  -> silu(x)
//   0.5 * x * (1 + erf(x / sqrt 2))                 -> gelu(x)
//   0.5 * x * (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))  -> gelu(x, tanh)

#include "ir/matcher.h"
#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct ActivationRule {
  const char* op;
  Attrs attrs;
  Pattern pattern;  // captures x
};

Pattern mul(Pattern a, Pattern b) { return op("mul", {a, b}).commutative(); }
Pattern add(Pattern a, Pattern b) { return op("add", {a, b}).commutative(); }

// x * 0.5 * inner in any association.
Pattern half_times(const Pattern& x, const Pattern& inner) {
  return mul(mul(x, inner), constant(0.5))
      .or_else(mul(mul(x, constant(0.5)), inner))
      .or_else(mul(x, mul(inner, constant(0.5))));
}

std::vector<ActivationRule> activation_rules() {
  const Pattern x = any().as("x");
  const Pattern over_root2 = op("div", {x, constant(1.4142135)}).or_else(mul(x, constant(0.70710678)));
  const Pattern erf_part = add(op("erf", {over_root2}), constant(1));
  const Pattern cube = op("pow", {x, constant(3)}).or_else(mul(mul(x, x), x));
  const Pattern inner = mul(add(x, mul(cube, constant(0.044715))), constant(0.7978845608));
  const Pattern tanh_part = add(op("tanh", {inner}), constant(1));
  return {
      {"silu", {}, mul(x, op("sigmoid", {x}))},
      {"gelu", {{"approximate", std::string("none")}}, half_times(x, erf_part)},
      {"gelu", {{"approximate", std::string("tanh")}}, half_times(x, tanh_part)},
  };
}

bool apply_rules(Graph& graph, NodeId id, const std::vector<ActivationRule>& rules) {
  const ValueId result = graph.node(id).outputs[0];
  for (const ActivationRule& rule : rules) {
    const Match found = match(graph, result, rule.pattern);
    if (!found || graph.value(found["x"]).type != graph.value(result).type) continue;
    Patch patch(graph);
    patch.replace(result, add_op(patch, rule.op, {found["x"]}, rule.attrs));
    patch.apply();
    return true;
  }
  return false;
}

}  // namespace

Pass recognise_activations() {
  return {"recognise_activations", [](Graph& graph) {
            const auto rules = activation_rules();
            bool changed = false;
            for (NodeId id : graph.nodes()) {
              if (!graph.alive(id)) continue;
              const OpName op = graph.node(id).op;
              if (op == "mul" || op == "div") changed |= apply_rules(graph, id, rules);
            }
            return changed;
          }};
}

}  // namespace planish::passes
