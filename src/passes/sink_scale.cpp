// A scalar factor of an operand of a matrix product:
//   matmul(x * s, W) -> matmul(x, s W)                     (constant W)
//   matmul(a * s, b) -> matmul(a, b) * s                   (either operand, also under a transpose), where the product
//                                                             is followed by elementwise nodes of its shape, which take
//                                                             the factor along
//   matmul(a * s, b * t) -> matmul(a * (s t), b)           elsewhere; on b when that is smaller

#include <algorithm>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/fusion.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct ScaledOperand {
  ValueId x;
  double scale = 1;
  std::optional<Attrs> transpose;  // of x, when the factor stands before one
};

// mul(x, s) or transpose(mul(x, s)) that nothing else reads.
std::optional<ScaledOperand> scaled_operand(const Graph& graph, ValueId id) {
  ScaledOperand found;
  if (!graph.value(id).producer.valid() || !is_private(graph, id)) return std::nullopt;
  const Node* node = &graph.node(graph.value(id).producer);
  if (node->op == "transpose" && graph.value(node->inputs[0]).producer.valid() && is_private(graph, node->inputs[0])) {
    found.transpose = node->attrs;
    node = &graph.node(graph.value(node->inputs[0]).producer);
  }
  if (node->op != "mul" || graph.value(node->outputs[0]).type.dtype != DataType::f32) return std::nullopt;
  const size_t factor = is_scalar_constant(graph, node->inputs[1]) ? 1 : 0;
  const auto scale = scalar_of(graph, node->inputs[factor]);
  found.x = node->inputs[1 - factor];
  if (!scale || graph.value(found.x).type != graph.value(node->outputs[0]).type) return std::nullopt;
  found.scale = *scale;
  return found;
}

bool feeds_pointwise(const Graph& graph, ValueId id) {
  if (!is_private(graph, id)) return false;
  const Node& user = graph.node(graph.users(id)[0]);
  return is_fusible_pointwise(graph, user) && graph.value(user.outputs[0]).type.shape == graph.value(id).type.shape;
}

bool sink_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul" || node.inputs[0] == node.inputs[1]) return false;
  for (size_t i : {0, 1}) {
    const auto scaled = scaled_operand(graph, node.inputs[i]);
    const Value& other = graph.value(node.inputs[1 - i]);
    if (!scaled || (!other.is_constant() && !feeds_pointwise(graph, node.outputs[0]))) continue;
    Patch patch(graph);
    std::vector<ValueId> inputs = node.inputs;
    inputs[i] = scaled->transpose ? add_op(patch, "transpose", {scaled->x}, *scaled->transpose) : scaled->x;
    if (other.is_constant()) {
      std::vector<double> values = other.constant.to_doubles();
      for (double& value : values) value *= scaled->scale;
      inputs[1 - i] = patch.constant(float_tensor(other.constant.extents(), values), other.name);
      patch.replace(node.outputs[0], add_op(patch, "matmul", inputs));
    } else {
      const ValueId product = add_op(patch, "matmul", inputs),
                    s = patch.constant(Tensor::scalar(static_cast<float>(scaled->scale)), "scale");
      patch.replace(node.outputs[0], add_op(patch, "mul", {product, s}));
    }
    patch.apply();
    return true;
  }
  return false;
}

// Both operands scaled: the factors move to the smaller one.
bool join_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "matmul" || node.inputs[0] == node.inputs[1]) return false;
  const auto a = scaled_operand(graph, node.inputs[0]), b = scaled_operand(graph, node.inputs[1]);
  if (!a || !b) return false;
  const Dim excess = graph.value(a->x).type.shape.element_count() - graph.value(b->x).type.shape.element_count();
  const size_t kept = excess.lower_bound(graph.symbols) > 0 ? 1 : 0;
  Patch patch(graph);
  std::vector<ValueId> inputs;
  for (const auto* operand : {&*a, &*b}) {
    ValueId x = operand->x;
    if (inputs.size() == kept) {
      const ValueId s = patch.constant(Tensor::scalar(static_cast<float>(a->scale * b->scale)), "scale");
      x = add_op(patch, "mul", {x, s});
    }
    inputs.push_back(operand->transpose ? add_op(patch, "transpose", {x}, *operand->transpose) : x);
  }
  patch.replace(node.outputs[0], add_op(patch, "matmul", inputs));
  patch.apply();
  return true;
}

// (x * a) * b -> x * (a b)
bool join_factors(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "mul" || graph.value(node.outputs[0]).type.dtype != DataType::f32) return false;
  const size_t factor = is_scalar_constant(graph, node.inputs[1]) ? 1 : 0;
  const auto outer = scalar_of(graph, node.inputs[factor]);
  const auto inner = outer ? scaled_operand(graph, node.inputs[1 - factor]) : std::nullopt;
  if (!inner || inner->transpose || graph.value(inner->x).type != graph.value(node.outputs[0]).type) return false;
  Patch patch(graph);
  const ValueId s = patch.constant(Tensor::scalar(static_cast<float>(*outer * inner->scale)), "scale");
  patch.replace(node.outputs[0], add_op(patch, "mul", {inner->x, s}));
  patch.apply();
  return true;
}

}  // namespace

Pass sink_scale() {
  return {"sink_scale", [](Graph& graph) {
            const bool sunk = until_settled(graph, sink_at), joined = until_settled(graph, join_at);
            return until_settled(graph, join_factors) || sunk || joined;
          }};
}

}  // namespace planish::passes
