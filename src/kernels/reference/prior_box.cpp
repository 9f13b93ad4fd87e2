// prior_box, as Caffe's SSD defines it.

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/check.h"
#include "kernels/reference/detection.h"

namespace planish {

std::vector<double> prior_ratios(const PriorBoxAttrs& attrs) {
  std::vector<double> ratios = {1};
  for (double ratio : attrs.aspect_ratios) {
    if (std::any_of(ratios.begin(), ratios.end(), [&](double other) { return std::abs(ratio - other) < 1e-6; }))
      continue;
    ratios.push_back(ratio);
    if (attrs.flip != 0) ratios.push_back(1 / ratio);
  }
  return ratios;
}

int64_t priors_per_cell(const PriorBoxAttrs& attrs) {
  return std::ssize(prior_ratios(attrs)) * std::ssize(attrs.min_sizes) + std::ssize(attrs.max_sizes);
}

// Width and height of each box of a cell. Sizes are whole pixels: Caffe drops fractions.
static std::vector<std::array<double, 2>> prior_extents(const PriorBoxAttrs& attrs) {
  std::vector<std::array<double, 2>> extents;
  const auto ratios = prior_ratios(attrs);
  for (size_t i = 0; i < attrs.min_sizes.size(); ++i) {
    const double least = std::trunc(attrs.min_sizes[i]);
    extents.push_back({least, least});
    if (i < attrs.max_sizes.size()) {
      const double middle = std::sqrt(least * std::trunc(attrs.max_sizes[i]));
      extents.push_back({middle, middle});
    }
    for (double ratio : ratios)
      if (std::abs(ratio - 1) >= 1e-6) extents.push_back({least * std::sqrt(ratio), least / std::sqrt(ratio)});
  }
  return extents;
}

std::vector<float> prior_boxes(const PriorBoxAttrs& attrs, const PriorGrid& grid) {
  const auto width = static_cast<double>(grid.image_width), height = static_cast<double>(grid.image_height);
  const bool stepped = attrs.step_height != 0 && attrs.step_width != 0;
  const double across = stepped ? attrs.step_width : width / static_cast<double>(grid.width),
               down = stepped ? attrs.step_height : height / static_cast<double>(grid.height);
  const auto extents = prior_extents(attrs);
  std::vector<float> boxes;
  const auto place = [&](double value) {
    boxes.push_back(static_cast<float>(attrs.clip != 0 ? std::clamp(value, 0.0, 1.0) : value));
  };
  for (int64_t row = 0; row < grid.height; ++row)
    for (int64_t column = 0; column < grid.width; ++column)
      for (const auto& [box_width, box_height] : extents) {
        const double x = (static_cast<double>(column) + attrs.offset) * across,
                     y = (static_cast<double>(row) + attrs.offset) * down;
        place((x - box_width / 2) / width);
        place((y - box_height / 2) / height);
        place((x + box_width / 2) / width);
        place((y + box_height / 2) / height);
      }
  const size_t count = boxes.size();
  for (size_t i = 0; i < count; ++i)
    boxes.push_back(static_cast<float>(attrs.variances[attrs.variances.size() == 1 ? 0 : i % 4]));
  return boxes;
}

namespace kernels::reference {
namespace {

PriorGrid prior_grid(const KernelArgs& args) {
  const auto& attrs = args.as<PriorBoxAttrs>();
  const TensorView &cells = args.inputs[0], &image = args.inputs[1];
  const bool given = attrs.image_height > 0 && attrs.image_width > 0;
  return {cells.dims[2], cells.dims[3], given ? attrs.image_height : image.dims[2],
          given ? attrs.image_width : image.dims[3]};
}

// Cells [N, C, H, W], image [N, C, height, width] -> [1, 2, H * W * boxes * 4]
void check_prior_box(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const auto& attrs = args.as<PriorBoxAttrs>();
  o.in(0).rank(4, 4);
  o.in(1).rank(4, 4);
  require(!attrs.min_sizes.empty(), "no sizes of boxes");
  require(attrs.max_sizes.empty() || attrs.max_sizes.size() == attrs.min_sizes.size(), "{} largest sizes for {}",
          attrs.max_sizes.size(), attrs.min_sizes.size());
  require(attrs.variances.size() == 1 || attrs.variances.size() == 4, "{} variances", attrs.variances.size());
  o.out().shape({1, 2, o.in(0).extent(2) * o.in(0).extent(3) * priors_per_cell(attrs) * 4});
}

void run_prior_box(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const auto boxes = prior_boxes(args.as<PriorBoxAttrs>(), prior_grid(args));
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t k = 0; k < y.dims[2]; ++k)
      store_double(y, i * y.strides[1] + k * y.strides[2], boxes[static_cast<size_t>(i * y.dims[2] + k)]);
}

}  // namespace

void register_prior_box(KernelTable& table) {
  table.add(make_kernel<PriorBoxAttrs>("prior_box", check_prior_box, run_prior_box));
}

}  // namespace kernels::reference
}  // namespace planish
