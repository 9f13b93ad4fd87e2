#include "kernels/reference/matmul.h"
#include "ops/common/integer_product.h"

namespace planish::ops {
namespace {

// [.., M, K] x [.., K, N] -> [.., M, N], NumPy broadcasting; a 1-D operand is a row or a column that vanishes.
Shape matmul_shape(InferContext& context) {
  context.require_rank(0, 1);
  context.require_rank(1, 1);
  std::vector<Dim> a = context.shape(0).dims(), b = context.shape(1).dims();
  const bool row = a.size() == 1, column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  const Dim inner_a = a.back(), inner_b = b[b.size() - 2];
  if (!context.assume_equal(inner_a, inner_b))
    fail(Code::invalid_model, "matmul of {} and {}: {} columns against {} rows", context.input(0).str(),
         context.input(1).str(), inner_a.str(), inner_b.str());
  const Shape batch = context.broadcast(Shape({a.begin(), a.end() - 2}), Shape({b.begin(), b.end() - 2}));
  std::vector<Dim> dims = batch.dims();
  if (!row) dims.push_back(a[a.size() - 2]);
  if (!column) dims.push_back(b.back());
  return Shape(std::move(dims));
}

void matmul_infer(InferContext& context) {
  context.require_dtype(0, kNumbers);
  context.require_same_dtype(0, 1);
  context.output(0, context.dtype(0), matmul_shape(context));
}

// A, B, their zero points -> i32. No kernel computes it: passes/integer_products takes it apart.
void matmul_integer_infer(InferContext& context) {
  check_centred_bytes(context);
  context.output(0, DataType::i32, matmul_shape(context));
}

Dim matmul_flops(const Graph& graph, const Node& node) {
  const Shape& a = graph.value(node.inputs[0]).type.shape;
  return graph.value(node.outputs[0]).type.shape.element_count() * a[a.rank() - 1] * Dim(2);
}

void gemm_infer(InferContext& context) {
  const auto attrs = context.attrs<GemmAttrs>();
  context.require_rank(0, 2, 2);
  context.require_rank(1, 2, 2);
  const Shape &a = context.shape(0), &b = context.shape(1);
  const Dim ka = a[attrs.transA != 0 ? 0 : 1], kb = b[attrs.transB != 0 ? 1 : 0];
  if (!context.assume_equal(ka, kb))
    fail(Code::invalid_model, "gemm of {} and {}: inner extents {} and {}", context.input(0).str(),
         context.input(1).str(), ka.str(), kb.str());
  const Shape result{a[attrs.transA != 0 ? 1 : 0], b[attrs.transB != 0 ? 0 : 1]};
  context.require_dtype(0, kNumbers);
  context.require_same_dtype(0, 1);
  if (context.has_input(2)) {
    context.require_same_dtype(0, 2);
    context.require_broadcasts_to(2, result);
  }
  context.output(0, context.dtype(0), result);
}

}  // namespace

void register_matmul(OpTable& table) {
  OpDef matmul;
  matmul.name = "matmul";
  matmul.min_inputs = matmul.max_inputs = 2;
  matmul.operand_names = {"A", "B"};
  matmul.check_attrs = check_attrs_as<NoAttrs>;
  matmul.infer = matmul_infer;
  matmul.flops = matmul_flops;
  OpDef integers = matmul;
  integers.name = "matmul_integer";
  integers.max_inputs = 4;
  integers.operand_names = {"A", "B", "a_zero_point", "b_zero_point"};
  integers.infer = matmul_integer_infer;
  table.add(std::move(integers));
  table.add(std::move(matmul));
  OpDef gemm;
  gemm.name = "gemm";
  gemm.min_inputs = 2;
  gemm.max_inputs = 3;
  gemm.operand_names = {"A", "B", "C"};
  gemm.check_attrs = check_attrs_as<GemmAttrs>;
  gemm.infer = gemm_infer;
  gemm.flops = matmul_flops;
  table.add(std::move(gemm));
}

}  // namespace planish::ops
