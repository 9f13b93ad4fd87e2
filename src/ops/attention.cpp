// attention: softmax over n (scale * query x key + masks) x value, with heads among the batch axes of NumPy
// broadcasting: query [.., M, K], key [.., K, N], value [.., N, P], up to two masks that spread over [.., M, N] -> [..,
// M, P], or, with rows_first, its last but two axes exchanged: [.., M, H, P].

#include "kernels/reference/attention.h"

#include <algorithm>
#include <utility>

#include "ops/op.h"

namespace planish::ops {
namespace {

Shape batch_of(const Shape& shape) { return Shape(std::vector<Dim>(shape.begin(), shape.end() - 2)); }

Shape with_matrix(const Shape& batch, Dim rows, Dim columns) {
  std::vector<Dim> dims = batch.dims();
  dims.push_back(rows);
  dims.push_back(columns);
  return Shape(std::move(dims));
}

void require_equal(InferContext& context, size_t i, Dim found, Dim accepted) {
  if (!context.assume_equal(found, accepted))
    fail(Code::invalid_model, "{} is {}, {} rows are accepted", context.operand(i), context.input(i).str(),
         accepted.str());
}

void attention_infer(InferContext& context) {
  const auto attrs = context.attrs<AttentionAttrs>();
  context.require_flag("rows_first", attrs.rows_first);
  for (size_t i = 0; i < 3; ++i) context.require_rank(i, 2);
  context.require_dtype(0, kFloats);
  for (size_t i = 1; i < context.input_count(); ++i)
    if (i < 3 || context.has_input(i)) context.require_same_dtype(0, i);
  const Shape &q = context.shape(0), &k = context.shape(1), &v = context.shape(2);
  const Dim rows = q[q.rank() - 2], keys = k[k.rank() - 1], values = v[v.rank() - 1];
  require_equal(context, 1, k[k.rank() - 2], q[q.rank() - 1]);
  require_equal(context, 2, v[v.rank() - 2], keys);
  const Shape batch = context.broadcast(context.broadcast(batch_of(q), batch_of(k)), batch_of(v));
  for (size_t i = 3; i < context.input_count(); ++i)
    if (context.has_input(i)) context.require_broadcasts_to(i, with_matrix(batch, rows, keys));
  std::vector<Dim> dims = with_matrix(batch, rows, values).dims();
  if (attrs.rows_first != 0) {
    if (batch.rank() < 1) fail(Code::invalid_model, "rows_first, but {} has no heads", context.operand(0));
    std::swap(dims[dims.size() - 3], dims[dims.size() - 2]);
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// Both products, for each row of the result.
Dim attention_flops(const Graph& graph, const Node& node) {
  const Shape &q = graph.value(node.inputs[0]).type.shape, &k = graph.value(node.inputs[1]).type.shape;
  const std::vector<Dim> y = graph.value(node.outputs[0]).type.shape.dims();
  Dim flops = k[k.rank() - 1] * (q[q.rank() - 1] + y.back()) * Dim(2);
  for (size_t i = 0; i + 1 < y.size(); ++i) flops = flops * y[i];
  return flops;
}

}  // namespace

void register_attention(OpTable& table) {
  OpDef def;
  def.name = "attention";
  def.min_inputs = 3;
  def.max_inputs = 3 + static_cast<int>(kAttentionMasks);
  def.operand_names = {"query", "key", "value", "mask", "mask"};
  def.check_attrs = check_attrs_as<AttentionAttrs>;
  def.infer = attention_infer;
  def.flops = attention_flops;
  table.add(std::move(def));
}

}  // namespace planish::ops
