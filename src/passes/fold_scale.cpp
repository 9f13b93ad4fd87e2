// Per-channel arithmetic behind a weighted sum, into its weights and bias:
//   batch_normalization(conv(x, W, b), s, t, m, v)  with k = s / sqrt(v + epsilon):  W' = k W, b' = k (b - m) + t
//   conv(x, W, b) * k:  W' = k W, b' = k b          conv(x, W, b) + t:  b' = b + t
//   the same for conv_transpose, whose channels are the second axis of W, group by group
//   matmul(x, W) * k -> matmul(x, W diag(k))        (matmul(x, W) + b) * k -> matmul(x, W diag(k)) + k b
//   (x + a) + b -> x + (a + b)
// and batch normalisation elsewhere:  x * k + (t - k m)

#include <cmath>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

using Channels = std::vector<double>;  // one value a channel

struct Affine {
  Channels scale, shift;
};

// Where the channel axis of a result lies: second behind conv, last behind matmul.
struct ChannelAxis {
  int64_t channels = 0;
  int rank = 0;
  bool second = true;
};

std::optional<Channels> channel_values(const Graph& graph, ValueId id, const ChannelAxis& where) {
  if (!is_float_constant(graph, id)) return std::nullopt;
  const Tensor& tensor = graph.value(id).constant;
  const auto values = tensor.to_doubles();
  if (values.size() == 1) return Channels(static_cast<size_t>(where.channels), values[0]);
  const int axis = where.second ? tensor.rank() - (where.rank - 1) : tensor.rank() - 1;  // aligned at the end
  if (static_cast<int64_t>(values.size()) != where.channels || axis < 0) return std::nullopt;
  return tensor.extents()[static_cast<size_t>(axis)] == where.channels ? std::optional(values) : std::nullopt;
}

std::optional<Affine> batch_norm_affine(const Graph& graph, const Node& node) {
  std::vector<Channels> p;
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

// What `node` does to its operand `data`, per channel.
std::optional<Affine> affine_of(const Graph& graph, const Node& node, ValueId data, const ChannelAxis& where) {
  if (node.op == "batch_normalization")
    return where.second && node.inputs[0] == data ? batch_norm_affine(graph, node) : std::nullopt;
  if (node.op != "mul" && node.op != "add" && node.op != "div") return std::nullopt;
  const size_t other = node.inputs[0] == data ? 1 : 0;
  auto values = channel_values(graph, node.inputs[other], where);
  if (!values || (node.op == "div" && other == 0)) return std::nullopt;
  const auto n = static_cast<size_t>(where.channels);
  if (node.op == "add") return Affine{Channels(n, 1), *values};
  for (double& value : *values) {
    if (node.op == "div" && value == 0) return std::nullopt;
    if (node.op == "div") value = 1 / value;
  }
  return Affine{*values, Channels(n, 0)};
}

// W' = k W, `channel_of` the channel that each element of W adds to.
template <class ChannelOf>
Tensor scaled_weights(const Tensor& weights, const Channels& scale, ChannelOf channel_of) {
  std::vector<double> values = weights.to_doubles();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= scale[channel_of(i)];
  return float_tensor(weights.extents(), values);
}

Tensor scaled_filters(const Node& conv, const Tensor& weights, const Channels& scale) {
  const auto& extents = weights.extents();
  const size_t count = static_cast<size_t>(weights.element_count());
  if (conv.op == "conv")
    return scaled_weights(weights, scale, [row = count / scale.size()](size_t i) { return i / row; });
  const size_t part = static_cast<size_t>(extents[1]), plane = count / static_cast<size_t>(extents[0]);
  const size_t inputs = static_cast<size_t>(extents[0] / conv.attrs.get_or<int64_t>("group", 1));
  return scaled_weights(weights, scale,
                        [=](size_t i) { return i / plane / inputs * part + i % plane / (plane / part); });
}

bool is_f32_constant(const Graph& graph, ValueId id) {
  return id.valid() && graph.value(id).is_constant() && graph.value(id).type.dtype == DataType::f32;
}

bool fold_into_conv(Graph& graph, NodeId id, ValueId data) {
  const Node &node = graph.node(id), &conv = graph.node(graph.value(data).producer);
  if (conv.op != "conv" && conv.op != "conv_transpose") return false;
  const bool has_bias = conv.inputs.size() > 2 && conv.inputs[2].valid();
  if (!is_f32_constant(graph, conv.inputs[1]) || (has_bias && !is_f32_constant(graph, conv.inputs[2]))) return false;
  const Tensor weights = graph.value(conv.inputs[1]).constant;
  if (weights.element_count() == 0) return false;
  const int64_t channels =
      conv.op == "conv" ? weights.extents()[0] : weights.extents()[1] * conv.attrs.get_or<int64_t>("group", 1);
  const auto affine = affine_of(graph, node, data, {channels, weights.rank(), true});
  if (!affine) return false;
  Channels bias(static_cast<size_t>(channels), 0);
  if (has_bias) bias = graph.value(conv.inputs[2]).constant.to_doubles();
  for (size_t c = 0; c < bias.size(); ++c) bias[c] = affine->scale[c] * bias[c] + affine->shift[c];
  const std::string name = graph.value(conv.inputs[1]).name;
  Patch patch(graph);
  const ValueId w = patch.constant(scaled_filters(conv, weights, affine->scale), name);
  const ValueId b = patch.constant(float_tensor({channels}, bias), name + ".bias");
  patch.replace(node.outputs[0], add_op(patch, conv.op, {conv.inputs[0], w, b}, conv.attrs));
  patch.apply();
  return true;
}

bool is_weighted(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid() || graph.node(producer).op != "matmul") return false;
  const ValueId weights = graph.node(producer).inputs[1];
  return is_f32_constant(graph, weights) && graph.value(weights).type.shape.rank() == 2;
}

