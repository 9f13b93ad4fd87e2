// Reductions of fp32 over any axes, any strides; positions of extremes among bytes too.

#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

void propose_reduce(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  if (std::string why = refuse_dtype(query, 0, {DataType::f32}); !why.empty()) return sink.refuse(op, std::move(why));
  DirectKernel direct{.kernel = op};
  direct.flops = typical_elements(query, query.input(0).type.shape);
  offer_direct(query, sink, direct);
  if (op == "reduce_mean" || op == "reduce_sum" || op == "reduce_max") sink.candidates.back().half_inputs = 1;
}

// Whole columns are compared at once where the axis is not the one along which elements are adjacent.
void propose_arg(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  if (std::string why = refuse_dtype(query, 0, {DataType::f32, DataType::u8, DataType::i8}); !why.empty())
    return sink.refuse(op, std::move(why));
  const int rank = query.input(0).type.shape.rank();
  const bool columns = normalize_axis(query.node.attrs.get_or<int64_t>("axis", 0), rank) + 1 < rank;
  DirectKernel direct{.kernel = op};
  direct.flops = typical_elements(query, query.input(0).type.shape) * (columns ? 8 : 1);
  offer_direct(query, sink, direct);
  if (!columns) return;
  direct.inputs = LayoutRule::row_major;
  direct.flops /= 8;
  offer_direct(query, sink, direct);
  sink.candidates.back().name += ".columns";
}

}  // namespace

void register_reduce(TacticTable& table) {
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1",
                         "reduce_l2", "reduce_sum_square", "reduce_log_sum"})
    table.add(op, propose_reduce);
  for (const char* op : {"arg_max", "arg_min"}) table.add(op, propose_arg);
}

}  // namespace planish::tactics::cpu
