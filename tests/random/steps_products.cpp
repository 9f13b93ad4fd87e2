// Matrix products; and what exporters put around them.

#include <numeric>

#include "random/draft.h"

namespace planish::testing {
namespace {

void product(Draft& d, ValueId x) {
  const Ints dims = d.dims(x);
  if (dims.size() < 2 || dims.back() < 1) return;
  static const int64_t widths[] = {4, 8, 1, 20};
  const int64_t columns = d.any_of(widths);
  const float scale = 1.f / static_cast<float>(dims.back());
  if (dims.size() == 2 && d.one_in(2)) {
    d.keep(d.op("gemm", {x, d.floats({columns, dims[1]}, scale), d.floats({columns})},
                {{"transB", int64_t{1}}, {"alpha", 0.5}}));
    return;
  }
  ValueId y =
      d.op("matmul", {d.one_in(3) ? d.op("mul", {x, d.scalar(0.7f)}) : x, d.floats({dims.back(), columns}, scale)});
  if (d.one_in(2)) y = d.op("add", {y, d.floats({columns})});
  d.keep(y);
}

// q k^T and what exporters put around it.
void attention(Draft& d, ValueId x) {
  if (d.rank(x) < 2) return;
  Ints perm(static_cast<size_t>(d.rank(x)));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  const ValueId q = d.one_in(2) ? d.op("mul", {x, d.scalar(0.3f)}) : x;
  ValueId k = d.op("transpose", {d.one_in(2) ? d.op("mul", {x, d.scalar(0.2f)}) : d.op("tanh", {x})}, {{"perm", perm}});
  if (d.one_in(2)) k = d.op("mul", {k, d.scalar(0.9f)});
  ValueId scores = d.op("matmul", {q, k});
  const int64_t width = d.dims(scores).back();
  if (d.one_in(2)) scores = d.op("add", {scores, d.floats({width < 0 ? 1 : width})});
  scores = d.one_in(2) ? d.op("softmax", {scores}) : d.op("tanh", {scores});
  d.keep(d.one_in(2) ? scores : d.op("matmul", {scores, x}));
}

}  // namespace

std::span<const Step> product_steps() {
  static const Step steps[] = {product, product, attention};
  return steps;
}

}  // namespace planish::testing
