#pragma once
// Boxes of detectors as expressions of the graph. Coordinates are the last axis: two corners x1, y1, x2, y2, or centre
// and extent x, y, w, h (all with x and y exchanged, too).

#include "importers/plugins/table/plugin_table.h"
#include "kernels/reference/padded_nms.h"

namespace planish::plugins {

constexpr int64_t kMostRows = 1 << 20;

// Elements 0, 1 and 2, 3 of the last axis.
std::pair<ValueId, ValueId> halves(PluginContext& context, ValueId boxes);
// These elements of the last axis in this order.
ValueId reordered(PluginContext& context, ValueId boxes, std::vector<int64_t> order);
ValueId corners_of_centres(PluginContext& context, ValueId boxes);
// Changes of anchors, both by centre and extent: x = dx aw + ax, w = exp(dw) aw
ValueId centre_decoded(PluginContext& context, ValueId changes, ValueId anchors);
// To [0, 1]
ValueId clipped(PluginContext& context, ValueId boxes);

// The number of the image for every row of [N, K, …]: [N, K], as i32.
ValueId image_numbers(PluginContext& context, ValueId like);

struct Kept {
  ValueId count, boxes, scores, classes, which;  // [N, 1], [N, K, 4], [N, K], [N, K], [N, K]
};
// Boxes [N, P, groups, 4] and scores [N, P, C]
Kept padded_nms(PluginContext& context, ValueId boxes, ValueId scores, PaddedNmsAttrs attrs);

// Error(invalid_model): the last axis of the scores is not as long as the field says.
void require_classes(PluginContext& context, ValueId scores, const char* field);

}  // namespace planish::plugins
