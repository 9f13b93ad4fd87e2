// Resize as a separable weighted sum: one axis after the other, each output position with its taps.

#include "kernels/reference/resize.h"

#include <cmath>

#include "kernels/reference/contracts.h"

namespace planish {
namespace {

constexpr double kFarthest = 1e15;  // a scale is data, and may be anything

double source_coordinate(const std::string& mode, double out, double scale, double in_extent, double out_extent) {
  if (mode == "asymmetric") return out / scale;
  if (mode == "align_corners") return out_extent == 1 ? 0 : out * (in_extent - 1) / (out_extent - 1);
  if (mode == "pytorch_half_pixel" && out_extent == 1) return 0;
  if (mode == "half_pixel_symmetric") {
    const double adjusted = out_extent / (in_extent * scale), centre = in_extent / 2;
    return centre * (1 - adjusted) + (out + 0.5) / scale - 0.5;
  }
  return (out + 0.5) / scale - 0.5;
}

int64_t nearest_position(const std::string& mode, double x) {
  if (mode == "floor") return static_cast<int64_t>(std::floor(x));
  if (mode == "ceil") return static_cast<int64_t>(std::ceil(x));
  if (mode == "round_prefer_ceil") return static_cast<int64_t>(std::floor(x + 0.5));
  return static_cast<int64_t>(std::ceil(x - 0.5));
}

double cubic_weight(double distance, double a) {
  const double d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

ResizeTaps cubic_taps(const ResizeAttrs& attrs, int64_t base, double fraction, int64_t in_extent) {
  ResizeTaps taps;
  taps.count = 4;
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int64_t at = base + static_cast<int64_t>(i) - 1;
    const bool outside = at < 0 || at >= in_extent;
    taps.positions[i] = std::clamp(at, int64_t{0}, in_extent - 1);
    taps.weights[i] = attrs.exclude_outside != 0 && outside
                          ? 0
                          : cubic_weight(fraction + 1 - static_cast<double>(i), attrs.cubic_coeff_a);
    sum += taps.weights[i];
  }
  if (attrs.exclude_outside != 0)
    for (double& weight : taps.weights) weight /= sum;
  return taps;
}

}  // namespace

ResizeTaps resize_taps(const ResizeAttrs& attrs, int64_t out, double scale, int64_t in_extent, int64_t out_extent) {
  if (in_extent == out_extent) return {1, {out}, {1}};
  double x = source_coordinate(attrs.coordinate_transformation_mode, static_cast<double>(out), scale,
                               static_cast<double>(in_extent), static_cast<double>(out_extent));
  if (!(std::abs(x) < kFarthest)) x = x > 0 ? kFarthest : x < 0 ? -kFarthest : 0;
  const auto clamp = [&](int64_t at) { return std::clamp(at, int64_t{0}, in_extent - 1); };
  if (attrs.mode == "nearest") return {1, {clamp(nearest_position(attrs.nearest_mode, x))}, {1}};
  const auto base = static_cast<int64_t>(std::floor(x));
  const double fraction = x - static_cast<double>(base);
  if (attrs.mode == "linear") return {2, {clamp(base), clamp(base + 1)}, {1 - fraction, fraction}};
  return cubic_taps(attrs, base, fraction, in_extent);
}

double resize_scale(const KernelArgs& args, const ResizeAttrs& attrs, size_t axis) {
  const double ratio = static_cast<double>(args.outputs[0].dims[axis]) / static_cast<double>(args.inputs[0].dims[axis]);
  if (!args.has_input(2) || args.inputs[2].element_count() == 0) return ratio;
  for (size_t i = 0; i < attrs.axes.size(); ++i)
    if (normalize_axis(attrs.axes[i], args.inputs[0].rank) == static_cast<int>(axis))
      return load_double(args.inputs[2], static_cast<int64_t>(i) * args.inputs[2].strides[0]);
  return attrs.axes.empty() ? load_double(args.inputs[2], static_cast<int64_t>(axis) * args.inputs[2].strides[0]) : 1;
}

namespace kernels::reference {
namespace {

void run_resize(const KernelArgs& args) {
  const auto& attrs = args.as<ResizeAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (x.element_count() == 0 || y.element_count() == 0) return;
  const auto rank = static_cast<size_t>(x.rank);
  std::vector<std::vector<ResizeTaps>> taps(rank);
  for (size_t axis = 0; axis < rank; ++axis)
    for (int64_t i = 0; i < y.dims[axis]; ++i)
      taps[axis].push_back(resize_taps(attrs, i, resize_scale(args, attrs, axis), x.dims[axis], y.dims[axis]));
  args.pool->parallel_for(rank == 0 ? 1 : y.dims[0] * (rank > 1 ? y.dims[1] : 1), 1, [&](int64_t begin, int64_t end) {
    for (int64_t outer = begin; outer < end; ++outer) {
      std::array<int64_t, kMaxRank> first{};
      const size_t fixed = std::min<size_t>(rank, 2);
      if (rank > 0) first[0] = rank > 1 ? outer / y.dims[1] : outer;
      if (rank > 1) first[1] = outer % y.dims[1];
      for (Odometer<1> at(y.extents().subspan(fixed), {std::span<const int64_t>(y.strides).subspan(fixed)}); at.valid();
           at.next()) {
        std::array<int64_t, kMaxRank> index = first, counts{};
        for (size_t axis = fixed; axis < rank; ++axis) index[axis] = at.index[axis - fixed];
        int64_t to = at.offset[0];
        for (size_t axis = 0; axis < fixed; ++axis) to += first[axis] * y.strides[axis];
        for (size_t axis = 0; axis < rank; ++axis)
          counts[axis] = static_cast<int64_t>(taps[axis][static_cast<size_t>(index[axis])].count);
        const std::array<int64_t, kMaxRank> none{};
        double sum = 0;
        for (Odometer<1> tap({counts.data(), rank}, {std::span<const int64_t>(none)}); tap.valid(); tap.next()) {
          double weight = 1;
          int64_t from = 0;
          for (size_t axis = 0; axis < rank; ++axis) {
            const ResizeTaps& t = taps[axis][static_cast<size_t>(index[axis])];
            weight *= t.weights[static_cast<size_t>(tap.index[axis])];
            from += t.positions[static_cast<size_t>(tap.index[axis])] * x.strides[axis];
          }
          sum += weight * load_double(x, from);
        }
        store_double(y, to, sum);
      }
    }
  });
}

}  // namespace

// X, roi?, scales? (one for each of `axes`, or for every axis), sizes? -> X's type and rank
void check_resize(const KernelArgs& args) {
  const Operands o(args, 1, 4);
  const auto& attrs = args.as<ResizeAttrs>();
  const Slot x = o.in(0), scales = o.in(2);
  o.out().type_of(x).rank(x.view().rank, x.view().rank);
  for (int64_t axis : attrs.axes) x.axis(axis);
  if (scales.present() && scales.view().element_count() > 0)
    scales.list(attrs.axes.empty() ? x.view().rank : static_cast<int64_t>(attrs.axes.size()));
  require(attrs.mode == "nearest" || attrs.mode == "linear" || attrs.mode == "cubic",
          "mode '{}'; nearest, linear and cubic are accepted", attrs.mode);
}

void register_resize(KernelTable& table) { table.add(make_kernel<ResizeAttrs>("resize", check_resize, run_resize)); }

}  // namespace kernels::reference
}  // namespace planish
