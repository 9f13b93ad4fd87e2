// Products of fp32 operands in the reduced precisions that are permitted: the operands stay fp32 in memory, the kernel
// rounds them as it reads. "tf32" (two bf16 parts each) is closer than TensorRT's TF32, "bf16" keeps 8 bits.

#include "tactics/cpu/common/mma_problem.h"

namespace planish::tactics::cpu {
namespace {

void propose_mma_conv(const TacticQuery& query, CandidateSink& sink) {
  const auto kinds = permitted_float_mmas(query);
  if (kinds.empty()) return;
  ConvProblem conv;
  if (std::string why = describe_conv(query, conv); !why.empty()) return sink.refuse("igemm.mma", std::move(why));
  if (conv.attrs.group > 1 && conv.channels < 8) return sink.refuse("igemm.mma", "groups of few channels");
  MmaProblem p = mma_conv_problem(query, conv);
  p.pack = pack_filters<float>(query, conv, conv.weights);
  offer_mma(query, sink, p, kinds);
}

void propose_mma_gemm(const TacticQuery& query, CandidateSink& sink) {
  const auto kinds = permitted_float_mmas(query);
  if (kinds.empty()) return;
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return sink.refuse("gemm.mma", "the fused body is not an anchor with a pointwise epilogue");
  const Value &a = query.graph.value(form->anchor_inputs[0]), &b = query.graph.value(form->anchor_inputs[1]);
  if (a.type.dtype != DataType::f32 || !b.is_constant() || b.type.shape.rank() != 2 || a.type.shape.rank() < 2)
    return sink.refuse("gemm.mma", "f32 rows and a constant f32 matrix are accepted");
  const int64_t values = b.constant.extents()[0], columns = b.constant.extents()[1];
  MmaProblem p = mma_gemm_problem(
      query, *form, epilogue_params(query, *form, {}, columns, query.output(0).type.shape.rank() - 1), values, columns);
  p.pack = pack_matrix<float>(query, b.constant);
  offer_mma(query, sink, p, kinds);
}

}  // namespace

void register_mma(TacticTable& table) {
  table.add("conv", propose_mma_conv);
  table.add("matmul", propose_mma_gemm);
}

}  // namespace planish::tactics::cpu
