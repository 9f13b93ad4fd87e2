// One form each:
//   clip(x, low, high)            -> min(max(x, low), high)          (constant bounds of one element)
//   gemm(A, B, C), A plain        -> matmul(A, alpha * op(B)) + beta * C      (constant B, and C or none)
//   reduce_mean over all spatial axes, keepdims -> global_average_pool   (floats)
//   a - c -> a + (-c), a / c -> a * (1/c)                            (constant float c)

#include <algorithm>
#include <cmath>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

Tensor map_tensor(const Tensor& tensor, double (*change)(double)) {
  return Tensor::make(tensor.dtype(), tensor.extents(), [&](std::byte* out) {
    const TensorView from = tensor.view(), to = make_view(out, tensor.dtype(), tensor.extents());
    for (int64_t i = 0, n = tensor.element_count(); i < n; ++i) store_double(to, i, change(load_double(from, i)));
  });
}

Tensor scaled_tensor(const Tensor& tensor, double factor, bool transpose) {
  const auto& e = tensor.extents();
  const std::vector<int64_t> extents = transpose ? std::vector<int64_t>{e[1], e[0]} : e;
  return Tensor::make(tensor.dtype(), extents, [&](std::byte* out) {
    TensorView from = tensor.view();
    if (transpose) {
      std::swap(from.dims[0], from.dims[1]);
      std::swap(from.strides[0], from.strides[1]);
    }
    const TensorView to = make_view(out, tensor.dtype(), extents);
    copy_view(from, to);
    if (factor != 1)
      for (int64_t i = 0, n = to.element_count(); i < n; ++i) store_double(to, i, load_double(to, i) * factor);
  });
}

bool is_constant_scalar(const Graph& graph, const Node& node, size_t i) {
  return i >= node.inputs.size() || !node.inputs[i].valid() ||
         (graph.value(node.inputs[i]).is_constant() && graph.value(node.inputs[i]).constant.element_count() == 1);
}

void replace_by(Patch& patch, NodeId old, ValueId value) {
  patch.replace(patch.graph().node(old).outputs[0], value);
  patch.apply();
}

// A bound as a scalar: one of shape [1] would lend its axis to a scalar operand.
ValueId bound_of(Patch& patch, const Node& node, size_t i) {
  if (i >= node.inputs.size() || !node.inputs[i].valid()) return {};
  const Value& value = patch.graph().value(node.inputs[i]);
  return value.type.shape.rank() == 0 ? node.inputs[i] : patch.constant(value.constant.reshaped({}), value.name);
}

bool rewrite_clip(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_constant_scalar(graph, node, 1) || !is_constant_scalar(graph, node, 2)) return false;
  Patch patch(graph);
  const ValueId x = node.inputs[0];
  const ValueId low = bound_of(patch, node, 1), high = bound_of(patch, node, 2);
  ValueId value = x;
  if (low.valid()) value = add_op(patch, "max", {value, low});
  if (high.valid()) value = add_op(patch, "min", {value, high});
  if (value == x) value = add_op(patch, "identity", {value});
  replace_by(patch, id, value);
  return true;
}

bool is_dequantized_constant(const Graph& graph, ValueId id) {
  const NodeId producer = graph.value(id).producer;
  if (!producer.valid() || graph.node(producer).op != "dequantize_linear") return false;
  const Node& node = graph.node(producer);
  return graph.value(node.inputs[0]).is_constant();
}

// The numbers of a matrix are transposed, and with them the axis of their scales, or the matrix of these.
ValueId add_transposed_weights(Patch& patch, ValueId weights) {
  const Node& node = patch.graph().node(patch.graph().value(weights).producer);
  std::vector<ValueId> operands = node.inputs;
  Attrs attrs = node.attrs;
  attrs.set("axis", static_cast<int64_t>(1 - normalize_axis(attrs.get_or<int64_t>("axis", 1), 2)));
  for (ValueId& operand : operands)
    if (operand.valid() && patch.graph().value(operand).type.shape.rank() == 2)
      operand = add_op(patch, "transpose", {operand}, {{"perm", std::vector<int64_t>{1, 0}}});
  return add_op(patch, "dequantize_linear", std::move(operands), std::move(attrs));
}

