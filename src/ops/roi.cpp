// roi_align and max_roi_pool.

#include "kernels/reference/roi.h"

#include <cmath>

#include "ops/op.h"

namespace planish::ops {
namespace {

constexpr int64_t kMostBins = 1 << 16;

// X [N, C, H, W], regions [R, coordinates] -> [R, C, height, width]
void infer_regions(InferContext& context, int64_t coordinates, double scale, int64_t height, int64_t width) {
  context.require_rank(0, 4, 4);
  context.require_dtype(0, kFloats);
  context.require_same_dtype(0, 1);
  context.require_rank(1, 2, 2);
  const Shape &x = context.shape(0), &rois = context.shape(1);
  context.require_shape(1, Shape{rois[0], coordinates});
  if (!(std::abs(scale) < 1e9)) fail(Code::invalid_model, "attribute 'spatial_scale' is {}", scale);
  for (int64_t bins : {height, width})
    if (bins < 1 || bins > kMostBins)
      fail(Code::invalid_model, "{} bins along an axis; 1 to {} are accepted", bins, kMostBins);
  for (int axis : {2, 3})
    if (x[axis] == Dim(0)) fail(Code::invalid_model, "{} is {}; pictures are empty", context.operand(0), x.str());
  context.output(0, context.dtype(0), Shape{rois[0], x[1], height, width});
}

void roi_align_infer(InferContext& context) {
  const auto attrs = context.attrs<RoiAlignAttrs>();
  context.require_choice("mode", attrs.mode, {"avg", "max"});
  context.require_choice("coordinate_transformation_mode", attrs.coordinate_transformation_mode,
                         {"half_pixel", "output_half_pixel"});
  if (attrs.sampling_ratio < 0 || attrs.sampling_ratio > kMostRoiSamples)
    fail(Code::invalid_model, "attribute 'sampling_ratio' is {}; 0 to {} is accepted", attrs.sampling_ratio,
         kMostRoiSamples);
  infer_regions(context, 4, attrs.spatial_scale, attrs.output_height, attrs.output_width);
  context.require_dtype(2, kIndices);
  context.require_shape(2, Shape{context.shape(1)[0]});
}

void max_roi_pool_infer(InferContext& context) {
  const auto attrs = context.attrs<MaxRoiPoolAttrs>();
  if (attrs.pooled_shape.size() != 2)
    fail(Code::invalid_model, "attribute 'pooled_shape' has {} elements, 2 are accepted", attrs.pooled_shape.size());
  infer_regions(context, 5, attrs.spatial_scale, attrs.pooled_shape[0], attrs.pooled_shape[1]);
}

}  // namespace

void register_roi(OpTable& table) {
  OpDef align;
  align.name = "roi_align";
  align.min_inputs = align.max_inputs = 3;
  align.operand_names = {"X", "rois", "batch_indices"};
  align.check_attrs = check_attrs_as<RoiAlignAttrs>;
  align.infer = roi_align_infer;
  table.add(std::move(align));
  OpDef pool;
  pool.name = "max_roi_pool";
  pool.min_inputs = pool.max_inputs = 2;
  pool.operand_names = {"X", "rois"};
  pool.check_attrs = check_attrs_as<MaxRoiPoolAttrs>;
  pool.infer = max_roi_pool_infer;
  table.add(std::move(pool));
}

}  // namespace planish::ops
