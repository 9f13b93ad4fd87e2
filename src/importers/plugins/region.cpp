// Heads of YOLO: activations of version 2, boxes and scores of versions 3, 5 and 8, key points of version 8.

#include <numeric>

#include "importers/plugins/table/boxes.h"

namespace planish::plugins {
namespace {

// [N, num (coords + 1 + classes), H, W]: sigmoid of x, y and of the objectness, softmax over classes
void expand_region(PluginContext& context) {
  const Shape& shape = context.shape(0, 4);
  const int64_t boxes = context.integer_in("num", 1, 4096), classes = context.integer_in("classes", 1, 1 << 20),
                coords = context.integer_in("coords", 4, 4);
  const std::vector<Dim> apart = {shape[0], boxes, coords + 1 + classes, shape[2], shape[3]};
  const std::vector<Dim> together = shape.dims();
  if (shape[1].is_constant() && shape[1] != Dim(boxes * (coords + 1 + classes)))
    fail(Code::invalid_model, "operand 0 is {}; {} channels are accepted", shape.str(), boxes * (coords + 1 + classes));
  const ValueId x = importers::reshaped(context, context.input(0), apart);
  const auto part = [&](int64_t begin, int64_t end) { return importers::sliced(context, x, 2, begin, end); };
  const ValueId y = context.add("concat",
                                {context.add("sigmoid", {part(0, 2)}), part(2, 4), context.add("sigmoid", {part(4, 5)}),
                                 context.add("softmax", {part(5, 5 + classes)}, {{"axis", int64_t{2}}})},
                                {{"axis", int64_t{2}}});
  context.give({importers::reshaped(context, y, together)});
}

// One scale of a head: [N, H W boxes, 4] corners and [N, H W boxes, C] scores.
struct Decoded {
  ValueId boxes, scores;
};

struct Head {
  ValueId x;
  int64_t height, width;
  double stride;
};

Head head_of(PluginContext& context, size_t i) {
  context.shape(i, 4);
  const ValueId x = context.input(i);
  const auto& strides = context.numbers("strides");
  if (strides.size() != context.input_count())
    fail(Code::invalid_model, "field 'strides' has {} elements; one for each of {} operands is accepted",
         strides.size(), context.input_count());
  return {x, importers::fixed_extent(context, x, 2, "the height"), importers::fixed_extent(context, x, 3, "the width"),
          strides[i]};
}

// Columns and rows of a grid [1, H, W, 1, 2] plus an offset.
ValueId grid_places(PluginContext& context, const Head& head, float offset) {
  std::vector<float> places;
  for (int64_t i = 0; i < head.height; ++i)
    for (int64_t k = 0; k < head.width; ++k) {
      places.push_back(static_cast<float>(k) + offset);
      places.push_back(static_cast<float>(i) + offset);
    }
  return context.numbers_constant({1, head.height, head.width, 1, 2}, places);
}

int64_t classes_of(PluginContext& context, const Head& head, int64_t boxes, int64_t others) {
  const int64_t channels = importers::fixed_extent(context, head.x, 1, "the number of channels");
  if (channels % boxes != 0 || channels / boxes <= others)
    fail(Code::invalid_model, "{} channels for {} boxes of {} numbers and classes", channels, boxes, others);
  return channels / boxes - others;
}

// [N, boxes (5 + C), H, W] -> [N, H, W, boxes, 5 + C]
// Version 3: centre (s(t) + cell) stride, extent exp(t) anchor; version 5: (2 s(t) - 0.5 + cell) stride, (2 s(t))^2
// anchor. Scores: s(objectness) s(class)
Decoded anchored_head(PluginContext& context, size_t i, bool version_3) {
  const Head head = head_of(context, i);
  const auto& anchors = context.numbers("anchors");
  const size_t heads = context.input_count(), boxes = anchors.size() / (2 * heads);
  if (boxes < 1 || anchors.size() % (2 * heads) != 0)
    fail(Code::invalid_model, "field 'anchors' has {} elements; pairs, as many for each of {} operands, are accepted",
         anchors.size(), heads);
  const auto count = static_cast<int64_t>(boxes);
  const int64_t classes = classes_of(context, head, count, 5);
  const Dim images = context.shape(i, 4)[0];
  const ValueId apart = importers::reshaped(context, head.x, {images, count, 5 + classes, head.height, head.width});
  const ValueId x = importers::transposed(context, apart, {0, 3, 4, 1, 2});
  const auto part = [&](int64_t begin, int64_t end) { return importers::sliced(context, x, 4, begin, end); };
  const std::vector<float> own(anchors.begin() + static_cast<int64_t>(i * 2 * boxes),
                               anchors.begin() + static_cast<int64_t>((i + 1) * 2 * boxes));
  const ValueId sizes = context.numbers_constant({1, 1, 1, count, 2}, own);
  const ValueId shifts = context.add("sigmoid", {part(0, 2)});
  const ValueId places =
      version_3 ? context.add("add", {shifts, grid_places(context, head, 0)})
                : context.add("add", {importers::scaled(context, shifts, 2), grid_places(context, head, -0.5F)});
  const ValueId centres = importers::scaled(context, places, head.stride);
  ValueId growths = context.add("exp", {part(2, 4)});
  if (!version_3) {
    const ValueId doubled = importers::scaled(context, context.add("sigmoid", {part(2, 4)}), 2);
    growths = context.add("mul", {doubled, doubled});
  }
  const ValueId reach = importers::scaled(context, context.add("mul", {growths, sizes}), 0.5);
  const ValueId corners = context.add(
      "concat", {context.add("sub", {centres, reach}), context.add("add", {centres, reach})}, {{"axis", int64_t{4}}});
  const ValueId scores =
      context.add("mul", {context.add("sigmoid", {part(5, 5 + classes)}), context.add("sigmoid", {part(4, 5)})});
  const Dim rows = head.height * head.width * count;
  return {importers::reshaped(context, corners, {images, rows, 4}),
          importers::reshaped(context, scores, {images, rows, classes})};
}

// [N, 4 bins + C, H, W]: the distance of each edge from the cell's centre is the mean of its distribution over bins.
Decoded distribution_head(PluginContext& context, size_t i) {
  const Head head = head_of(context, i);
  const int64_t bins = context.integer_in("bins", 1, 256), classes = classes_of(context, head, 1, 4 * bins);
  const Dim images = context.shape(i, 4)[0], cells = head.height * head.width;
  const ValueId edges = importers::sliced(context, head.x, 1, 0, 4 * bins);
  const ValueId parts =
      context.add("softmax", {importers::reshaped(context, edges, {images, 4, bins, cells})}, {{"axis", int64_t{2}}});
  std::vector<float> numbers(static_cast<size_t>(bins));
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  const ValueId weighted = context.add("mul", {parts, context.numbers_constant({1, 1, bins, 1}, numbers)});
  const ValueId distances = context.add("reduce_sum", {weighted, context.ints({2})}, {{"keepdims", int64_t{0}}});
  const ValueId rows = importers::transposed(context, distances, {0, 2, 1});  // [N, cells, 4]
  const ValueId grid = importers::reshaped(context, grid_places(context, head, 0.5F), {1, cells, 2});
  const auto [before, behind] = halves(context, rows);
  const ValueId corners = context.add(
      "concat", {context.add("sub", {grid, before}), context.add("add", {grid, behind})}, {{"axis", int64_t{2}}});
  const ValueId labels = importers::sliced(context, head.x, 1, 4 * bins, 4 * bins + classes);
  const ValueId flat = importers::reshaped(context, labels, {images, classes, cells});
  return {importers::scaled(context, corners, head.stride),
          context.add("sigmoid", {importers::transposed(context, flat, {0, 2, 1})})};
}

// The result of an exported network: version 8 [N, 4 + C + more, P], version 5 [N, P, 5 + C].
Decoded exported_head(PluginContext& context, int64_t version, int64_t more) {
  ValueId x = context.input(0);
  if (version == 8) x = importers::transposed(context, x, {0, 2, 1});
  const int64_t width = importers::fixed_extent(context, x, 2, "the number of values of a box"),
                first = version == 8 ? 4 : 5, last = width - more;
  if (last <= first) fail(Code::invalid_model, "{} values of a box; {} and classes are accepted", width, first + more);
  const auto part = [&](int64_t begin, int64_t end) { return importers::sliced(context, x, 2, begin, end); };
  ValueId scores = part(first, last);
  if (version != 8) scores = context.add("mul", {scores, part(4, 5)});
  return {corners_of_centres(context, part(0, 4)), scores};
}

int64_t version_of(PluginContext& context) {
  const int64_t version = context.integer("model");
  if (version != 3 && version != 5 && version != 8)
    fail(Code::invalid_model, "field 'model' is {}; 3, 5 and 8 are accepted", version);
  return version;
}

// -> boxes [N, P, 4], scores [N, P, C]
void expand_yolo(PluginContext& context) {
  const int64_t version = version_of(context);
  if (context.shape(0, 3, 4).rank() == 3) {
    const Decoded all = exported_head(context, version, 0);
    return context.give({all.boxes, all.scores});
  }
  std::vector<ValueId> boxes, scores;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Decoded one = version == 8 ? distribution_head(context, i) : anchored_head(context, i, version == 3);
    boxes.push_back(one.boxes);
    scores.push_back(one.scores);
  }
  context.give(
      {context.add("concat", boxes, {{"axis", int64_t{1}}}), context.add("concat", scores, {{"axis", int64_t{1}}})});
}

// [N, 4 + C + points values, P] -> how many [N, 1], boxes [N, K, 4], scores [N, K], classes [N, K], points
// [N, K, points, values]
void expand_yolo_pose(PluginContext& context) {
  context.shape(0, 3);
  const int64_t points = context.integer_in("points", 1, 1024), values = context.integer_in("values", 2, 3);
  const Decoded all = exported_head(context, 8, points * values);
  const Dim images = context.shape(0, 3)[0];
  const Shape boxes = context.value(all.boxes).type.shape;
  PaddedNmsAttrs attrs;
  attrs.score_threshold = context.number("score_threshold");
  attrs.iou_threshold = context.number("iou_threshold");
  attrs.keep = context.integer_in("max_output_boxes", 1, kMostRows);
  const Kept kept =
      padded_nms(context, importers::reshaped(context, all.boxes, {images, boxes[1], 1, 4}), all.scores, attrs);
  const int64_t width = importers::fixed_extent(context, context.input(0), 1, "the number of values of a box");
  const ValueId rows = importers::transposed(
      context, importers::sliced(context, context.input(0), 1, width - points * values, width), {0, 2, 1});
  // Rows behind the last box show box 0 before they become 0.
  const ValueId zero = context.constant(Tensor::scalar<int32_t>(0));
  const ValueId which = context.add("unsqueeze", {context.add("max", {kept.which, zero}), context.ints({2})});
  const ValueId index = context.add("expand", {importers::as(DataType::i64, context, which),
                                               importers::dims(context, {images, attrs.keep, points * values})});
  const ValueId found = context.add("gather_elements", {rows, index}, {{"axis", int64_t{1}}});
  const ValueId empty = context.add("unsqueeze", {context.add("less", {kept.which, zero}), context.ints({2})});
  const ValueId shown = context.add("where", {empty, context.scalar_like(found, 0), found});
  context.give({kept.count, kept.boxes, kept.scores, kept.classes,
                importers::reshaped(context, shown, {images, attrs.keep, points, values})});
}

}  // namespace

void register_region(PluginTable& table) {
  table.add({"Region_TRT",
             {"1"},
             {required("num", int64_t{5}), {"coords", int64_t{4}}, required("classes", int64_t{80})},
             1,
             1,
             results<1>,
             expand_region});
  table.add({"YoloDecode",
             {"1"},
             {required("model", int64_t{8}),
              {"strides", std::vector<double>{}},
              {"anchors", std::vector<double>{}},
              {"bins", int64_t{16}}},
             1,
             -1,
             results<2>,
             expand_yolo});
  table.add({"YoloPoseDecode",
             {"1"},
             {{"points", int64_t{17}},
              {"values", int64_t{3}},
              {"score_threshold", 0.25},
              {"iou_threshold", 0.7},
              {"max_output_boxes", int64_t{100}}},
             1,
             1,
             results<5>,
             expand_yolo_pose});
}

}  // namespace planish::plugins
