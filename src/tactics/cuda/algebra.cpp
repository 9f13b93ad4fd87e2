// Products and sums of forms or elements that are rare: gemm of computed operands, reductions of whole numbers and
// doubles, Fourier transforms, carried states; extents as values.

#include <algorithm>
#include <cmath>

#include "kernels/reference/linear_attention.h"
#include "kernels/reference/normalization.h"
#include "kernels/reference/reduce.h"
#include "kernels/reference/signal.h"
#include "tactics/cuda/common/plain.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

void propose_gemm(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "plain_gemm", 3, 1, 4);
  if (!launch) return;
  const Attrs& attrs = query.node.attrs;
  const int64_t trans_a = attrs.get_or<int64_t>("transA", 0);
  launch->options.push_back(define("TRANS_A", trans_a));
  launch->options.push_back(define("TRANS_B", attrs.get_or<int64_t>("transB", 0)));
  launch->real(attrs.get_or<double>("alpha", 1));
  launch->real(attrs.get_or<double>("beta", 1));
  const Shape &a = query.input(0).type.shape, &y = query.output(0).type.shape;
  const double depth = typical_elements(query, Shape({a[trans_a != 0 ? 0 : 1]}));
  offer_plain(query, sink, std::move(*launch), y.element_count(), 2 * depth * typical_elements(query, y));
}

// Elements that products on ordinary cores do not take.
void propose_plain_matmul(const TacticQuery& query, CandidateSink& sink) {
  const TensorType &a = query.input(0).type, &b = query.input(1).type, &y = query.output(0).type;
  const auto is_common = [](const TensorType& type) { return is_float(type.dtype) && type.dtype != DataType::f64; };
  if (query.node.op == "fused" || (is_common(a) && is_common(b) && is_common(y))) return;
  auto launch = plain_launch(query, sink, "plain_matmul", 2);
  if (!launch) return;
  launch->options.push_back(define("RANK_A", a.shape.rank()));
  launch->options.push_back(define("RANK_B", b.shape.rank()));
  launch->options.push_back(define("SUM", is_float(y.dtype) ? "double" : "int64_t"));
  const double depth = typical_elements(query, Shape({a.shape[a.shape.rank() - 1]}));
  offer_plain(query, sink, std::move(*launch), y.shape.element_count(), 2 * depth * typical_elements(query, y.shape));
}

constexpr const char* kPlainReductions[] = {"reduce_sum",     "reduce_mean",       "reduce_max", "reduce_min",
                                            "reduce_prod",    "reduce_l1",         "reduce_l2",  "reduce_sum_square",
                                            "reduce_log_sum", "reduce_log_sum_exp"};

// Elements that reduce.cuh does not take, and the logarithm of sums of exponentials.
void propose_plain_reduce(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  const Shape& x = query.input(0).type.shape;
  const DataType type = query.input(0).type.dtype;
  if (query.node.op != "fused" && is_float(type) && type != DataType::f64 && op != "reduce_log_sum_exp") return;
  auto launch = plain_launch(query, sink, "plain_reduce", 2);
  if (!launch) return;
  const auto axes = stated(query, 1, {});
  if (!axes) return sink.refuse("cuda.plain_reduce", "its axes are computed");
  const auto attrs = attrs_to<ReduceAttrs>(query.node.attrs);
  int mask = 0;
  for (int64_t axis : *axes) mask |= 1 << normalize_axis(axis, x.rank());
  if (mask == 0 && attrs.noop_with_empty_axes == 0) mask = (1 << x.rank()) - 1;
  int how = 0;
  while (op != kPlainReductions[how]) ++how;
  for (const auto& [name, value] : {std::pair("RANK_X", x.rank()), std::pair("AXES", mask),
                                    std::pair("KEEP", attrs.keepdims != 0 ? 1 : 0), std::pair("HOW", how)})
    launch->options.push_back(define(name, value));
  offer_plain(query, sink, std::move(*launch), query.output(0).type.shape.element_count(),
              4 * typical_elements(query, x));
}

void propose_fourier(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "fourier", 3);
  if (!launch) return;
  const auto attrs = attrs_to<DftAttrs>(query.node.attrs);
  const Shape &x = query.input(0).type.shape, &y = query.output(0).type.shape;
  const auto length = stated(query, 1, {}), axis = stated(query, 2, {-2});
  if (!length || !axis) return sink.refuse("cuda.fourier", "its length or axis is computed");
  const int along = normalize_axis(axis->at(0), x.rank());
  const bool half = attrs.onesided != 0 && attrs.inverse != 0;
  const Dim n = !length->empty() ? Dim(length->at(0)) : half ? Dim(2) * (x[along] - Dim(1)) : x[along];
  launch->options.push_back(define("AXIS", along));
  launch->options.push_back(define("INVERSE", attrs.inverse != 0 ? 1 : 0));
  launch->options.push_back(define("HALF", half ? 1 : 0));
  launch->integer(n);
  const Dim results = floor_div(y.element_count(), y[y.rank() - 1]);
  offer_plain(query, sink, std::move(*launch), results, 60 * typical_elements(query, Shape({results, n})));
}

