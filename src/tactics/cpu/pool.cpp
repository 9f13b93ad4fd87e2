// Poolings channels last; those over all positions are reductions.

#include "kernels/reference/conv.h"
#include "kernels/reference/reduce.h"
#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

double window_flops(const TacticQuery& query, const PoolAttrs& attrs) {
  double flops = typical_elements(query, query.output(0).type.shape);
  for (int64_t extent : attrs.kernel_shape) flops *= static_cast<double>(extent);
  return flops;
}

void propose_pool(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  const Shape& shape = query.input(0).type.shape;
  const DataType type = query.input(0).type.dtype;
  const bool bytes = op == "max_pool" && (type == DataType::u8 || type == DataType::i8);
  if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !bytes && !why.empty())
    return sink.refuse(op, std::move(why));
  if (shape.rank() < 3 || shape.rank() > 5) return sink.refuse(op, "one to three spatial axes are accepted");
  if (query.node.outputs.size() > 1) return sink.refuse(op, "the indices are asked for");
  Candidate candidate;
  candidate.name = op;
  candidate.inputs = {LayoutRule::channels_last};
  candidate.outputs = {LayoutRule::channels_last};
  candidate.strided_inputs = candidate.strided_output = true;
  candidate.half_inputs = 1;
  candidate.half_output = candidate.half_alike = true;
  candidate.estimated_us = estimate_us(query, window_flops(query, attrs_to<PoolAttrs>(query.node.attrs)),
                                       (bytes ? 2 : 8) * typical_elements(query, shape), 0.1);
  const Attrs attrs = query.node.attrs;
  candidate.emit = [=](StepBuilder& builder) {
    builder.step(StepKind::cpu, op, attrs, {builder.input(0)}, {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_global(const TacticQuery& query, CandidateSink& sink) {
  const std::string kernel = query.node.op == "global_average_pool" ? "reduce_mean" : "reduce_max";
  const Shape& shape = query.input(0).type.shape;
  if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !why.empty())
    return sink.refuse(kernel, std::move(why));
  std::vector<int64_t> axes;
  for (int64_t axis = 2; axis < shape.rank(); ++axis) axes.push_back(axis);
  const Tensor spatial = Tensor::ints(axes);
  Candidate candidate;
  candidate.name = kernel;
  candidate.inputs = {LayoutRule::any};
  candidate.outputs = {LayoutRule::row_major};
  candidate.half_inputs = 1;
  candidate.estimated_us = estimate_us(query, typical_elements(query, shape), 4 * typical_elements(query, shape), 0.1);
  candidate.emit = [=](StepBuilder& builder) {
    builder.step(StepKind::cpu, kernel, attrs_of(ReduceAttrs{}), {builder.input(0), builder.constant(spatial)},
                 {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_pool(TacticTable& table) {
  table.add("max_pool", propose_pool);
  table.add("average_pool", propose_pool);
  table.add("global_average_pool", propose_global);
  table.add("global_max_pool", propose_global);
}

}  // namespace planish::tactics::cpu
