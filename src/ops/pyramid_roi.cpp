// pyramid_roi_align {pooled, …}: regions of interest pooled from the feature map that suits their size.

#include "kernels/reference/pyramid_roi.h"

#include "ops/common/row.h"

namespace planish::ops {
namespace {

void check_pyramid_attrs(const InferContext& context, const PyramidRoiAttrs& attrs) {
  for (const auto& [name, flag] :
       {std::pair{"absolute", attrs.absolute}, {"swapped", attrs.swapped}, {"plus_one", attrs.plus_one}})
    context.require_flag(name, flag);
  const auto between = [](const char* name, int64_t value, int64_t least, int64_t most) {
    if (value < least || value > most)
      fail(Code::invalid_model, "attribute '{}' is {}; {} to {} is accepted", name, value, least, most);
  };
  between("pooled", attrs.pooled, 1, 1 << 10);
  between("sampling_ratio", attrs.sampling_ratio, 0, 1024);
  between("transform", attrs.transform, -1, 2);
  for (int64_t extent : {attrs.image_height, attrs.image_width, attrs.scale}) between("scale", extent, 1, 1 << 20);
}

// Regions [N, R, 4], maps [N, C, h, w] -> [N, R, C, pooled, pooled]
void pyramid_roi_infer(InferContext& context) {
  const auto attrs = context.attrs<PyramidRoiAttrs>();
  check_pyramid_attrs(context, attrs);
  context.require_rank(0, 3, 3);
  context.require_dtype(0, kFloats);
  const Shape &regions = context.shape(0), &first = context.shape(1);
  context.require_shape(0, Shape{regions[0], regions[1], 4});
  for (size_t i = 1; i < 5; ++i) {
    context.require_rank(i, 4, 4);
    context.require_same_dtype(1, i);
    const Shape& map = context.shape(i);
    context.require_shape(i, Shape{regions[0], first[1], map[2], map[3]});
  }
  context.require_dtype(1, kFloats);
  context.output(0, context.dtype(1), Shape{regions[0], regions[1], first[1], attrs.pooled, attrs.pooled});
}

}  // namespace

void register_pyramid_roi(OpTable& table) {
  OpDef def = op_row("pyramid_roi_align", 5, 5, check_attrs_as<PyramidRoiAttrs>, pyramid_roi_infer, nullptr);
  def.operand_names = {"regions", "P2", "P3", "P4", "P5"};
  table.add(std::move(def));
}

}  // namespace planish::ops
