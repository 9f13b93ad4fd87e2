// Per-channel arithmetic behind a convolution, into its weights and bias:
//   batch_normalization(conv(x, W, b), s, t, m, v)  with k = s / sqrt(v + epsilon):  W' = k W, b' = k (b - m) + t
//   conv(x, W, b) * k:  W' = k W, b' = k b          conv(x, W, b) + t:  b' = b + t
// and batch normalisation elsewhere:  x * k + (t - k m)

#include <cmath>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

struct Affine {
  std::vector<double> scale, shift;
};

std::optional<std::vector<double>> channel_values(const Value& value, int64_t channels, int rank) {
  if (!value.is_constant() || !is_float(value.type.dtype)) return std::nullopt;
  const auto values = value.constant.to_doubles();
  if (values.size() == 1) return std::vector<double>(static_cast<size_t>(channels), values[0]);
  const auto& extents = value.constant.extents();
  const int axis = value.constant.rank() - (rank - 1);  // where the channel axis falls, aligned at the end
  if (static_cast<int64_t>(values.size()) != channels || axis < 0 || extents[static_cast<size_t>(axis)] != channels) return std::nullopt;
  return values;
}

std::optional<Affine> batch_norm_affine(const Graph& graph, const Node& node) {
  std::vector<std::vector<double>> p;
  for (size_t i = 1; i < 5; ++i) {
    if (!graph.value(node.inputs[i]).is_constant()) return std::nullopt;
    p.push_back(graph.value(node.inputs[i]).constant.to_doubles());
  }
  const double epsilon = node.attrs.get_or<double>("epsilon", 1e-5);
  Affine affine;
  for (size_t c = 0; c < p[0].size(); ++c) {
    affine.scale.push_back(p[0][c] / std::sqrt(p[3][c] + epsilon));
    affine.shift.push_back(p[1][c] - affine.scale[c] * p[2][c]);
  }
  return affine;
}

// What node does to operand `data`, per channel.
std::optional<Affine> affine_of(const Graph& graph, const Node& node, ValueId data, int64_t channels, int rank) {
  if (node.op == "batch_normalization") return batch_norm_affine(graph, node);
  if (node.op != "mul" && node.op != "add") return std::nullopt;
  const ValueId other = node.inputs[0] == data ? node.inputs[1] : node.inputs[0];
  const auto values = channel_values(graph.value(other), channels, rank);
  if (!values) return std::nullopt;
  const auto n = static_cast<size_t>(channels);
  if (node.op == "mul") return Affine{*values, std::vector<double>(n, 0)};
  return Affine{std::vector<double>(n, 1), *values};
}

Tensor floats(std::vector<int64_t> extents, const std::vector<double>& values) {
  const std::vector<float> narrow(values.begin(), values.end());
  return Tensor::of<float>(std::move(extents), narrow);
}

Tensor scaled_weights(const Tensor& weights, const std::vector<double>& scale) {
  std::vector<double> values = weights.to_doubles();
  const size_t row = values.size() / scale.size();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= scale[i / row];
  return floats(weights.extents(), values);
}

bool fold_into_conv(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  for (ValueId data : node.inputs) {
    if (!data.valid() || !graph.value(data).producer.valid()) continue;
    const Node& conv = graph.node(graph.value(data).producer);
    if (conv.op != "conv" || graph.users(data).size() != 1 || graph.is_output(data)) continue;
    const Value& weights = graph.value(conv.inputs[1]);
    const bool has_bias = conv.inputs.size() > 2 && conv.inputs[2].valid();
    if (!weights.is_constant() || weights.type.dtype != DataType::f32) continue;
    if (has_bias && !graph.value(conv.inputs[2]).is_constant()) continue;
    if (graph.value(node.outputs[0]).type != graph.value(data).type) continue;
    const int64_t channels = weights.constant.extents()[0];
    const auto affine = affine_of(graph, node, data, channels, weights.constant.rank());
    if (!affine) continue;
    std::vector<double> bias(static_cast<size_t>(channels), 0);
    if (has_bias) bias = graph.value(conv.inputs[2]).constant.to_doubles();
    for (size_t c = 0; c < bias.size(); ++c) bias[c] = affine->scale[c] * bias[c] + affine->shift[c];
    const ValueId x = conv.inputs[0];
    const Attrs attrs = conv.attrs;
    const Tensor new_weights = scaled_weights(weights.constant, affine->scale);
    const std::string name = weights.name;
    Patch patch(graph);
    const ValueId w = patch.constant(new_weights, name), b = patch.constant(floats({channels}, bias), name + ".bias");
    const ValueId result = add_op(patch, "conv", {x, w, b}, attrs);
    patch.replace(graph.node(id).outputs[0], result);
    patch.apply();
    return true;
  }
  return false;
}

bool expand_batch_norm(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "batch_normalization" || graph.value(node.inputs[0]).type.dtype != DataType::f32) return false;
  const auto affine = batch_norm_affine(graph, node);
  if (!affine) return false;
  std::vector<int64_t> extents(static_cast<size_t>(graph.value(node.inputs[0]).type.shape.rank()) - 1, 1);
  extents[0] = static_cast<int64_t>(affine->scale.size());
  const ValueId x = node.inputs[0];
  Patch patch(graph);
  const ValueId k = patch.constant(floats(extents, affine->scale)), t = patch.constant(floats(extents, affine->shift));
  const ValueId result = add_op(patch, "add", {add_op(patch, "mul", {x, k}), t});
  patch.replace(graph.node(id).outputs[0], result);
  patch.apply();
  return true;
}

}  // namespace

Pass fold_scale() {
  return {"fold_scale", [](Graph& graph) {
            bool changed = false, again = true;
            while (again) {
              again = false;
              for (NodeId id : graph.nodes())
                if (graph.alive(id)) again |= fold_into_conv(graph, id);
              changed |= again;
            }
            for (NodeId id : graph.nodes())
              if (graph.alive(id)) changed |= expand_batch_norm(graph, id);
            return changed;
          }};
}

}  // namespace planish::passes
