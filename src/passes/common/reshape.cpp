#include "passes/common/reshape.h"

#include "ops/builder.h"

namespace planish::passes {

std::optional<ValueId> add_reshape(Patch& patch, ValueId x, const Shape& shape) {
  std::vector<int64_t> extents;
  int symbolic = 0;
  for (Dim dim : shape) {
    if (dim == Dim(0) || depends_on_data(dim, patch.graph().symbols)) return std::nullopt;
    symbolic += dim.is_constant() ? 0 : 1;
    extents.push_back(dim.is_constant() ? dim.value() : -1);
  }
  const ValueId target = symbolic <= 1 ? patch.constant(Tensor::ints(extents), "shape")
                                       : add_op(patch, "dims", {}, {{"values", shape.dims()}});
  return add_op(patch, "reshape", {x, target});
}

}  // namespace planish::passes
