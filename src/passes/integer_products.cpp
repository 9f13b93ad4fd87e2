// Products of integers, as MatMulInteger and ConvInteger state them, in terms of other operators. Of numbers x that
// dynamic_quantize_linear made, with its scale s and zero point z, and constant weights, what the sums mean:
//   float(matmul_integer(x, w, z, zw)) * (s * sw)  -> matmul(dq(x, s, z), dq(w, sw, zw))      likewise conv_integer
// (the factors in any order, sw: one, or one a column). Any other:
//   matmul_integer(x, w, zx, zw) -> the product of x - zx and w - zw in f32, in parts whose sums it holds exactly,
//   or in integers (matmul) or f64 (conv) where there would be many parts

#include <algorithm>
#include <cmath>

#include "ir/patch.h"
#include "ops/builder.h"
#include "passes/common/rewrite.h"
#include "passes/common/values.h"
#include "passes/passes.h"

namespace planish::passes {
namespace {

// f32 holds the sum of so many products of centred 8-bit numbers.
constexpr int64_t kExactTerms = (int64_t{1} << 24) / (255 * 255);
constexpr int64_t kMostParts = 64;

const Node* maker(const Graph& graph, ValueId id) {
  const NodeId producer = id.valid() ? graph.value(id).producer : NodeId{};
  return producer.valid() ? &graph.node(producer) : nullptr;
}

bool is_integer_product(const Node& node) { return node.op == "matmul_integer" || node.op == "conv_integer"; }

ValueId operand(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : ValueId{}; }

// The factor of the sums: the dynamic scale, or its product with a constant; the constant, or a 1.
struct Factor {
  ValueId scale;
  Tensor constant = Tensor::scalar<float>(1);
};

std::optional<Factor> factor_of(const Graph& graph, ValueId id, ValueId scale) {
  if (id == scale) return Factor{scale};
  const Node* product = maker(graph, id);
  if (product == nullptr || product->op != "mul") return std::nullopt;
  for (size_t i : {0, 1})
    if (product->inputs[i] == scale && graph.value(product->inputs[1 - i]).is_constant())
      return Factor{scale, graph.value(product->inputs[1 - i]).constant};
  return std::nullopt;
}

// The product of integers whose sums are the operand, through a cast to f32.
const Node* sums_of(const Graph& graph, ValueId id) {
  const Node* cast = maker(graph, id);
  if (cast == nullptr || cast->op != "cast" || graph.value(id).type.dtype != DataType::f32) return nullptr;
  const Node* product = maker(graph, cast->inputs[0]);
  return product != nullptr && is_integer_product(*product) ? product : nullptr;
}

// Scales of the columns as a row, or one; nothing where they are neither.
std::optional<Tensor> column_scales(const Graph& graph, const Node& product, const Tensor& found) {
  if (found.dtype() != DataType::f32) return std::nullopt;
  if (found.element_count() == 1) return found.reshaped({});
  const bool conv = product.op == "conv_integer";
  const Shape& result = graph.value(product.outputs[0]).type.shape;
  const int axis = conv ? 1 : result.rank() - 1, behind = conv ? result.rank() - 2 : 0;
  if (found.rank() <= behind || found.rank() > result.rank()) return std::nullopt;
  const int at = found.rank() - 1 - behind;
  const int64_t columns = found.extents()[static_cast<size_t>(at)];
  if (columns != found.element_count() || Dim(columns) != result[axis]) return std::nullopt;
  return found.reshaped({columns});
}

bool are_normal(const Tensor& scales) {
  const auto values = scales.as<float>();
  return std::all_of(values.begin(), values.end(), [](float s) { return std::isnormal(s); });
}

bool read_dynamic(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "mul") return false;
  for (size_t i : {0, 1}) {
    const Node* product = sums_of(graph, node.inputs[i]);
    const Node* dynamic = product == nullptr ? nullptr : maker(graph, product->inputs[0]);
    if (dynamic == nullptr || dynamic->op != "dynamic_quantize_linear" || product->inputs[0] != dynamic->outputs[0] ||
        operand(*product, 2) != dynamic->outputs[2] || !graph.value(product->inputs[1]).is_constant())
      continue;
    const ValueId zeros = operand(*product, 3);
    if (zeros.valid() && (!graph.value(zeros).is_constant() || graph.value(zeros).type.shape.rank() > 1)) continue;
    const auto factor = factor_of(graph, node.inputs[1 - i], dynamic->outputs[1]);
    if (!factor) continue;
    const auto scales = column_scales(graph, *product, factor->constant);
    const bool one_zero = !zeros.valid() || graph.value(zeros).constant.element_count() == 1;
    if (!scales || !are_normal(*scales)) continue;
    const bool conv = product->op == "conv_integer";
    const Attrs attrs = product->attrs;
    const std::vector<ValueId> numbers = dynamic->outputs;
    const ValueId weights_id = product->inputs[1], result = node.outputs[0];
    const Tensor weights = graph.value(weights_id).constant;
    const auto columns_axis = static_cast<size_t>(conv ? 0 : weights.rank() - 1);
    const int64_t columns = weights.extents()[columns_axis];
    Tensor row = *scales, zero_row = zeros.valid() ? graph.value(zeros).constant : Tensor();
    if (row.rank() == 0 && !one_zero)
      row = Tensor::of<float>({columns}, std::vector<float>(static_cast<size_t>(columns), row.as<float>()[0]));
    if (zero_row.present()) zero_row = zero_row.reshaped(one_zero ? std::vector<int64_t>{} : std::vector{columns});
    if (row.rank() == 1 && zero_row.present() && one_zero)
      zero_row = Tensor::make(zero_row.dtype(), {columns},
                              [&, z = *zero_row.data()](std::byte* out) { std::fill_n(out, columns, z); });
    Patch patch(graph);
    const ValueId x = add_op(patch, "dequantize_linear", numbers);
    std::vector<ValueId> of_weights = {weights_id, patch.constant(row)};
    if (zero_row.present()) of_weights.push_back(patch.constant(zero_row));
    const ValueId w = add_op(patch, "dequantize_linear", of_weights, {{"axis", static_cast<int64_t>(columns_axis)}});
    const ValueId y = add_op(patch, conv ? "conv" : "matmul", {x, w}, attrs);
    if (graph.value(y).type.shape != graph.value(result).type.shape) return false;
    patch.replace(result, y);
    patch.apply();
    return true;
  }
  return false;
}

// Numbers less their zero point, which may be one a row (`axis`) of them.
ValueId centred(Patch& patch, ValueId x, ValueId zero, int64_t axis, DataType type) {
  const auto as = [&](ValueId value) { return add_op(patch, "cast", {value}, {{"to", type}}); };
  const ValueId numbers = as(x);
  if (!zero.valid()) return numbers;
  ValueId point = as(zero);
  const Shape shape = patch.graph().value(point).type.shape;
  if (shape.rank() == 1 && shape[0] != Dim(1)) {
    std::vector<int64_t> axes;
    for (int64_t k = axis + 1; k < patch.graph().value(x).type.shape.rank(); ++k) axes.push_back(k - axis);
    if (!axes.empty()) point = add_op(patch, "unsqueeze", {point, patch.constant(Tensor::ints(axes))});
  }
  return add_op(patch, "sub", {numbers, point});
}

// Places along an axis of each operand over which a product sums.
struct Depth {
  int64_t axes[2];
  int64_t extent, at_once;
  bool few_parts() const { return at_once > 0 && extent / at_once < kMostParts; }
};

ValueId part(Patch& patch, ValueId value, int64_t axis, const Depth& depth, int64_t begin) {
  if (depth.extent <= depth.at_once) return value;
  const auto list = [&](int64_t i) { return patch.constant(Tensor::ints(std::vector<int64_t>{i})); };
  return add_op(patch, "slice", {value, list(begin), list(std::min(begin + depth.at_once, depth.extent)), list(axis)});
}

// The sum, in i32, of products in f32 of parts of the depth.
ValueId exact_sum(Patch& patch, OpName op, ValueId a, ValueId b, const Attrs& attrs, const Depth& depth) {
  ValueId sum;
  for (int64_t begin = 0; begin == 0 || begin < depth.extent; begin += depth.at_once) {
    const ValueId product = add_op(
        patch, op, {part(patch, a, depth.axes[0], depth, begin), part(patch, b, depth.axes[1], depth, begin)}, attrs);
    const ValueId whole = add_op(patch, "cast", {product}, {{"to", DataType::i32}});
    sum = sum.valid() ? add_op(patch, "add", {sum, whole}) : whole;
  }
  return sum;
}

Depth matmul_depth(const Shape& a, const Shape& b) {
  const Dim inner = a[a.rank() - 1];
  return {{a.rank() - 1, std::max(b.rank() - 2, 0)}, inner.is_constant() ? inner.value() : INT64_MAX, kExactTerms};
}

Depth conv_depth(const Shape& w, int64_t group) {
  const bool fixed = w.is_static() && w.rank() > 2 && w.element_count() != Dim(0);
  if (!fixed) return {{1, 1}, INT64_MAX, 0};
  const int64_t channels = w[1].value(),
                at_once = kExactTerms / Shape({w.begin() + 2, w.end()}).element_count().value();
  return {{1, 1}, channels, at_once < channels && group != 1 ? 0 : at_once};
}

bool take_apart(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!is_integer_product(node)) return false;
  const Attrs attrs = node.attrs;
  const ValueId result = node.outputs[0];
  const std::vector<ValueId> operands = {node.inputs[0], node.inputs[1], operand(node, 2), operand(node, 3)};
  const Shape a = graph.value(node.inputs[0]).type.shape, b = graph.value(node.inputs[1]).type.shape;
  const bool conv = node.op == "conv_integer";
  const Depth depth = conv ? conv_depth(b, node.attrs.get_or<int64_t>("group", 1)) : matmul_depth(a, b);
  const DataType type = depth.few_parts() ? DataType::f32 : conv ? DataType::f64 : DataType::i32;
  Patch patch(graph);
  const ValueId x = centred(patch, operands[0], operands[2], conv ? 1 : std::max(a.rank() - 2, 0), type),
                w = centred(patch, operands[1], operands[3], conv ? 0 : b.rank() - 1, type);
  const OpName op = conv ? "conv" : "matmul";
  ValueId sum;
  if (depth.few_parts())
    sum = exact_sum(patch, op, x, w, attrs, depth);
  else
    sum = add_op(patch, op, {x, w}, attrs);
  if (type == DataType::f64) sum = add_op(patch, "cast", {sum}, {{"to", DataType::i32}});
  patch.replace(result, sum);
  patch.apply();
  return true;
}

}  // namespace

Pass integer_products() {
  return {"integer_products", [](Graph& graph) {
            bool changed = sweep(graph, read_dynamic);
            graph.remove_dead();
            changed |= sweep(graph, take_apart);
            graph.remove_dead();
            return changed;
          }};
}

}  // namespace planish::passes
