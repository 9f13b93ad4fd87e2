// Non-maximum suppression with a fixed number of rows.

#include <algorithm>

#include "importers/plugins/table/boxes.h"

namespace planish::plugins {
namespace {

// [N, …] -> these extents behind N
ValueId per_image(PluginContext& context, ValueId value, std::vector<Dim> behind) {
  behind.insert(behind.begin(), context.value(value).type.shape[0]);
  return importers::reshaped(context, value, std::move(behind));
}

// [N, P, 4] or [N, P, groups, 4] -> with groups
ValueId grouped(PluginContext& context, size_t i) {
  const Shape& boxes = context.shape(i, 3, 4);
  return boxes.rank() == 4 ? context.input(i) : per_image(context, context.input(i), {boxes[1], 1, boxes[2]});
}

// --- BatchedNMS

template <bool dynamic>
void expand_batched_nms(PluginContext& context) {
  const bool normal = context.flag("isNormalized");
  ValueId scores = context.input(1);
  if (const Shape& shape = context.shape(1, 3, 4); shape.rank() == 4)
    scores = per_image(context, scores, {shape[1], shape[2] * shape[3]});
  PaddedNmsAttrs attrs;
  attrs.score_threshold = context.number("scoreThreshold");
  attrs.iou_threshold = context.number("iouThreshold");
  attrs.keep = context.integer_in("keepTopK", 1, kMostRows);
  attrs.candidates = context.integer("topK");
  attrs.background = context.integer("backgroundLabelId");
  attrs.pixels = !normal && context.flag("caffeSemantics") ? 1 : 0;
  attrs.empty_class = -1;
  require_classes(context, scores, "numClasses");
  const Kept kept = padded_nms(context, grouped(context, 0), scores, attrs);
  const bool clips = normal && context.flag("clipBoxes");
  const ValueId count = dynamic ? kept.count : per_image(context, kept.count, {});
  context.give({count, clips ? clipped(context, kept.boxes) : kept.boxes, kept.scores,
                importers::as(context.value(kept.scores).type.dtype, context, kept.classes)});
}

// --- EfficientNMS

// Boxes are found from changes and anchors, both as corners or both by centre and extent.
ValueId decoded(PluginContext& context, ValueId changes, ValueId anchors, bool by_centre) {
  const Shape& shape = context.value(anchors).type.shape;
  if (shape.rank() != 3) fail(Code::invalid_model, "operand 2 is {}; rank 3 is accepted", shape.str());
  const ValueId beside = per_image(context, anchors, {shape[1], 1, shape[2]});
  if (!by_centre) return context.add("add", {changes, beside});
  return centre_decoded(context, changes, beside);
}

void expand_efficient_nms(PluginContext& context) {
  const bool by_centre = context.integer_in("box_coding", 0, 1) != 0;
  ValueId boxes = grouped(context, 0), scores = context.input(1);
  context.shape(1, 3);
  if (context.has_input(2)) boxes = decoded(context, boxes, context.input(2), by_centre);
  if (by_centre) boxes = corners_of_centres(context, boxes);
  if (context.flag("score_activation")) scores = context.add("sigmoid", {scores});
  PaddedNmsAttrs attrs;
  attrs.score_threshold = context.number("score_threshold");
  attrs.iou_threshold = context.number("iou_threshold");
  attrs.inclusive = 1;
  attrs.keep = context.integer_in("max_output_boxes", 1, kMostRows);
  attrs.background = context.integer("background_class");
  attrs.class_agnostic = context.flag("class_agnostic") ? 1 : 0;
  const Kept kept = padded_nms(context, boxes, scores, attrs);
  context.give({kept.count, kept.boxes, kept.scores, kept.classes});
}

// Boxes [N, P, 4], scores [N, C, P] -> rows image, class, box: those that are found first, then rows of -1
void expand_efficient_nms_onnx(PluginContext& context) {
  ValueId boxes = grouped(context, 0);
  context.shape(1, 3);
  if (context.flag("center_point_box")) boxes = corners_of_centres(context, boxes);
  PaddedNmsAttrs attrs;
  attrs.score_threshold = context.number("score_threshold");
  attrs.iou_threshold = context.number("iou_threshold");
  attrs.inclusive = 1;
  attrs.keep = attrs.most_per_class = context.integer_in("max_output_boxes_per_class", 1, kMostRows);
  attrs.empty_class = -1;
  const Kept kept = padded_nms(context, boxes, importers::transposed(context, context.input(1), {0, 2, 1}), attrs);
  const Dim images = context.shape(0, 3, 4)[0], rows = images * Dim(attrs.keep);
  const ValueId none = context.constant(Tensor::scalar<int32_t>(-1));
  const ValueId empty = context.add("less", {kept.which, context.constant(Tensor::scalar<int32_t>(0))});
  const ValueId image = context.add("where", {empty, none, image_numbers(context, kept.which)});
  std::vector<ValueId> columns;
  for (ValueId column : {image, kept.classes, kept.which})
    columns.push_back(importers::reshaped(context, column, {rows, 1}));
  const ValueId table = context.add("concat", columns, {{"axis", int64_t{1}}});
  if (images == Dim(1)) return context.give({table});
  // Rows of later images close up: by whether they are empty, in their order.
  const ValueId filled =
      importers::as(DataType::f32, context, context.add("not", {importers::reshaped(context, empty, {rows})}));
  const NodeId order = add_node(context.graph(), "topk", {filled, importers::dims(context, {rows})},
                                {{"axis", int64_t{0}}}, context.name(), 2);
  context.give({context.add("gather", {table, context.graph().node(order).outputs[1]}, {{"axis", int64_t{0}}})});
}

// --- NMS of SSD

enum SsdCode : int64_t { kCorner = 0, kCentreSize = 1, kCornerSize = 2, kTensorFlowCentre = 3 };

// Changes [N, P, groups, 4] beside priors [1 or N, P, 1, 4] and their variances, to corners
ValueId ssd_boxes(PluginContext& context, ValueId changes, ValueId priors, ValueId variances) {
  const int64_t code = context.integer_in("codeType", 0, 3);
  if (code == kTensorFlowCentre) changes = reordered(context, changes, {1, 0, 3, 2});
  if (!context.flag("varianceEncodedInTarget")) changes = context.add("mul", {changes, variances});
  if (code == kCorner) return context.add("add", {priors, changes});
  const auto [low, high] = halves(context, priors);
  const ValueId extents = context.add("sub", {high, low});
  if (code == kCornerSize) {
    const ValueId both = context.add("concat", {extents, extents}, {{"axis", int64_t{-1}}});
    return context.add("add", {priors, context.add("mul", {changes, both})});
  }
  const ValueId centres = importers::scaled(context, context.add("add", {low, high}), 0.5);
  const ValueId beside = context.add("concat", {centres, extents}, {{"axis", int64_t{-1}}});
  return corners_of_centres(context, centre_decoded(context, changes, beside));
}

// Changes [N, P groups 4, …], scores [N, P C, …], priors [1 or N, 2, P 4, …], in the order that inputOrder says
// -> rows image, class, score, corners [N, 1, K, 7], how many [N, 1, 1, 1]
void expand_ssd_nms(PluginContext& context) {
  const auto& order = context.integers("inputOrder");
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != std::vector<int64_t>{0, 1, 2})
    fail(Code::invalid_model, "field 'inputOrder' holds {} numbers; 0, 1 and 2 in any order are accepted",
         order.size());
  const auto at = [&](size_t i) { return context.input(static_cast<size_t>(order[i])); };
  const int64_t classes = context.integer_in("numClasses", 1, 1 << 20);
  const Shape& given = context.value(at(2)).type.shape;
  if (given.rank() < 3) fail(Code::invalid_model, "priors {}; [1, 2, boxes * 4] is accepted", given.str());
  const Dim count = floor_div(given[2], 4), groups = context.flag("shareLocation") ? 1 : classes;
  const ValueId priors = per_image(context, at(2), {2, count, 1, 4});
  const auto kind = [&](int64_t i) {
    return per_image(context, importers::sliced(context, priors, 1, i, i + 1), {count, 1, 4});
  };
  const ValueId boxes = ssd_boxes(context, per_image(context, at(0), {count, groups, 4}), kind(0), kind(1));
  ValueId scores = per_image(context, at(1), {count, classes});
  if (context.flag("confSigmoid")) scores = context.add("sigmoid", {scores});
  PaddedNmsAttrs attrs;
  attrs.score_threshold = context.number("confidenceThreshold");
  attrs.iou_threshold = context.number("nmsThreshold");
  attrs.keep = context.integer_in("keepTopK", 1, kMostRows);
  attrs.candidates = context.integer("topK");
  attrs.background = context.integer("backgroundLabelId");
  attrs.pixels = context.flag("isNormalized") ? 0 : 1;
  attrs.empty_class = -1;
  const Kept kept = padded_nms(context, boxes, scores, attrs);
  const ValueId corners = context.flag("isNormalized") ? clipped(context, kept.boxes) : kept.boxes;
  const DataType type = context.value(corners).type.dtype;
  std::vector<ValueId> columns;
  for (ValueId column : {image_numbers(context, kept.classes), kept.classes, kept.scores})
    columns.push_back(importers::as(type, context, context.add("unsqueeze", {column, context.ints({2})})));
  columns.push_back(corners);
  const ValueId rows = context.add("concat", columns, {{"axis", int64_t{2}}});
  context.give({context.add("unsqueeze", {rows, context.ints({1})}),
                context.add("unsqueeze", {kept.count, context.ints({2, 3})})});
}

}  // namespace

