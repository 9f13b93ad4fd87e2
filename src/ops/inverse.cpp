// inverse(X [.., M, M]) -> [.., M, M]: of every matrix. One that has none becomes NaN.

#include "ops/common/row.h"

namespace planish::ops {
namespace {

void inverse_infer(InferContext& context) {
  context.require_dtype(0, kFloats);
  const Shape& x = context.shape(0);
  if (x.rank() < 2 || !context.assume_equal(x[x.rank() - 2], x[x.rank() - 1]))
    fail(Code::invalid_model, "{} is {}; square matrices are accepted", context.operand(0), context.input(0).str());
  context.output(0, context.input(0));
}

// n^3 multiplications and additions a matrix
Dim inverse_flops(const Graph& graph, const Node& node) {
  const Shape& x = graph.value(node.inputs[0]).type.shape;
  return 2 * x.element_count() * x[x.rank() - 1];
}

}  // namespace

void register_inverse(OpTable& table) {
  table.add(op_row("inverse", 1, 1, check_attrs_as<NoAttrs>, inverse_infer, inverse_flops));
}

}  // namespace planish::ops
