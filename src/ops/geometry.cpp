// affine_grid and det.

#include "kernels/reference/geometry.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

// theta [N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W] -> [N, H, W, 2] or [N, D, H, W, 3]
void affine_grid_infer(InferContext& context) {
  context.require_flag("align_corners", context.attrs<AffineGridAttrs>().align_corners);
  context.require_dtype(0, kFloats);
  const int count = context.list_extent(1);
  if (count != 4 && count != 5)
    fail(Code::invalid_model, "{} has {} elements; 4 and 5 are accepted", context.operand(1), count);
  const int64_t axes = count - 2;
  if (!context.contents(1)) {
    context.require_shape(0, Shape{context.shape(0)[0], axes, axes + 1});
    std::vector<Dim> dims = context.measured(count);
    dims.front() = context.shape(0)[0];
    dims.back() = axes;
    return context.output(0, context.dtype(0), Shape(std::move(dims)));
  }
  const std::vector<Dim> size = context.list(1);
  context.require_shape(0, Shape{size[0], axes, axes + 1});
  for (Dim extent : size)
    if (extent.is_constant() && extent.value() < 0)
      fail(Code::invalid_model, "an extent of {}; 0 and more is accepted", extent.value());
  std::vector<Dim> dims = {size[0]};
  dims.insert(dims.end(), size.begin() + 2, size.end());
  dims.emplace_back(axes);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void det_infer(InferContext& context) {
  context.require_dtype(0, kFloats);
  context.require_rank(0, 2);
  const Shape& x = context.shape(0);
  if (!context.assume_equal(x[x.rank() - 2], x[x.rank() - 1]))
    fail(Code::invalid_model, "{} is {}; square matrices are accepted", context.operand(0), context.input(0).str());
  context.output(0, context.dtype(0), Shape(std::vector<Dim>(x.begin(), x.end() - 2)));
}

// n^3 / 3 multiplications and additions a matrix
Dim det_flops(const Graph& graph, const Node& node) {
  const Shape& x = graph.value(node.inputs[0]).type.shape;
  return floor_div(x.element_count() * x[x.rank() - 1] * 2, 3);
}

}  // namespace

void register_geometry(OpTable& table) {
  OpDef grid;
  grid.name = "affine_grid";
  grid.min_inputs = grid.max_inputs = 2;
  grid.operand_names = {"theta", "size"};
  grid.check_attrs = check_attrs_as<AffineGridAttrs>;
  grid.infer = affine_grid_infer;
  table.add(std::move(grid));
  OpDef det;
  det.name = "det";
  det.operand_names = {"X"};
  det.check_attrs = check_attrs_as<NoAttrs>;
  det.infer = det_infer;
  det.flops = det_flops;
  table.add(std::move(det));
}

}  // namespace planish::ops
