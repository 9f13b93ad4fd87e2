// What reads pictures at computed or overlapping places: grids, regions, displaced taps, blocks, windows of other
// norms.

#include "kernels/reference/conv.h"
#include "kernels/reference/deform_conv.h"
#include "kernels/reference/geometry.h"
#include "kernels/reference/roi.h"
#include "kernels/reference/select.h"
#include "kernels/reference/unpool.h"
#include "tactics/cuda/common/plain.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

void propose_grid_sample(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "grid_sample", 2);
  if (!launch) return;
  const auto attrs = attrs_to<GridSampleAttrs>(query.node.attrs);
  const Shape& y = query.output(0).type.shape;
  if (query.input(0).type.shape.element_count() == Dim(0)) return sink.refuse("cuda.grid_sample", "an empty picture");
  launch->options.push_back(define("MODE", attrs.mode == "nearest" ? 0 : attrs.mode == "cubic" ? 2 : 1));
  launch->options.push_back(define("PADDING", attrs.padding_mode == "zeros"    ? 0
                                              : attrs.padding_mode == "border" ? 1
                                                                               : 2));
  launch->options.push_back(define("CORNERS", attrs.align_corners != 0 ? 1 : 0));
  offer_plain(query, sink, std::move(*launch), y.element_count(), 40 * typical_elements(query, y));
}

void propose_affine_grid(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "affine_grid", 1);
  if (!launch) return;
  launch->options.push_back(define("CORNERS", attrs_to<AffineGridAttrs>(query.node.attrs).align_corners != 0 ? 1 : 0));
  offer_plain(query, sink, std::move(*launch), query.output(0).type.shape.element_count(), 0);
}

void propose_roi_align(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "roi_align", 3);
  if (!launch) return;
  const auto attrs = attrs_to<RoiAlignAttrs>(query.node.attrs);
  launch->options.push_back(define("AVERAGE", attrs.mode == "avg" ? 1 : 0));
  launch->options.push_back(define("HALF_PIXEL", attrs.coordinate_transformation_mode == "half_pixel" ? 1 : 0));
  launch->options.push_back(define("SAMPLES", std::max<int64_t>(attrs.sampling_ratio, 0)));
  launch->real(attrs.spatial_scale);
  const Shape& y = query.output(0).type.shape;
  offer_plain(query, sink, std::move(*launch), y.element_count(), 100 * typical_elements(query, y));
}

// Three values of a list over spatial axes.
void add_axes(Launch& launch, const std::vector<int64_t>& list, size_t spatial, int64_t missing) {
  for (size_t i = 0; i < 3; ++i) launch.integer(i < spatial ? at_or(list, i, missing) : missing);
}

void propose_deform_conv(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "deform_conv", 5);
  if (!launch) return;
  const auto attrs = attrs_to<DeformConvAttrs>(query.node.attrs);
  const Shape &y = query.output(0).type.shape, &w = query.input(1).type.shape;
  const auto spatial = static_cast<size_t>(y.rank()) - 2;
  if (spatial < 1 || spatial > 3) return sink.refuse("cuda.deform_conv", "one to three spatial axes are accepted");
  add_axes(*launch, attrs.strides, spatial, 1);
  add_axes(*launch, attrs.dilations, spatial, 1);
  add_axes(*launch, attrs.pads, spatial, 0);
  launch->integer(attrs.group);
  launch->integer(attrs.offset_group);
  const double depth = typical_elements(query, w) / std::max(typical_elements(query, Shape({w[0]})), 1.0);
  offer_plain(query, sink, std::move(*launch), y.element_count(), 10 * depth * typical_elements(query, y));
}

void propose_col2im(const TacticQuery& query, CandidateSink& sink) {
  auto launch = plain_launch(query, sink, "col2im", 3);
  if (!launch) return;
  const auto attrs = attrs_to<Col2ImAttrs>(query.node.attrs);
  const auto block = stated(query, 2, {});
  const Shape& y = query.output(0).type.shape;
  const auto spatial = static_cast<size_t>(y.rank()) - 2;
  if (!block || !y.is_static()) return sink.refuse("cuda.col2im", "its blocks are computed");
  if (spatial < 1 || spatial > 3) return sink.refuse("cuda.col2im", "one to three spatial axes are accepted");
  std::vector<int64_t> blocks;
  for (size_t i = 0; i < spatial; ++i) {
    const int64_t reach = at_or(attrs.dilations, i, 1) * (block->at(i) - 1) + 1;
    const int64_t room =
        y[static_cast<int>(i) + 2].value() + at_or(attrs.pads, i, 0) + at_or(attrs.pads, i + spatial, 0) - reach;
    blocks.push_back(room < 0 ? 0 : room / at_or(attrs.strides, i, 1) + 1);
  }
  add_axes(*launch, *block, spatial, 1);
  add_axes(*launch, blocks, spatial, 1);
  add_axes(*launch, attrs.strides, spatial, 1);
  add_axes(*launch, attrs.dilations, spatial, 1);
  add_axes(*launch, attrs.pads, spatial, 0);
  offer_plain(query, sink, std::move(*launch), y.element_count(), 0);
}

// Norms, and maxima with their places.
void propose_plain_pool(const TacticQuery& query, CandidateSink& sink) {
  const bool most = query.node.op == "max_pool";
  if (most && query.node.outputs.size() < 2) return;  // pool.cpp
  auto launch = plain_launch(query, sink, "plain_pool", 1, 2);
  if (!launch) return;
  const auto attrs = attrs_to<LpPoolAttrs>(query.node.attrs);
  const Shape &x = query.input(0).type.shape, &y = query.output(0).type.shape;
  const auto spatial = static_cast<size_t>(x.rank()) - 2;
  if (spatial < 1 || spatial > 3 || !x.is_static() || !y.is_static())
    return sink.refuse("cuda.plain_pool", "one to three spatial axes of fixed extents are accepted");
  std::vector<int64_t> pads;
  for (size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<int>(i) + 2;
    pads.push_back(window_axis(attrs, i, x[axis].value(), y[axis].value(), attrs.kernel_shape.at(i)).pad);
  }
  launch->options.push_back(define("NORM", most ? 0 : attrs.p));
  launch->options.push_back(define("COLUMN_MAJOR", attrs.storage_order != 0 ? 1 : 0));
  add_axes(*launch, attrs.kernel_shape, spatial, 1);
  add_axes(*launch, attrs.strides, spatial, 1);
  add_axes(*launch, attrs.dilations, spatial, 1);
  add_axes(*launch, pads, spatial, 0);
  offer_plain(query, sink, std::move(*launch), y.element_count(), 10 * typical_elements(query, y));
}

}  // namespace

void register_sampling(TacticTable& table) {
  table.add("grid_sample", propose_grid_sample);
  table.add("affine_grid", propose_affine_grid);
  table.add("roi_align", propose_roi_align);
  table.add("deform_conv", propose_deform_conv);
  table.add("col2im", propose_col2im);
  table.add("lp_pool", propose_plain_pool);
  table.add("max_pool", propose_plain_pool);
}

}  // namespace planish::tactics::cuda
