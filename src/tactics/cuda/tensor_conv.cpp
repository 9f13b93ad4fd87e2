// Convolutions of images channels last on tensor cores.

#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

std::string read_conv(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  int64_t group = 1;
  if (std::string why = read_windows(query, *form, group, p); !why.empty()) return why;
  return group != 1 ? "groups" : refuse_product(query, p);
}

void propose_tensor_conv(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_conv(query, *product); !why.empty()) return sink.refuse("cuda.tensor", std::move(why));
  offer_product(query, sink, std::move(product));
}

}  // namespace

void register_tensor_conv(TacticTable& table) { table.add("conv", propose_tensor_conv); }

}  // namespace planish::tactics::cuda
