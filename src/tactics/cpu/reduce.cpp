// Reductions of fp32 over any axes, any strides.

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
}

}  // namespace

void register_reduce(TacticTable& table) {
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1",
                         "reduce_l2", "reduce_sum_square", "reduce_log_sum", "arg_max", "arg_min"})
    table.add(op, propose_reduce);
}

}  // namespace planish::tactics::cpu