void register_nms(PluginTable& table) {
  PluginRow batched{"BatchedNMS_TRT",
                    {"1"},
                    {{"shareLocation", int64_t{1}},
                     {"backgroundLabelId", int64_t{-1}},
                     required("numClasses", int64_t{1}),
                     {"topK", int64_t{-1}},
                     required("keepTopK", int64_t{1}),
                     {"scoreThreshold", 0.0},
                     {"iouThreshold", 0.5},
                     {"isNormalized", int64_t{1}},
                     {"clipBoxes", int64_t{1}},
                     {"scoreBits", int64_t{16}},
                     {"caffeSemantics", int64_t{1}}},
                    2,
                    2,
                    results<4>,
                    expand_batched_nms<false>};
  table.add(batched);
  batched.name = "BatchedNMSDynamic_TRT";
  batched.expand = expand_batched_nms<true>;
  table.add(std::move(batched));
  table.add({"EfficientNMS_TRT",
             {"1"},
             {{"score_threshold", 0.25},
              {"iou_threshold", 0.5},
              {"max_output_boxes", int64_t{100}},
              {"background_class", int64_t{-1}},
              {"score_activation", int64_t{0}},
              {"class_agnostic", int64_t{0}},
              {"box_coding", int64_t{0}}},
             2,
             3,
             results<4>,
             expand_efficient_nms});
  table.add({"EfficientNMS_ONNX_TRT",
             {"1"},
             {{"score_threshold", 0.25},
              {"iou_threshold", 0.5},
              {"max_output_boxes_per_class", int64_t{100}},
              {"center_point_box", int64_t{0}}},
             2,
             2,
             results<1>,
             expand_efficient_nms_onnx});
  PluginRow ssd{"NMS_TRT",
                {"1"},
                {{"shareLocation", int64_t{1}},
                 {"varianceEncodedInTarget", int64_t{0}},
                 {"backgroundLabelId", int64_t{0}},
                 required("numClasses", int64_t{1}),
                 {"topK", int64_t{-1}},
                 required("keepTopK", int64_t{1}),
                 {"confidenceThreshold", 0.0},
                 {"nmsThreshold", 0.5},
                 {"inputOrder", std::vector<int64_t>{0, 1, 2}},
                 {"confSigmoid", int64_t{0}},
                 {"isNormalized", int64_t{1}},
                 {"codeType", int64_t{kCentreSize}},
                 {"scoreBits", int64_t{16}},
                 {"isBatchAgnostic", int64_t{1}}},
                3,
                3,
                results<2>,
                expand_ssd_nms};
  table.add(ssd);
  ssd.name = "NMSDynamic_TRT";
  table.add(std::move(ssd));
}

}  // namespace planish::plugins