// Of add(data, constant): which operand is the data; nothing for anything else.
std::optional<size_t> data_of_sum(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid() || graph.node(producer).op != "add") return std::nullopt;
  const Node& sum = graph.node(producer);
  for (size_t i : {size_t{1}, size_t{0}})
    if (is_f32_constant(graph, sum.inputs[i]) && !graph.value(sum.inputs[1 - i]).is_constant()) return 1 - i;
  return std::nullopt;
}

// `data` is matmul(x, W), or matmul(x, W) + b.
bool fold_into_matmul(Graph& graph, NodeId id, ValueId data) {
  const Node& node = graph.node(id);
  const auto summand = data_of_sum(graph, data);
  const Node* sum = summand ? &graph.node(graph.value(data).producer) : nullptr;
  const ValueId product = sum != nullptr ? sum->inputs[*summand] : data;
  if (!is_weighted(graph, product) || (sum != nullptr && !is_private(graph, product)) || node.op == "add") return false;
  const Node& matmul = graph.node(graph.value(product).producer);
  const Value& weights = graph.value(matmul.inputs[1]);
  const int64_t columns = weights.constant.extents()[1];
  const ChannelAxis where{columns, graph.value(product).type.shape.rank(), false};
  const auto affine = affine_of(graph, node, data, where);
  const auto bias = sum != nullptr ? channel_values(graph, sum->inputs[1 - *summand], where) : std::nullopt;
  if (!affine || columns == 0 || (sum != nullptr && !bias)) return false;
  Patch patch(graph);
  const auto column_of = [columns](size_t i) { return i % static_cast<size_t>(columns); };
  const ValueId w = patch.constant(scaled_weights(weights.constant, affine->scale, column_of), weights.name);
  ValueId result = add_op(patch, "matmul", {matmul.inputs[0], w});
  if (bias) {
    Channels scaled = *bias;
    for (size_t c = 0; c < scaled.size(); ++c) scaled[c] *= affine->scale[c];
    result = add_op(patch, "add", {result, patch.constant(float_tensor({columns}, scaled), weights.name + ".bias")});
  }
  if (graph.value(result).type != graph.value(node.outputs[0]).type) return false;
  patch.replace(node.outputs[0], result);
  patch.apply();
  return true;
}

// Both constants of one shape, or one of them a scalar.
bool join_sums(Graph& graph, NodeId id, ValueId data) {
  const Node& node = graph.node(id);
  const auto outer = data_of_sum(graph, node.outputs[0]), inner = data_of_sum(graph, data);
  if (!outer || !inner || node.inputs[*outer] != data) return false;
  const Node& sum = graph.node(graph.value(data).producer);
  const Value &a = graph.value(sum.inputs[1 - *inner]), &b = graph.value(node.inputs[1 - *outer]);
  const Channels x = a.constant.to_doubles(), y = b.constant.to_doubles();
  if (a.constant.extents() != b.constant.extents() && x.size() != 1 && y.size() != 1) return false;
  const Value& wide = x.size() >= y.size() ? a : b;
  Channels total(std::max(x.size(), y.size()));
  for (size_t i = 0; i < total.size(); ++i) total[i] = x[x.size() == 1 ? 0 : i] + y[y.size() == 1 ? 0 : i];
  Patch patch(graph);
  const ValueId c = patch.constant(float_tensor(wide.constant.extents(), total), wide.name);
  const ValueId joined = add_op(patch, "add", {sum.inputs[*inner], c});
  if (graph.value(joined).type != graph.value(node.outputs[0]).type) return false;
  patch.replace(node.outputs[0], joined);
  patch.apply();
  return true;
}

bool fold_scale_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1) return false;
  for (ValueId data : std::vector<ValueId>(node.inputs)) {
    if (!data.valid() || !graph.value(data).producer.valid() || !is_private(graph, data)) continue;
    if (graph.value(node.outputs[0]).type != graph.value(data).type) continue;
    if (fold_into_conv(graph, id, data) || fold_into_matmul(graph, id, data) || join_sums(graph, id, data)) return true;
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
  const ValueId k = patch.constant(float_tensor(extents, affine->scale)),
                t = patch.constant(float_tensor(extents, affine->shift));
  patch.replace(node.outputs[0], add_op(patch, "add", {add_op(patch, "mul", {x, k}), t}));
  patch.apply();
  return true;
}

}  // namespace

Pass fold_scale() {
  return {"fold_scale", [](Graph& graph) {
            bool changed = until_settled(graph, fold_scale_at);
            while (until_settled(graph, expand_batch_norm)) {
              changed = true;
              until_settled(graph, fold_scale_at);
            }
            return changed;
          }};
}

}  // namespace planish::passes