void propose_linear_attention(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "linear_attention", 6, 2);
  if (!launch) return;
  const auto attrs = attrs_to<LinearAttentionAttrs>(query.node.attrs);
  const bool stateful = query.node.outputs.size() > 1 && query.node.outputs[1].valid();
  if (!stateful || element_bytes(query.output(1).type.dtype) < 4)
    return sink.refuse("cuda.linear_attention", "its state is no result of 32 bits");
  const Shape &k = query.input(1).type.shape, &v = query.input(2).type.shape;
  if (!k[2].is_constant() || !v[2].is_constant())
    return sink.refuse("cuda.linear_attention", "a state of dynamic extents");
  const int64_t keys = k[2].value() / attrs.kv_num_heads, values = v[2].value() / attrs.kv_num_heads;
  launch->options.push_back(define("GATED", attrs.gated() ? 1 : 0));
  launch->options.push_back(define("DELTA", attrs.delta() ? 1 : 0));
  launch->integer(attrs.kv_num_heads);
  launch->integer(attrs.q_num_heads / attrs.kv_num_heads);
  launch->real(attrs.scale != 0 ? attrs.scale : 1 / std::sqrt(static_cast<double>(keys)));
  const Dim columns = k[0] * Dim(attrs.kv_num_heads * values);
  offer_plain(query, sink, std::move(*launch), columns,
              8 * typical_elements(query, Shape({columns, k[1]})) * static_cast<double>(keys));
}

void propose_batch_norm(const TacticQuery& query, CandidateSink& sink) {
  const auto attrs = attrs_to<BatchNormAttrs>(query.node.attrs);
  if (attrs.training_mode != 0) return sink.refuse("cuda.batch_norm", "statistics are those of the batch");
  auto launch = plain_launch(query, sink, "batch_norm", 5);
  if (!launch) return;
  launch->real(attrs.epsilon);
  offer_plain(query, sink, std::move(*launch), query.output(0).type.shape.element_count(), 0);
}

void propose_range(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "range", 3);
  if (!launch) return;
  launch->options.push_back(define("NUMBER", is_float(query.output(0).type.dtype) ? "double" : "int64_t"));
  offer_plain(query, sink, std::move(*launch), query.output(0).type.shape[0], 0);
}

// Matrices that shared memory holds.
void propose_det(const TacticQuery& query, CandidateSink& sink) {
  constexpr int64_t most_order = 72;
  auto launch = plain_launch(query, sink, "det", 1);
  if (!launch) return;
  const Shape& x = query.input(0).type.shape;
  const Dim order = x[x.rank() - 1];
  if (!order.is_constant() || order.value() > most_order)
    return sink.refuse("cuda.det", fmt::format("matrices of {} rows, {} are accepted", order.str(), most_order));
  launch->integer(order);
  launch->shared = order.value() * order.value() * static_cast<int64_t>(sizeof(double));
  const double n = static_cast<double>(order.value());
  offer_plain_blocks(query, sink, std::move(*launch), query.output(0).type.shape.element_count(),
                     typical_elements(query, x) * n);
}

// Extents are arguments of the launch.
void propose_extents(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "extents", 1);
  if (!launch) return;
  const int64_t rank = query.input(0).type.shape.rank(), start = query.node.attrs.get_or<int64_t>("start", 0);
  const bool size = query.node.op == "size";
  launch->options.push_back(
      define("START", size ? -1 : std::clamp(start < 0 ? start + rank : start, int64_t{0}, rank)));
  launch->integer(rank);
  offer_plain(query, sink, std::move(*launch), size ? Dim(1) : query.output(0).type.shape[0], 0);
}

}  // namespace

void register_algebra(TacticTable& table) {
  table.add("gemm", propose_gemm);
  table.add("matmul", propose_plain_matmul);
  for (const char* op : kPlainReductions) table.add(op, propose_plain_reduce);
  table.add("dft", propose_fourier);
  table.add("linear_attention", propose_linear_attention);
  table.add("batch_normalization", propose_batch_norm);
  table.add("range", propose_range);
  table.add("det", propose_det);
  table.add("shape", propose_extents);
  table.add("size", propose_extents);
}

}  // namespace planish::tactics::cuda
