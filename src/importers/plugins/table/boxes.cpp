#include "importers/plugins/table/boxes.h"

namespace planish::plugins {

std::pair<ValueId, ValueId> halves(PluginContext& context, ValueId boxes) {
  const int64_t axis = context.value(boxes).type.shape.rank() - 1;
  return {importers::sliced(context, boxes, axis, 0, 2), importers::sliced(context, boxes, axis, 2, 4)};
}

ValueId reordered(PluginContext& context, ValueId boxes, std::vector<int64_t> order) {
  return context.add("gather", {boxes, context.ints(std::move(order))}, {{"axis", int64_t{-1}}});
}

ValueId corners_of_centres(PluginContext& context, ValueId boxes) {
  const auto [centres, extents] = halves(context, boxes);
  const ValueId reach = importers::scaled(context, extents, 0.5);
  return context.add("concat", {context.add("sub", {centres, reach}), context.add("add", {centres, reach})},
                     {{"axis", int64_t{-1}}});
}

ValueId centre_decoded(PluginContext& context, ValueId changes, ValueId anchors) {
  const auto [shifts, growths] = halves(context, changes);
  const auto [centres, extents] = halves(context, anchors);
  const ValueId places = context.add("add", {context.add("mul", {shifts, extents}), centres});
  const ValueId sizes = context.add("mul", {context.add("exp", {growths}), extents});
  return context.add("concat", {places, sizes}, {{"axis", int64_t{-1}}});
}

ValueId clipped(PluginContext& context, ValueId boxes) {
  return context.add("clip", {boxes, context.scalar_like(boxes, 0), context.scalar_like(boxes, 1)});
}

ValueId image_numbers(PluginContext& context, ValueId like) {
  const Shape shape = context.value(like).type.shape;
  const ValueId count = context.add("gather", {context.add("shape", {like}), importers::scalar(context, 0)});
  const ValueId numbers = context.add("range", {importers::scalar(context, 0), count, importers::scalar(context, 1)});
  const ValueId column = context.add("unsqueeze", {importers::as(DataType::i32, context, numbers), context.ints({1})});
  return context.add("expand", {column, importers::dims(context, {shape[0], shape[1]})});
}

Kept padded_nms(PluginContext& context, ValueId boxes, ValueId scores, PaddedNmsAttrs attrs) {
  const NodeId node = add_node(context.graph(), "padded_nms", {boxes, scores}, attrs_of(attrs), context.name());
  const auto& results = context.graph().node(node).outputs;
  return {results[0], results[1], results[2], results[3], results[4]};
}

void require_classes(PluginContext& context, ValueId scores, const char* field) {
  const Shape& shape = context.value(scores).type.shape;
  const Dim found = shape[shape.rank() - 1];
  if (found.is_constant() && found != Dim(context.integer(field)))
    fail(Code::invalid_model, "field '{}' is {}; scores are {}", field, context.integer(field), shape.str());
}

}  // namespace planish::plugins
