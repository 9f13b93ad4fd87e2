// crop_and_resize {height, width}: boxes of pictures brought to one size by bilinear interpolation.

#include "kernels/reference/crop.h"

#include "ops/common/row.h"

namespace planish::ops {
namespace {

constexpr int64_t kMostCropped = 1 << 16;

// X [N, C, H, W], boxes [R, 4], pictures [R] -> [R, C, height, width]
void crop_infer(InferContext& context) {
  const auto attrs = context.attrs<CropAttrs>();
  for (int64_t extent : {attrs.height, attrs.width})
    if (extent < 1 || extent > kMostCropped)
      fail(Code::invalid_model, "{} samples along an axis; 1 to {} are accepted", extent, kMostCropped);
  context.require_rank(0, 4, 4);
  context.require_rank(1, 2, 2);
  for (size_t i : {0, 1}) context.require_dtype(i, kFloats);
  context.require_dtype(2, kIndices);
  const Shape &x = context.shape(0), &boxes = context.shape(1);
  context.require_shape(1, Shape{boxes[0], 4});
  context.require_shape(2, Shape{boxes[0]});
  for (int axis : {2, 3})
    if (x[axis] == Dim(0)) fail(Code::invalid_model, "{} is {}; pictures are empty", context.operand(0), x.str());
  context.output(0, context.dtype(0), Shape{boxes[0], x[1], attrs.height, attrs.width});
}

}  // namespace

void register_crop(OpTable& table) {
  OpDef def = op_row("crop_and_resize", 3, 3, check_attrs_as<CropAttrs>, crop_infer, nullptr);
  def.operand_names = {"X", "boxes", "pictures"};
  table.add(std::move(def));
}

}  // namespace planish::ops
