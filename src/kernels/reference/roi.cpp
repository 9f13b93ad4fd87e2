// Pooling over regions of interest: a grid of bins laid over each region, one value a bin and channel.

#include "kernels/reference/roi.h"

#include <cmath>
#include <limits>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// One axis of a region in the picture's coordinates, in bins of this extent.
struct RoiAxis {
  double start = 0, bin = 1;
  int64_t samples = 1, extent = 1;
};

double roi_element(const TensorView& rois, int64_t region, int64_t i) {
  const double value = load_double(rois, region * rois.strides[0] + i * rois.strides[1]);
  if (!(std::abs(value) < 1e9)) fail(Code::invalid_argument, "a region of interest with a coordinate of {}", value);
  return value;
}

int64_t roi_batch(double index, int64_t batches) {
  if (!(index >= 0 && index < static_cast<double>(batches)))
    fail(Code::invalid_argument, "a region of interest in picture {} of {}", index, batches);
  return static_cast<int64_t>(index);
}

RoiAxis roi_axis(const RoiAlignAttrs& attrs, double low, double high, int64_t bins, int64_t extent) {
  const bool half_pixel = attrs.coordinate_transformation_mode == "half_pixel";
  const double start = low * attrs.spatial_scale - (half_pixel ? 0.5 : 0), reach = (high - low) * attrs.spatial_scale;
  RoiAxis axis{start, (half_pixel ? reach : std::max(reach, 1.0)) / static_cast<double>(bins), attrs.sampling_ratio,
               extent};
  if (!(axis.bin <= kMostRoiSamples))
    fail(Code::invalid_argument, "a region of interest from {} to {} in {} bins", low, high, bins);
  if (attrs.sampling_ratio <= 0) axis.samples = std::max<int64_t>(static_cast<int64_t>(std::ceil(axis.bin)), 0);
  return axis;
}

// Sample `i` of a bin: the element before it and how far it lies behind that one; nothing outside the picture.
struct RoiSample {
  bool inside = false;
  int64_t low = 0, high = 0;
  double fraction = 0;
};

RoiSample roi_sample(const RoiAxis& axis, int64_t bin, int64_t i) {
  const double at = axis.start + static_cast<double>(bin) * axis.bin +
                    (static_cast<double>(i) + 0.5) * axis.bin / static_cast<double>(axis.samples);
  if (at < -1 || at > static_cast<double>(axis.extent)) return {};
  const double inside = std::max(at, 0.0);
  const auto low = static_cast<int64_t>(inside);
  if (low >= axis.extent - 1) return {true, axis.extent - 1, axis.extent - 1, 0};
  return {true, low, low + 1, inside - static_cast<double>(low)};
}

std::vector<RoiSample> samples_of_bin(const RoiAxis& axis, int64_t bin) {
  std::vector<RoiSample> samples;
  for (int64_t i = 0; i < axis.samples; ++i) samples.push_back(roi_sample(axis, bin, i));
  return samples;
}

// Weighted neighbours of a sampling point: above and below, left and right; zeros outside.
std::array<double, 4> roi_neighbours(const TensorView& x, int64_t from, const RoiSample& row, const RoiSample& column) {
  std::array<double, 4> values{};
  if (!row.inside || !column.inside) return values;
  for (size_t i = 0; i < 4; ++i) {
    const bool below = i >= 2, right = i % 2 == 1;
    const double weight = (below ? row.fraction : 1 - row.fraction) * (right ? column.fraction : 1 - column.fraction);
    const int64_t at = (below ? row.high : row.low) * x.strides[2] + (right ? column.high : column.low) * x.strides[3];
    if (weight != 0) values[i] = weight * load_double(x, from + at);
  }
  return values;
}

// avg: the mean of the interpolated samples; max: the largest weighted neighbour of any.
double roi_value(const TensorView& x, int64_t from, const std::vector<RoiSample>& rows,
                 const std::vector<RoiSample>& columns, bool average) {
  const size_t count = rows.size() * columns.size();
  if (count == 0) return 0;
  double sum = 0, most = -std::numeric_limits<double>::infinity();
  for (const RoiSample& row : rows)
    for (const RoiSample& column : columns)
      for (double value : roi_neighbours(x, from, row, column)) {
        sum += value;
        most = std::max(most, value);
      }
  return average ? sum / static_cast<double>(count) : most;
}

void run_roi_align(const KernelArgs& args) {
  const auto& attrs = args.as<RoiAlignAttrs>();
  const TensorView &x = args.inputs[0], &rois = args.inputs[1], &batches = args.inputs[2], &y = args.outputs[0];
  const bool average = attrs.mode == "avg";
  args.pool->parallel_for(y.dims[0], 1, [&](int64_t begin, int64_t end) {
    for (int64_t region = begin; region < end; ++region) {
      const int64_t n = roi_batch(static_cast<double>(load_int(batches, region * batches.strides[0])), x.dims[0]);
      const auto edge = [&](int64_t i) { return roi_element(rois, region, i); };
      const RoiAxis columns = roi_axis(attrs, edge(0), edge(2), y.dims[3], x.dims[3]);
      const RoiAxis rows = roi_axis(attrs, edge(1), edge(3), y.dims[2], x.dims[2]);
      for (int64_t row = 0; row < y.dims[2]; ++row)
        for (int64_t column = 0; column < y.dims[3]; ++column) {
          const auto down = samples_of_bin(rows, row), across = samples_of_bin(columns, column);
          for (int64_t c = 0; c < y.dims[1]; ++c)
            store_double(y, region * y.strides[0] + c * y.strides[1] + row * y.strides[2] + column * y.strides[3],
                         roi_value(x, n * x.strides[0] + c * x.strides[1], down, across, average));
        }
    }
  });
}

