// Boxes that detectors start from.

#include <cmath>

#include "importers/plugins/table/plugin_table.h"
#include "kernels/reference/detection.h"

namespace planish::plugins {
namespace {

struct AnchorGrid {
  int64_t height, width;
  std::vector<std::pair<double, double>> sizes;  // width and height of each box of a cell, in shares of the image
};

// [1, 2, H W boxes 4, 1]: corners, then the variances of each
ValueId grid_anchors(PluginContext& context, const AnchorGrid& grid, const std::vector<double>& variance) {
  std::vector<float> values;
  for (int64_t row = 0; row < grid.height; ++row)
    for (int64_t column = 0; column < grid.width; ++column)
      for (const auto& [width, height] : grid.sizes) {
        const double x = (static_cast<double>(column) + 0.5) / static_cast<double>(grid.width),
                     y = (static_cast<double>(row) + 0.5) / static_cast<double>(grid.height);
        for (double edge : {x - width / 2, y - height / 2, x + width / 2, y + height / 2})
          values.push_back(static_cast<float>(edge));
      }
  const size_t count = values.size();
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(variance[i % 4]));
  return context.numbers_constant({1, 2, static_cast<int64_t>(count), 1}, values);
}

// SSD (arXiv:1512.02325, eq. 4): scale k of m is min + (max - min) k / (m - 1); beside the ratios a square between this
// scale and the next. The first layer has three boxes: a square of 0.1, and two ratios of the least scale.
std::vector<std::pair<double, double>> ssd_sizes(PluginContext& context, int64_t layer, int64_t layers) {
  const double least = context.number("minSize"), most = context.number("maxSize");
  const auto& ratios = context.numbers("aspectRatios");
  const auto scale = [&](int64_t k) {
    return layers == 1 ? least : least + (most - least) * static_cast<double>(k) / static_cast<double>(layers - 1);
  };
  std::vector<std::pair<double, double>> sizes;
  const auto add = [&](double size, double ratio) {
    sizes.emplace_back(size * std::sqrt(ratio), size / std::sqrt(ratio));
  };
  for (size_t i = 0; i < (layer == 0 ? 3 : ratios.size()); ++i)
    add(layer == 0 && i == 0 ? 0.1 : scale(layer), ratios[i]);
  if (layer > 0) add(std::sqrt(scale(layer) * (layer == layers - 1 ? 1 : scale(layer + 1))), 1);
  return sizes;
}

int layers_of(const Attrs& fields) { return static_cast<int>(fields.get<int64_t>("numLayers")); }

// Operands are not looked at.
template <bool rectangles>
void expand_grid_anchors(PluginContext& context) {
  const int64_t layers = context.integer_in("numLayers", 1, 64);
  const auto& shapes = context.integers("featureMapShapes");
  const auto& variance = context.numbers("variance");
  const auto wanted = static_cast<size_t>(rectangles ? 2 * layers : layers);
  if (shapes.size() != wanted)
    fail(Code::invalid_model, "field 'featureMapShapes' has {} elements; {} are accepted", shapes.size(), wanted);
  for (int64_t extent : shapes)
    if (extent < 1 || extent > 4096)
      fail(Code::invalid_model, "field 'featureMapShapes' holds {}; 1 to 4096 is accepted", extent);
  if (variance.size() != 4)
    fail(Code::invalid_model, "field 'variance' has {} elements; 4 are accepted", variance.size());
  if (context.numbers("aspectRatios").size() < 3)
    fail(Code::invalid_model, "field 'aspectRatios' has {} elements; 3 and more are accepted",
         context.numbers("aspectRatios").size());
  for (double ratio : context.numbers("aspectRatios"))
    if (!(ratio > 0)) fail(Code::invalid_model, "field 'aspectRatios' holds {}; above 0 is accepted", ratio);
  std::vector<ValueId> anchors;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const auto at = static_cast<size_t>(layer);
    const AnchorGrid grid{shapes[rectangles ? 2 * at : at], shapes[rectangles ? 2 * at + 1 : at],
                          ssd_sizes(context, layer, layers)};
    anchors.push_back(grid_anchors(context, grid, variance));
  }
  context.give(std::move(anchors));
}

// Cells, image -> [1, 2, H W boxes 4, 1]
void expand_prior_box(PluginContext& context) {
  PriorBoxAttrs attrs;
  attrs.min_sizes = context.numbers("minSize");
  attrs.max_sizes = context.numbers("maxSize");
  attrs.aspect_ratios = context.numbers("aspectRatios");
  attrs.variances = context.numbers("variance");
  attrs.flip = context.flag("flip") ? 1 : 0;
  attrs.clip = context.flag("clip") ? 1 : 0;
  attrs.image_height = context.integer("imgH");
  attrs.image_width = context.integer("imgW");
  attrs.step_height = context.number("stepH");
  attrs.step_width = context.number("stepW");
  attrs.offset = context.number("offset");
  const ValueId boxes = context.add("prior_box", {context.input(0), context.input(1)}, attrs_of(attrs));
  context.give({context.add("unsqueeze", {boxes, context.ints({3})})});
}

}  // namespace

void register_anchors(PluginTable& table) {
  const std::vector<double> variance = {0.1, 0.1, 0.2, 0.2};
  PluginRow grid{"GridAnchor_TRT",
                 {"1"},
                 {{"minSize", 0.2},
                  {"maxSize", 0.95},
                  {"aspectRatios", std::vector<double>{1, 2, 0.5, 3, 1.0 / 3}},
                  required("featureMapShapes", std::vector<int64_t>{}),
                  {"variance", variance},
                  required("numLayers", int64_t{1})},
                 0,
                 -1,
                 layers_of,
                 expand_grid_anchors<false>};
  table.add(grid);
  grid.name = "GridAnchorRect_TRT";
  grid.expand = expand_grid_anchors<true>;
  table.add(std::move(grid));
  table.add({"PriorBox_TRT",
             {"1"},
             {required("minSize", std::vector<double>{}),
              {"maxSize", std::vector<double>{}},
              {"aspectRatios", std::vector<double>{}},
              {"flip", int64_t{1}},
              {"clip", int64_t{0}},
              {"variance", variance},
              {"imgH", int64_t{0}},
              {"imgW", int64_t{0}},
              {"stepH", 0.0},
              {"stepW", 0.0},
              {"offset", 0.5}},
             2,
             2,
             results<1>,
             expand_prior_box});
}

}  // namespace planish::plugins
