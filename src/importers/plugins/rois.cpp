// Regions of interest: cut out of feature maps, and proposed from anchors.

#include <cmath>
#include <limits>

#include "importers/plugins/table/boxes.h"

namespace planish::plugins {
namespace {

constexpr double kLowest = -std::numeric_limits<float>::max();

// [N, R, 4] or [N, R, 4, 1] -> [N, R, 4]
ValueId regions_of(PluginContext& context, size_t i) {
  const Shape shape = context.shape(i, 3, 5);
  return importers::reshaped(context, context.input(i), {shape[0], shape[1], 4});
}

// [N, R, 4] -> [N R, 4] and the picture of each
std::pair<ValueId, ValueId> flat_regions(PluginContext& context, ValueId regions) {
  const Shape shape = context.value(regions).type.shape;
  const Dim count = shape[0] * shape[1];
  return {importers::reshaped(context, regions, {count, 4}),
          importers::reshaped(context, image_numbers(context, regions), {count})};
}

// Cropped [N R, C, h, w] -> [N, R, C, h, w]
ValueId by_image(PluginContext& context, ValueId cropped, ValueId regions) {
  const Shape all = context.value(cropped).type.shape, shape = context.value(regions).type.shape;
  return importers::reshaped(context, cropped, {shape[0], shape[1], all[1], all[2], all[3]});
}

void expand_crop_and_resize(PluginContext& context) {
  context.shape(0, 4);
  const ValueId regions = regions_of(context, 1);
  const auto [boxes, pictures] = flat_regions(context, regions);
  const ValueId cropped =
      context.add("crop_and_resize", {context.input(0), boxes, pictures},
                  {{"height", context.integer("crop_height")}, {"width", context.integer("crop_width")}});
  context.give({by_image(context, cropped, regions)});
}

void expand_roi_align(PluginContext& context) {
  const bool shifted = context.integer_in("coordinate_transformation_mode", 0, 1) != 0,
             average = context.integer_in("mode", 0, 1) != 0;
  context.give(
      {context.add("roi_align", {context.input(0), context.input(1), context.input(2)},
                   {{"coordinate_transformation_mode", std::string(shifted ? "half_pixel" : "output_half_pixel")},
                    {"mode", std::string(average ? "avg" : "max")},
                    {"output_height", context.integer("output_height")},
                    {"output_width", context.integer("output_width")},
                    {"sampling_ratio", context.integer("sampling_ratio")},
                    {"spatial_scale", context.number("spatial_scale")}})});
}

// Rois, then feature maps of four scales, the finest first
void expand_pyramid_roi_align(PluginContext& context) {
  const bool old = context.flag("legacy");
  const auto& image = context.integers("image_size");
  if (image.size() != 2 && image.size() != 3)
    fail(Code::invalid_model, "field 'image_size' has {} elements; height and width are accepted", image.size());
  const auto field = [&](const char* name, int64_t before) { return old ? before : context.integer(name); };
  context.give(
      {context.add("pyramid_roi_align",
                   {regions_of(context, 0), context.input(1), context.input(2), context.input(3), context.input(4)},
                   {{"pooled", context.integer("pooled_size")},
                    {"image_height", image[image.size() - 2]},
                    {"image_width", image[image.size() - 1]},
                    {"scale", field("fpn_scale", 158)},
                    {"sampling_ratio", field("sampling_ratio", 1)},
                    {"absolute", field("roi_coords_absolute", 0)},
                    {"swapped", field("roi_coords_swap", 1)},
                    {"plus_one", field("roi_coords_plusone", 0)},
                    {"transform", field("roi_coords_transform", -1)}})});
}

// --- proposals

struct Grid {
  int64_t height, width;
};

Grid grid_of(PluginContext& context) {
  context.shape(0, 4);
  context.shape(1, 4);
  return {importers::fixed_extent(context, context.input(0), 2, "the height of the scores"),
          importers::fixed_extent(context, context.input(0), 3, "the width of the scores")};
}

// Boxes around every cell of a grid, by centre and extent: [1, anchors H W, 4], in the order of scores [anchors, H, W].
ValueId anchors_on(PluginContext& context, const Grid& grid, const std::vector<std::pair<double, double>>& sizes,
                   double stride, double first) {
  std::vector<float> values;
  for (const auto& [width, height] : sizes)
    for (int64_t row = 0; row < grid.height; ++row)
      for (int64_t column = 0; column < grid.width; ++column)
        for (double value :
             {first + static_cast<double>(column) * stride, first + static_cast<double>(row) * stride, width, height})
          values.push_back(static_cast<float>(value));
  return context.numbers_constant({1, std::ssize(values) / 4, 4}, values);
}

// Changes [N, 4 anchors, H, W] -> [N, anchors H W, 4]
ValueId change_rows(PluginContext& context, size_t i, const Grid& grid, int64_t anchors) {
  const Dim images = context.shape(i, 4)[0];
  const ValueId apart = importers::reshaped(context, context.input(i), {images, anchors, 4, grid.height, grid.width});
  return importers::reshaped(context, importers::transposed(context, apart, {0, 1, 3, 4, 2}),
                             {images, anchors * grid.height * grid.width, 4});
}

// Boxes [N, P, 4] no farther out than `most` (a row of 4, or one for each image).
ValueId bounded(PluginContext& context, ValueId boxes, ValueId most) {
  return context.add("min", {context.add("max", {boxes, context.scalar_like(boxes, 0)}), most});
}

// Scores [N, P] of boxes whose both extents are at least (`or_equal`) or more than `least`; -inf for the others.
ValueId large_enough(PluginContext& context, ValueId scores, ValueId boxes, ValueId least, bool or_equal) {
  const auto [low, high] = halves(context, boxes);
  const ValueId smallest =
      context.add("reduce_min", {context.add("sub", {high, low}), context.ints({2})}, {{"keepdims", int64_t{0}}});
  const ValueId fits = context.add(or_equal ? "greater_equal" : "greater", {smallest, least});
  const ValueId none = context.scalar_like(scores, -std::numeric_limits<double>::infinity());
  return context.add("where", {fits, scores, none});
}

Kept best_regions(PluginContext& context, ValueId boxes, ValueId scores, PaddedNmsAttrs attrs) {
  const Shape shape = context.value(boxes).type.shape;
  attrs.score_threshold = kLowest;
  return padded_nms(context, importers::reshaped(context, boxes, {shape[0], shape[1], 1, 4}),
                    importers::reshaped(context, scores, {shape[0], shape[1], 1}), attrs);
}

// Objectness [N, A, H, W], changes [N, 4 A, H, W] -> y1, x1, y2, x2 in shares of the image [N, K, 4, 1]
void expand_proposal_of_frcnn(PluginContext& context) {
  const Grid grid = grid_of(context);
  std::vector<std::pair<double, double>> sizes;
  for (double size : context.numbers("anchor_sizes"))
    for (double ratio : context.numbers("anchor_ratios")) sizes.emplace_back(size * ratio, size / ratio);
  const auto stride = static_cast<double>(context.integer("rpn_stride"));
  const Dim images = context.shape(0, 4)[0], count = std::ssize(sizes) * grid.height * grid.width;
  const ValueId anchors = anchors_on(context, grid, sizes, stride, stride / 2);
  const ValueId rows = change_rows(context, 1, grid, std::ssize(sizes));
  const auto width = static_cast<float>(context.integer("input_width") - 1),
             height = static_cast<float>(context.integer("input_height") - 1);
  const ValueId boxes = bounded(context, corners_of_centres(context, centre_decoded(context, rows, anchors)),
                                context.numbers_constant({4}, {width, height, width, height}));
  const ValueId scores = large_enough(context, importers::reshaped(context, context.input(0), {images, count}), boxes,
                                      context.scalar_like(boxes, context.number("roi_min_size")), false);
  PaddedNmsAttrs attrs;
  attrs.iou_threshold = context.number("nms_iou_threshold");
  attrs.candidates = context.integer("pre_nms_top_n");
  attrs.keep = context.integer_in("post_nms_top_n", 1, kMostRows);
  attrs.pixels = 1;
  const Kept kept = best_regions(context, boxes, scores, attrs);
  const ValueId shares =
      context.add("div", {kept.boxes, context.numbers_constant({4}, {width, height, width, height})});
  context.give({context.add("unsqueeze", {reordered(context, shares, {1, 0, 3, 2}), context.ints({3})})});
}

// Scores [N, 2 A, H, W] (those of objects behind), changes [N, 4 A, H, W], feature map, facts of the image [N, 3, …]
// -> x1, y1, x2, y2 [N, 1, K, 4], the largest element of each bin [N, K, C, poolingH, poolingW]
void expand_rpn_and_pooling(PluginContext& context) {
  const Grid grid = grid_of(context);
  const auto &ratios = context.numbers("anchorsRatios"), &scales = context.numbers("anchorsScales");
  for (const auto& [name, list] : {std::pair{"anchorsRatioCount", &ratios}, {"anchorsScaleCount", &scales}})
    if (context.integer(name) != std::ssize(*list))
      fail(Code::invalid_model, "field '{}' is {}; {} are given", name, context.integer(name), list->size());
  const auto stride = static_cast<double>(context.integer("featureStride"));
  std::vector<std::pair<double, double>> sizes;
  for (double ratio : ratios)
    for (double scale : scales) {
      const double width = std::round(stride / std::sqrt(ratio)), height = std::round(width * ratio);
      sizes.emplace_back(width * scale, height * scale);
    }
  const int64_t anchors = std::ssize(sizes), count = anchors * grid.height * grid.width;
  const Dim images = context.shape(0, 4)[0];
  const ValueId places = anchors_on(context, grid, sizes, stride, (stride - 1) / 2);
  const ValueId facts = importers::reshaped(context, context.input(3), {images, 1, 3});
  const ValueId reach = importers::shifted(context, reordered(context, facts, {1, 0, 1, 0}), -1);
  const ValueId boxes = bounded(
      context, corners_of_centres(context, centre_decoded(context, change_rows(context, 1, grid, anchors), places)),
      reach);
  const ValueId objects = importers::sliced(context, context.input(0), 1, anchors, 2 * anchors);
  const ValueId scale = importers::reshaped(context, importers::sliced(context, facts, 2, 2, 3), {images, 1});
  const ValueId least =
      importers::shifted(context, importers::scaled(context, scale, context.number("minBoxSize")), -1);
  const ValueId scores =
      large_enough(context, importers::reshaped(context, objects, {images, count}), boxes, least, true);
  PaddedNmsAttrs attrs;
  attrs.iou_threshold = context.number("iouThreshold");
  attrs.candidates = context.integer("preNmsTop");
  attrs.keep = context.integer_in("nmsMaxOut", 1, kMostRows);
  attrs.pixels = 1;
  const Kept kept = best_regions(context, boxes, scores, attrs);
  const auto [flat, pictures] = flat_regions(context, kept.boxes);
  const ValueId numbers =
      context.add("unsqueeze", {importers::as(context.value(flat).type.dtype, context, pictures), context.ints({1})});
  const ValueId rows = context.add("concat", {numbers, flat}, {{"axis", int64_t{1}}});
  const ValueId pooled =
      context.add("max_roi_pool", {context.input(2), rows},
                  {{"pooled_shape", std::vector<int64_t>{context.integer("poolingH"), context.integer("poolingW")}},
                   {"spatial_scale", context.number("spatialScale")}});
  context.give({context.add("unsqueeze", {kept.boxes, context.ints({1})}), by_image(context, pooled, kept.boxes)});
}

// --- Mask R-CNN. Coordinates are y1, x1, y2, x2 in shares of the image; changes are in units of 0.1, 0.1, 0.2, 0.2.

ValueId centres_of_corners(PluginContext& context, ValueId boxes) {
  const auto [low, high] = halves(context, boxes);
  const ValueId centres = importers::scaled(context, context.add("add", {low, high}), 0.5);
  return context.add("concat", {centres, context.add("sub", {high, low})}, {{"axis", int64_t{-1}}});
}

ValueId refined(PluginContext& context, ValueId changes, ValueId boxes) {
  const ValueId units = context.numbers_constant({4}, {0.1F, 0.1F, 0.2F, 0.2F});
  const ValueId moved =
      centre_decoded(context, context.add("mul", {changes, units}), centres_of_corners(context, boxes));
  return clipped(context, corners_of_centres(context, moved));
}

// Of five feature maps at strides of 4 to 64, boxes of 32 to 512 pixels in three ratios around every cell.
std::vector<float> mask_rcnn_anchors(int64_t height, int64_t width) {
  std::vector<float> anchors;
  for (int64_t level = 0; level < 5; ++level) {
    const int64_t stride = int64_t{4} << level;
    const auto scale = static_cast<double>(int64_t{32} << level);
    for (int64_t y = 0; y < height; y += stride)
      for (int64_t x = 0; x < width; x += stride)
        for (double ratio : {0.5, 1.0, 2.0}) {
          const double tall = scale / std::sqrt(ratio), wide = scale * std::sqrt(ratio);
          const auto share = [](double value, int64_t extent) {
            return static_cast<float>(value / static_cast<double>(extent - 1));
          };
          const auto row = static_cast<double>(y), column = static_cast<double>(x);
          anchors.insert(anchors.end(), {share(row - tall / 2, height), share(column - wide / 2, width),
                                         share(row + tall / 2 - 1, height), share(column + wide / 2 - 1, width)});
        }
  }
  return anchors;
}

// Scores [N, P, 2, …] (of objects behind), changes [N, P, 4, …] -> [N, K, 4]
void expand_proposal_layer(PluginContext& context) {
  const auto& image = context.integers("image_size");
  if (image.size() != 3 || image[0] != 3 || image[1] < 2 || image[2] < 2 || image[1] > 8192 || image[2] > 8192)
    fail(Code::invalid_model, "field 'image_size' has {} elements; 3, height and width of 2 to 8192 are accepted",
         image.size());
  const std::vector<float> values = mask_rcnn_anchors(image[1], image[2]);
  const int64_t count = std::ssize(values) / 4;
  const Dim images = context.shape(0, 3, 4)[0];
  const ValueId scores = importers::reshaped(context, context.input(0), {images, count, 2});
  const ValueId changes = importers::reshaped(context, context.input(1), {images, count, 4});
  PaddedNmsAttrs attrs;
  attrs.iou_threshold = context.number("iou_threshold");
  attrs.candidates = context.integer("prenms_topk");
  attrs.keep = context.integer_in("keep_topk", 1, kMostRows);
  const ValueId boxes = refined(context, changes, context.numbers_constant({1, count, 4}, values));
  context.give({best_regions(context, boxes, importers::sliced(context, scores, 2, 1, 2), attrs).boxes});
}

// Changes [N, R, 4 C, …], scores [N, R, C, …], regions [N, R, 4] -> y1, x1, y2, x2, class, score [N, K, 6]; each region
// is of its best class alone, and class 0 is the background
void expand_detection_layer(PluginContext& context) {
  const int64_t classes = context.integer_in("num_classes", 1, 1 << 16);
  const ValueId regions = regions_of(context, 2);
  const Shape shape = context.value(regions).type.shape;
  const ValueId changes = importers::reshaped(context, context.input(0), {shape[0], shape[1], classes, 4});
  const ValueId scores = importers::reshaped(context, context.input(1), {shape[0], shape[1], classes});
  const ValueId beside = context.add("unsqueeze", {regions, context.ints({2})});
  const ValueId best = context.add("arg_max", {scores}, {{"axis", int64_t{2}}, {"keepdims", int64_t{1}}});
  const ValueId numbers = context.add(
      "range", {importers::scalar(context, 0), importers::scalar(context, classes), importers::scalar(context, 1)});
  const ValueId none = context.scalar_like(scores, -std::numeric_limits<double>::infinity());
  const ValueId own = context.add("where", {context.add("equal", {best, numbers}), scores, none});
  PaddedNmsAttrs attrs;
  attrs.score_threshold = context.number("score_threshold");
  attrs.iou_threshold = context.number("iou_threshold");
  attrs.inclusive = 1;
  attrs.keep = context.integer_in("keep_topk", 1, kMostRows);
  attrs.background = classes > 1 ? 0 : -1;
  const Kept kept = padded_nms(context, refined(context, changes, beside), own, attrs);
  const DataType type = context.value(kept.boxes).type.dtype;
  const auto column = [&](ValueId value) {
    return context.add("unsqueeze", {importers::as(type, context, value), context.ints({2})});
  };
  context.give(
      {context.add("concat", {kept.boxes, column(kept.classes), column(kept.scores)}, {{"axis", int64_t{2}}})});
}

}  // namespace

void register_rois(PluginTable& table) {
  const std::vector<Field> crop = {required("crop_width", int64_t{1}), required("crop_height", int64_t{1})};
  table.add({"CropAndResize", {"1"}, crop, 2, 2, results<1>, expand_crop_and_resize});
  table.add({"CropAndResizeDynamic", {"1", {"2", 3}}, crop, 2, 2, results<1>, expand_crop_and_resize});
  table.add({"ROIAlign_TRT",
             {"1", {"2", 3}},
             {{"coordinate_transformation_mode", int64_t{1}},
              {"mode", int64_t{1}},
              {"output_height", int64_t{1}},
              {"output_width", int64_t{1}},
              {"sampling_ratio", int64_t{0}},
              {"spatial_scale", 1.0}},
             3,
             3,
             results<1>,
             expand_roi_align});
  table.add({"PyramidROIAlign_TRT",
             {"1"},
             {{"fpn_scale", int64_t{224}},
              {"pooled_size", int64_t{7}},
              {"image_size", std::vector<int64_t>{1024, 1024}},
              {"roi_coords_absolute", int64_t{1}},
              {"roi_coords_swap", int64_t{0}},
              {"roi_coords_plusone", int64_t{0}},
              {"roi_coords_transform", int64_t{2}},
              {"sampling_ratio", int64_t{0}},
              {"legacy", int64_t{0}}},
             5,
             5,
             results<1>,
             expand_pyramid_roi_align});
  const std::vector<Field> proposal = {required("input_height", int64_t{1}),
                                       required("input_width", int64_t{1}),
                                       required("rpn_stride", int64_t{1}),
                                       required("roi_min_size", 1.0),
                                       required("nms_iou_threshold", 0.7),
                                       required("pre_nms_top_n", int64_t{1}),
                                       required("post_nms_top_n", int64_t{1}),
                                       required("anchor_sizes", std::vector<double>{}),
                                       required("anchor_ratios", std::vector<double>{})};
  table.add({"Proposal", {"1"}, proposal, 2, 2, results<1>, expand_proposal_of_frcnn});
  table.add({"ProposalDynamic", {"1"}, proposal, 2, 2, results<1>, expand_proposal_of_frcnn});
  table.add(
      {"RPROI_TRT",
       {"1"},
       {required("poolingH", int64_t{1}), required("poolingW", int64_t{1}), required("featureStride", int64_t{16}),
        required("preNmsTop", int64_t{1}), required("nmsMaxOut", int64_t{1}), required("anchorsRatioCount", int64_t{1}),
        required("anchorsScaleCount", int64_t{1}), required("iouThreshold", 0.7), required("minBoxSize", 16.0),
        required("spatialScale", 0.0625), required("anchorsRatios", std::vector<double>{}),
        required("anchorsScales", std::vector<double>{})},
       4,
       4,
       results<2>,
       expand_rpn_and_pooling});
  table.add({"ProposalLayer_TRT",
             {"1"},
             {required("prenms_topk", int64_t{1}),
              required("keep_topk", int64_t{1}),
              required("iou_threshold", 0.7),
              {"image_size", std::vector<int64_t>{3, 1024, 1024}}},
             2,
             2,
             results<1>,
             expand_proposal_layer});
  table.add({"DetectionLayer_TRT",
             {"1"},
             {required("num_classes", int64_t{1}), required("keep_topk", int64_t{1}), required("score_threshold", 0.7),
              required("iou_threshold", 0.3)},
             3,
             3,
             results<1>,
             expand_detection_layer});
}

}  // namespace planish::plugins
