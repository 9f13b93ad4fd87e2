// Products of pixels that a factor for each image and channel multiplies first (passes/fuse_factors.cpp).

#include "tactics/cuda/common/fused_parts.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

std::string read_factored(const TacticQuery& query, TensorProduct& p) {
  const FusedParts parts(query);
  if (parts.count() != 2 || parts.node(0).op != "mul") return "no product behind factors";
  const TacticQuery conv = parts.part(1);
  const auto form = epilogue_form(conv.graph, conv.node);
  if (!form) return "what follows it is not one epilogue";
  int64_t group = 1;
  if (std::string why = read_windows(conv, *form, group, p); !why.empty()) return why;
  if (group != 1 || p.image || !parts.made_inside(1, p.operand)) return "windows of more than one pixel";
  const TensorType& product = parts.part(0).output(0).type;
  const size_t image = parts.part(0).input(0).type == product ? 0 : 1;
  const TensorType &x = parts.part(0).input(image).type, &factors = parts.part(0).input(1 - image).type;
  if (x != product || factors.dtype != x.dtype || factors.shape != Shape({x.shape[0], x.shape[1], 1, 1}))
    return "factors are " + factors.str();
  p.operand = parts.operand(0, image), p.factors = parts.operand(0, 1 - image);
  if (p.residual) p.residual = parts.operand(1, *p.residual);
  p.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  p.inputs[p.operand] = LayoutRule::channels_last, p.inputs[*p.factors] = LayoutRule::row_major;
  if (p.residual) p.inputs[*p.residual] = LayoutRule::channels_last;
  return refuse_product(query, p);
}

void propose_factored_conv(const TacticQuery& query, CandidateSink& sink) {
  if (query.node.op != "fused") return;
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_factored(query, *product); !why.empty())
    return sink.refuse("cuda.factored", std::move(why));
  offer_product(query, sink, std::move(product));
}

}  // namespace

void register_factored_conv(TacticTable& table) { table.add("mul", propose_factored_conv); }

}  // namespace planish::tactics::cuda
