// Matrix products and attention.

#include <cmath>

#include "support/tensors.h"
#include "sweep/sketch.h"

namespace planish::testing {
namespace {

float scale_of(int64_t depth) { return 1 / std::sqrt(static_cast<float>(depth)); }

Ints with_matrix(Ints batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

int64_t rows_of(Sketch& d) { return d.one_in(3) ? d.between(1, 8) : d.extent(100); }

void constant_weights(Sketch& d) {
  const int64_t depth = d.one_in(5) ? d.between(300, 1200) : d.extent(130);
  const int64_t rows = rows_of(d), columns = std::min<int64_t>(d.extent(200), 1 + 400'000 / (rows * depth));
  Ints batch;
  if (d.one_in(2)) batch.push_back(d.between(1, 3));
  d.finish(d.followed(
      d.op("matmul", {d.operand(with_matrix(batch, rows, depth)), d.weights({depth, columns}, scale_of(depth))})));
}

void gemm(Sketch& d) {
  const int64_t rows = rows_of(d), depth = d.extent(130), columns = d.extent(130);
  const bool left = d.one_in(4), right = d.one_in(2);
  std::vector<ValueId> operands = {d.operand(left ? Ints{depth, rows} : Ints{rows, depth}),
                                   d.weights(right ? Ints{columns, depth} : Ints{depth, columns}, scale_of(depth))};
  if (d.one_in(2)) operands.push_back(d.one_in(3) ? d.operand({rows, 1}) : d.weights({columns}));
  d.finish(d.followed(d.op("gemm", operands,
                           {{"transA", int64_t{left}},
                            {"transB", int64_t{right}},
                            {"alpha", d.one_in(3) ? 0.5 : 1.0},
                            {"beta", d.one_in(3) ? 2.0 : 1.0}})));
}

// Both operands are data; batch axes spread over one another.
void batched(Sketch& d) {
  const int64_t rows = rows_of(d), depth = d.extent(70), columns = d.extent(100);
  const int64_t n = d.between(1, 3), h = d.between(1, 3);
  static const int kForms = 4;
  const Ints left[kForms] = {{n, h}, {n, 1}, {h}, {}}, right[kForms] = {{n, h}, {1, h}, {n, h}, {n, h}};
  const auto form = static_cast<size_t>(d.pick(kForms));
  ValueId b = d.operand(with_matrix(right[form], depth, columns));
  if (d.one_in(3)) {
    const auto axes = static_cast<int64_t>(right[form].size());
    Ints perm;
    for (int64_t i = 0; i < axes; ++i) perm.push_back(i);
    perm.push_back(axes + 1);
    perm.push_back(axes);
    b = d.op("transpose", {d.operand(with_matrix(right[form], columns, depth))}, {{"perm", perm}});
  }
  d.sample.tolerance = 4e-6;
  d.finish(d.followed(d.op("matmul", {d.operand(with_matrix(left[form], rows, depth)), b})));
}

// A vector, or one beside a matrix.
void vectors(Sketch& d) {
  const int64_t depth = d.extent(200), columns = d.extent(90);
  switch (d.pick(3)) {
    case 0:
      return d.finish(d.op("matmul", {d.operand({depth}), d.weights({depth, columns}, scale_of(depth))}));
    case 1:
      return d.finish(d.op("matmul", {d.operand({columns, depth}), d.operand({depth})}));
    default:
      return d.finish(d.op("matmul", {d.operand({2, 3, depth}), d.weights({depth}, scale_of(depth))}));
  }
}

// Weights that f16 or bf16 hold exactly may be stored so.
void narrow_weights(Sketch& d) {
  const int64_t rows = d.between(1, 12), depth = d.extent(200), columns = d.extent(200);
  const bool half = d.one_in(2);
  std::vector<float> values;
  const Tensor numbers = d.data({depth, columns}, scale_of(depth));
  for (float x : numbers.as<float>()) values.push_back(half ? to_float(to_half(x)) : to_float(to_bfloat16(x)));
  const ValueId w = d.graph.add_constant(Tensor::of<float>({depth, columns}, values));
  d.finish(d.followed(d.op("matmul", {d.operand({rows, depth}), w})));
}

void attention(Sketch& d) {
  const int64_t rows = rows_of(d), keys = d.extent(200), depth = d.extent(70), values = d.extent(70);
  const int64_t n = d.between(1, 2), h = d.between(1, 3);
  const Ints heads = {n, h};
  const Ints others[] = {{n, h}, {1, h}, {n, 1}, {1}};
  const Ints& shared = others[d.pick(4)];
  std::vector<ValueId> operands = {d.operand(with_matrix(heads, rows, depth)),
                                   d.operand(with_matrix(shared, depth, keys)),
                                   d.operand(with_matrix(shared, keys, values))};
  if (d.one_in(2)) operands.push_back(d.operand(with_matrix(d.one_in(2) ? heads : Ints{}, rows, keys)));
  if (operands.size() == 4 && d.one_in(3)) operands.push_back(d.operand(with_matrix(heads, 1, keys)));
  d.sample.bound = Bound::rounded;
  // Scores of integers lie far apart: their exponentials lose what fp32 has no digits for.
  d.sample.tolerance = d.whole ? 2e-5 : 4e-6;
  d.finish(d.op("attention", operands, {{"scale", d.whole ? 0.0625 : 0.3}, {"rows_first", int64_t{d.one_in(2)}}}));
}

}  // namespace

std::span<const Family> product_families() {
  static const Family families[] = {{"matmul", constant_weights},     {"gemm", gemm},
                                    {"matmul.batched", batched},      {"matmul.vectors", vectors},
                                    {"matmul.16bit", narrow_weights}, {"attention", attention}};
  return families;
}

}  // namespace planish::testing