// Elements [begin, end) of one bin of a region that covers whole elements `low` to `high`, both counted.
struct RoiBin {
  int64_t begin, end;
};

RoiBin roi_bin(double low, double high, double scale, int64_t bins, int64_t bin, int64_t extent) {
  const auto first = static_cast<int64_t>(std::round(low * scale)),
             last = static_cast<int64_t>(std::round(high * scale));
  const double step = static_cast<double>(std::max<int64_t>(last - first + 1, 1)) / static_cast<double>(bins);
  const auto begin = static_cast<int64_t>(std::floor(static_cast<double>(bin) * step));
  const auto end = static_cast<int64_t>(std::ceil(static_cast<double>(bin + 1) * step));
  return {std::clamp(begin + first, int64_t{0}, extent), std::clamp(end + first, int64_t{0}, extent)};
}

// 0 for a bin without elements
double roi_most(const TensorView& x, int64_t from, RoiBin rows, RoiBin columns) {
  if (rows.begin >= rows.end || columns.begin >= columns.end) return 0;
  double most = -std::numeric_limits<double>::infinity();
  for (int64_t i = rows.begin; i < rows.end; ++i)
    for (int64_t k = columns.begin; k < columns.end; ++k)
      most = std::max(most, load_double(x, from + i * x.strides[2] + k * x.strides[3]));
  return most;
}

void run_max_roi_pool(const KernelArgs& args) {
  const auto& attrs = args.as<MaxRoiPoolAttrs>();
  const TensorView &x = args.inputs[0], &rois = args.inputs[1], &y = args.outputs[0];
  args.pool->parallel_for(y.dims[0], 1, [&](int64_t begin, int64_t end) {
    for (int64_t region = begin; region < end; ++region) {
      const auto edge = [&](int64_t i) { return roi_element(rois, region, i); };
      const int64_t n = roi_batch(edge(0), x.dims[0]);
      for (int64_t row = 0; row < y.dims[2]; ++row)
        for (int64_t column = 0; column < y.dims[3]; ++column) {
          const RoiBin rows = roi_bin(edge(2), edge(4), attrs.spatial_scale, y.dims[2], row, x.dims[2]);
          const RoiBin columns = roi_bin(edge(1), edge(3), attrs.spatial_scale, y.dims[3], column, x.dims[3]);
          for (int64_t c = 0; c < y.dims[1]; ++c)
            store_double(y, region * y.strides[0] + c * y.strides[1] + row * y.strides[2] + column * y.strides[3],
                         roi_most(x, n * x.strides[0] + c * x.strides[1], rows, columns));
        }
    }
  });
}

// X [N, C, H, W], regions [R, coordinates] -> [R, C, height, width]
void check_regions(const Operands& o, int64_t coordinates, double scale, int64_t height, int64_t width) {
  const Slot x = o.in(0).rank(4, 4), rois = o.in(1).rank(2, 2);
  rois.shape({rois.extent(0), coordinates});
  require(std::abs(scale) < 1e9, "a spatial scale of {}", scale);
  require(x.extent(2) > 0 && x.extent(3) > 0, "pictures of {} by {}", x.extent(2), x.extent(3));
  o.out().type_of(x).shape({rois.extent(0), x.extent(1), height, width});
}

// X, regions x1, y1, x2, y2, the picture of each
void check_roi_align(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  const auto& attrs = args.as<RoiAlignAttrs>();
  check_regions(o, 4, attrs.spatial_scale, attrs.output_height, attrs.output_width);
  o.in(2).integers().shape({o.in(1).extent(0)});
  require(attrs.sampling_ratio <= kMostRoiSamples, "{} samples along a bin", attrs.sampling_ratio);
}

// X, regions picture, x1, y1, x2, y2
void check_max_roi_pool(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const auto& attrs = args.as<MaxRoiPoolAttrs>();
  require(attrs.pooled_shape.size() == 2, "a result of {} axes, 2 are accepted", attrs.pooled_shape.size());
  check_regions(o, 5, attrs.spatial_scale, attrs.pooled_shape[0], attrs.pooled_shape[1]);
}

}  // namespace

void register_roi(KernelTable& table) {
  table.add(make_kernel<RoiAlignAttrs>("roi_align", check_roi_align, run_roi_align));
  table.add(make_kernel<MaxRoiPoolAttrs>("max_roi_pool", check_max_roi_pool, run_max_roi_pool));
}

}  // namespace planish::kernels::reference
