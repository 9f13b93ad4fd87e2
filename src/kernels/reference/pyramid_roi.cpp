// pyramid_roi_align: regions sampled from that of four feature maps which suits their size (arXiv:1612.03144, eq. 1).

#include "kernels/reference/pyramid_roi.h"

#include <algorithm>
#include <cmath>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// One axis of a region in shares of the image.
struct PyramidEdges {
  double low = 0, high = 0;
};

PyramidEdges pyramid_edges(double a, double b, int64_t extent, bool absolute) {
  const double most = absolute ? static_cast<double>(extent) : 1;
  return {std::clamp(std::min(a, b), 0.0, most) / most, std::clamp(std::max(a, b), 0.0, most) / most};
}

// Bins along one axis of a map.
struct PyramidAxis {
  double start = 0, bin = 0, offset = 0;
  int64_t samples = 1, extent = 1;

  double place(int64_t at, int64_t sample) const {
    const double inside = bin * (static_cast<double>(sample) + offset) / static_cast<double>(samples);
    return std::clamp(start + bin * static_cast<double>(at) + inside, 0.0, static_cast<double>(extent - 1));
  }
};

PyramidAxis pyramid_axis(const PyramidRoiAttrs& attrs, PyramidEdges edges, int64_t extent) {
  const bool corners = attrs.transform < 0;
  const auto pooled = static_cast<double>(attrs.pooled);
  const auto reach = static_cast<double>(corners ? extent - 1 : extent);
  const double shift = attrs.transform == 2 ? 0.5 : 0;
  PyramidAxis axis{edges.low * reach - shift, 0, attrs.transform > 0 ? 0.5 : 0, attrs.sampling_ratio, extent};
  const double length = (edges.high - edges.low) * reach;
  axis.bin = length / std::max(corners ? pooled - 1 : pooled, 1.0);
  if (axis.samples <= 0) axis.samples = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(length / pooled)));
  return axis;
}

double pyramid_sample(const TensorView& map, int64_t from, double row, double column) {
  const auto top = static_cast<int64_t>(row), left = static_cast<int64_t>(column);
  const int64_t bottom = std::min(top + 1, map.dims[2] - 1), right = std::min(left + 1, map.dims[3] - 1);
  const double down = row - static_cast<double>(top), across = column - static_cast<double>(left);
  const auto at = [&](int64_t i, int64_t k) {
    return load_double(map, from + i * map.strides[2] + k * map.strides[3]);
  };
  return (at(top, left) * (1 - across) + at(top, right) * across) * (1 - down) +
         (at(bottom, left) * (1 - across) + at(bottom, right) * across) * down;
}

// Which map a region of this share of the image is taken from: one further for each doubling of its side.
size_t pyramid_level(const PyramidRoiAttrs& attrs, PyramidEdges rows, PyramidEdges columns) {
  const auto height = static_cast<double>(attrs.image_height), width = static_cast<double>(attrs.image_width);
  const double more_rows = attrs.plus_one != 0 ? 1 / height : 0, more_columns = attrs.plus_one != 0 ? 1 / width : 0;
  const double size = (rows.high - rows.low + more_rows) * (columns.high - columns.low + more_columns);
  const double side = static_cast<double>(attrs.scale) / 2;
  double threshold = side * side / (height * width);
  size_t level = 0;
  for (; level < 3 && size > threshold; ++level) threshold *= 4;
  return level;
}

// Regions [N, R, 4], maps [N, C, h, w] -> [N, R, C, pooled, pooled]
void check_pyramid_roi(const KernelArgs& args) {
  const Operands o(args, 5, 5);
  const auto& attrs = args.as<PyramidRoiAttrs>();
  const Slot regions = o.in(0).rank(3, 3), first = o.in(1).rank(4, 4);
  regions.shape({regions.extent(0), regions.extent(1), 4});
  for (size_t i = 1; i < 5; ++i) {
    const Slot map = o.in(i).rank(4, 4);
    map.shape({regions.extent(0), first.extent(1), map.extent(2), map.extent(3)});
    require(map.extent(2) > 0 && map.extent(3) > 0, "a feature map of {} by {}", map.extent(2), map.extent(3));
  }
  require(attrs.pooled > 0 && attrs.image_height > 0 && attrs.image_width > 0, "bins or images without extent");
  require(attrs.sampling_ratio <= 1024, "{} samples along a bin", attrs.sampling_ratio);
  o.out().type_of(first).shape({regions.extent(0), regions.extent(1), first.extent(1), attrs.pooled, attrs.pooled});
}

void pool_pyramid_region(const KernelArgs& args, int64_t n, int64_t r) {
  const auto& attrs = args.as<PyramidRoiAttrs>();
  const TensorView &regions = args.inputs[0], &y = args.outputs[0];
  const auto edge = [&](int64_t i) {
    return load_double(regions, n * regions.strides[0] + r * regions.strides[1] + i * regions.strides[2]);
  };
  for (int64_t i = 0; i < 4; ++i)
    if (!std::isfinite(edge(i))) fail(Code::invalid_argument, "region {} has a coordinate of {}", r, edge(i));
  const int64_t x = attrs.swapped != 0 ? 1 : 0;
  const bool absolute = attrs.absolute != 0;
  const PyramidEdges columns = pyramid_edges(edge(x), edge(2 + x), attrs.image_width, absolute),
                     rows = pyramid_edges(edge(1 - x), edge(3 - x), attrs.image_height, absolute);
  const TensorView& map = args.inputs[1 + pyramid_level(attrs, rows, columns)];
  const PyramidAxis down = pyramid_axis(attrs, rows, map.dims[2]), across = pyramid_axis(attrs, columns, map.dims[3]);
  for (int64_t c = 0; c < y.dims[2]; ++c)
    for (int64_t i = 0; i < attrs.pooled; ++i)
      for (int64_t k = 0; k < attrs.pooled; ++k) {
        double sum = 0;
        for (int64_t p = 0; p < down.samples; ++p)
          for (int64_t q = 0; q < across.samples; ++q)
            sum += pyramid_sample(map, n * map.strides[0] + c * map.strides[1], down.place(i, p), across.place(k, q));
        store_double(y, n * y.strides[0] + r * y.strides[1] + c * y.strides[2] + i * y.strides[3] + k * y.strides[4],
                     sum / static_cast<double>(down.samples * across.samples));
      }
}

void run_pyramid_roi(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  args.pool->parallel_for(y.dims[0] * y.dims[1], 1, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) pool_pyramid_region(args, item / y.dims[1], item % y.dims[1]);
  });
}

}  // namespace

void register_pyramid_roi(KernelTable& table) {
  table.add(make_kernel<PyramidRoiAttrs>("pyramid_roi_align", check_pyramid_roi, run_pyramid_roi));
}

}  // namespace planish::kernels::reference
