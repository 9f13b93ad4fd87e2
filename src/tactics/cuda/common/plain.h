#pragma once
// Plain kernels, of operators that are rare: over views of any strides, mostly a thread a result.

#include <optional>

#include "tactics/cuda/common/launch.h"

namespace planish::tactics::cuda {

// A launch of `kernel`, which is a file and a function of that name. Its first arguments are the node's operands, then
// its results, as views; those of `spread`, a bit an operand, spread over result 0. One that is absent is given as the
// first result. Macros: X0, X1, …, Y0, … (element types), HAS, MADE (a bit an operand, a result that is there), RANK
// (of the first result), REAL (double where one of them is f64 or the first operand whole numbers that fp32 does not
// hold, else float). Refuses in the kernel's name what has no element type there.
std::optional<Launch> plain_launch(const TacticQuery& query, CandidateSink& sink, const std::string& kernel,
                                   size_t operands, size_t results = 1, uint32_t spread = 0);

// In so many threads, whose number becomes the last argument.
void offer_plain(const TacticQuery& query, CandidateSink& sink, Launch launch, const Dim& threads, double flops);
// In blocks of 256 threads.
void offer_plain_blocks(const TacticQuery& query, CandidateSink& sink, Launch launch, const Dim& blocks, double flops);

// Values of a constant operand that states something; nothing where it is computed. Absent: `missing`.
std::optional<std::vector<int64_t>> stated(const TacticQuery& query, size_t operand, std::vector<int64_t> missing);

}  // namespace planish::tactics::cuda