bool rewrite_gemm(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const Value& b = graph.value(node.inputs[1]);
  const double alpha = node.attrs.get_or<double>("alpha", 1), beta = node.attrs.get_or<double>("beta", 1);
  const bool has_c = node.inputs.size() > 2 && node.inputs[2].valid();
  const bool quantized = alpha == 1 && is_dequantized_constant(graph, node.inputs[1]);
  if (node.attrs.get_or<int64_t>("transA", 0) != 0 || !(b.is_constant() || quantized) || !is_float(b.type.dtype))
    return false;
  if (has_c && !graph.value(node.inputs[2]).is_constant() && beta != 1) return false;
  const ValueId a = node.inputs[0], c = has_c ? node.inputs[2] : ValueId{};
  Patch patch(graph);
  const bool transposed = node.attrs.get_or<int64_t>("transB", 0) != 0;
  ValueId weights = node.inputs[1];
  if (!quantized)
    weights = patch.constant(scaled_tensor(b.constant, alpha, transposed), b.name);
  else if (transposed)
    weights = add_transposed_weights(patch, weights);
  ValueId value = add_op(patch, "matmul", {a, weights});
  if (has_c && beta != 0) {
    ValueId bias = c;
    if (beta != 1) bias = patch.constant(scaled_tensor(graph.value(c).constant, beta, false), graph.value(c).name);
    value = add_op(patch, "add", {value, bias});
  }
  replace_by(patch, id, value);
  return true;
}

bool rewrite_mean(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const TensorType& type = graph.value(node.inputs[0]).type;
  const Shape& shape = type.shape;
  if (!is_float(type.dtype) || node.attrs.get_or<int64_t>("keepdims", 1) == 0 || shape.rank() < 4 ||
      node.inputs.size() < 2 || !graph.value(node.inputs[1]).is_constant())
    return false;
  std::vector<int64_t> axes;
  for (int64_t axis : graph.value(node.inputs[1]).constant.to_ints())
    axes.push_back(normalize_axis(axis, shape.rank()));
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (static_cast<int>(axes.size()) != shape.rank() - 2 || axes[0] != 2) return false;
  Patch patch(graph);
  replace_by(patch, id, add_op(patch, "global_average_pool", {node.inputs[0]}));
  return true;
}

bool rewrite_inverse(Graph& graph, NodeId id, const char* op, double (*inverse)(double)) {
  const Node& node = graph.node(id);
  const Value& c = graph.value(node.inputs[1]);
  if (!c.is_constant() || !is_float(c.type.dtype) || c.constant.element_count() > 65536) return false;
  const ValueId a = node.inputs[0];
  Patch patch(graph);
  const ValueId inverted = patch.constant(map_tensor(c.constant, inverse), c.name);
  replace_by(patch, id, add_op(patch, op, {a, inverted}));
  return true;
}

// 1/c is exact only for powers of two; elsewhere a/c stays.
bool is_power_of_two(const Graph& graph, ValueId id) {
  if (!graph.value(id).is_constant() || !is_float(graph.value(id).type.dtype)) return false;
  for (double value : graph.value(id).constant.to_doubles()) {
    int exponent = 0;
    if (value == 0 || std::abs(std::frexp(value, &exponent)) != 0.5) return false;
  }
  return true;
}

bool rewrite(Graph& graph, NodeId id) {
  const std::string& op = graph.node(id).op.str();
  if (op == "clip") return rewrite_clip(graph, id);
  if (op == "gemm") return rewrite_gemm(graph, id);
  if (op == "reduce_mean") return rewrite_mean(graph, id);
  if (op == "sub") return rewrite_inverse(graph, id, "add", [](double x) { return -x; });
  if (op == "div" && is_power_of_two(graph, graph.node(id).inputs[1]))
    return rewrite_inverse(graph, id, "mul", [](double x) { return 1 / x; });
  return false;
}

}  // namespace

Pass canonicalize() {
  return {"canonicalize", [](Graph& graph) { return sweep(graph, rewrite); }};
}

}  // namespace planish::passes
