#pragma once
// Convolutions over views of any image, without tensor maps.

#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {

// A launch of x, weights, bias, y, the residual (y's view again where there is none) and scales, whatever else its
// arguments are; weights are packed where a step is made.
Candidate direct_candidate(const TacticQuery& query, const TensorProduct& p, std::string name, Launch launch,
                           int64_t threads, int64_t shared, std::function<Tensor()> pack);

// Images of few channels by kernels/cuda/conv_first.cuh; weights are f16. Empty, or why it does not take them.
std::string refuse_first(const TensorProduct& p);
// `zero` is taken off what is read.
void offer_first(const TacticQuery& query, CandidateSink& sink, std::shared_ptr<const TensorProduct> p,
                 int64_t zero = 0);

}  // namespace planish::tactics::cuda
