// Products of matrices and constant weights on tensor cores.

#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

void propose_tensor_matmul(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  std::string why = read_matrix(query, *product);
  if (why.empty()) why = refuse_product(query, *product);
  if (!why.empty()) return sink.refuse("cuda.tensor", std::move(why));
  offer_product(query, sink, std::move(product));
}

}  // namespace

void register_tensor_matmul(TacticTable& table) { table.add("matmul", propose_tensor_matmul); }

}  // namespace planish::tactics::cuda
