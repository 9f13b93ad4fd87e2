// Resize as a separable weighted sum: one axis after the other, each output position with its taps.

#include "kernels/reference/resize.h"

#include <cmath>
#include <limits>
#include <optional>

#include "kernels/reference/contracts.h"

namespace planish {
namespace {

constexpr double kFarthest = 1e15;  // a scale is data, and may be anything

// Which element of the scales, sizes or roi is about the axis; nothing where none is.
std::optional<int64_t> place_of(const ResizeAttrs& attrs, int rank, size_t axis) {
  if (attrs.axes.empty()) return static_cast<int64_t>(axis);
  for (size_t i = 0; i < attrs.axes.size(); ++i)
    if (normalize_axis(attrs.axes[i], rank) == static_cast<int>(axis)) return static_cast<int64_t>(i);
  return std::nullopt;
}

bool is_given(const KernelArgs& args, size_t i) { return args.has_input(i) && args.inputs[i].element_count() > 0; }

double element(const TensorView& list, int64_t i) { return load_double(list, i * list.strides[0]); }

// The one scale that fits all sizes: the smallest (not_larger) or the largest of their ratios.
double common_scale(const KernelArgs& args, const ResizeAttrs& attrs) {
  const TensorView &x = args.inputs[0], &sizes = args.inputs[3];
  const bool smallest = attrs.keep_aspect_ratio_policy == "not_larger";
  double scale = smallest ? std::numeric_limits<double>::infinity() : 0;
  for (size_t axis = 0; axis < static_cast<size_t>(x.rank); ++axis) {
    const auto place = place_of(attrs, x.rank, axis);
    if (!place || x.dims[axis] == 0) continue;
    const double ratio = element(sizes, *place) / static_cast<double>(x.dims[axis]);
    scale = smallest ? std::min(scale, ratio) : std::max(scale, ratio);
  }
  return scale;
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

// The scale as it was before it became an f32: positions halfway between elements depend on it.
double unrounded(double scale) {
  if (!(scale > 0 && scale <= kMostScale)) return scale;
  const auto fraction = fraction_of(static_cast<float>(scale));
  return fraction ? static_cast<double>(fraction->first) / static_cast<double>(fraction->second) : scale;
}

}  // namespace

std::optional<std::pair<int64_t, int64_t>> fraction_of(float scale) {
  for (int64_t q = 1; q <= 64; ++q) {
    const double p = std::round(static_cast<double>(scale) * static_cast<double>(q));
    if (static_cast<float>(p / static_cast<double>(q)) == scale) return std::pair(static_cast<int64_t>(p), q);
  }
  return std::nullopt;
}

double scaled_extent(double extent, double scale) {
  const auto fraction = fraction_of(static_cast<float>(scale));
  if (!fraction) return std::floor(static_cast<float>(extent) * static_cast<float>(scale));
  return std::floor(extent * static_cast<double>(fraction->first) / static_cast<double>(fraction->second));
}

ResizeAxis resize_axis(const KernelArgs& args, const ResizeAttrs& attrs, size_t axis) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  ResizeAxis result{x.dims[axis], y.dims[axis]};
  result.scale = static_cast<double>(result.out) / static_cast<double>(result.in);
  const auto place = place_of(attrs, x.rank, axis);
  if (is_given(args, 2)) {
    result.scale = place ? unrounded(element(args.inputs[2], *place)) : 1;
  } else if (place && is_given(args, 3) && attrs.keep_aspect_ratio_policy != "stretch") {
    result.scale = common_scale(args, attrs);
  }
  result.length = result.scale * static_cast<double>(result.in);
  if (place && is_given(args, 1) && attrs.coordinate_transformation_mode == "tf_crop_and_resize") {
    result.start = element(args.inputs[1], *place);
    result.end = element(args.inputs[1], *place + args.inputs[1].element_count() / 2);
  }
  return result;
}

bool keeps_positions(const ResizeAttrs& attrs, const ResizeAxis& axis) {
  constexpr double kSame = 1e-9;
  const bool whole = attrs.coordinate_transformation_mode != "tf_crop_and_resize" ||
                     (std::abs(axis.start) < kSame && std::abs(axis.end - 1) < kSame);
  return whole && axis.in == axis.out && std::abs(axis.scale - 1) < kSame;
}

double resize_source(const ResizeAttrs& attrs, const ResizeAxis& axis, int64_t position) {
  const std::string& mode = attrs.coordinate_transformation_mode;
  const auto at = static_cast<double>(position), in = static_cast<double>(axis.in);
  const bool one = axis.out == 1;
  double x = (at + 0.5) / axis.scale - 0.5;
  if (mode == "asymmetric") {
    x = at / axis.scale;
  } else if (mode == "align_corners") {
    x = one ? 0 : at * (in - 1) / (axis.length - 1);
  } else if (mode == "pytorch_half_pixel") {
    x = one ? 0 : x;
  } else if (mode == "half_pixel_symmetric") {
    x += in / 2 * (1 - static_cast<double>(axis.out) / axis.length);
  } else if (mode == "tf_crop_and_resize") {
    const double within = one ? (axis.end - axis.start) / 2 : at * (axis.end - axis.start) / (axis.length - 1);
    x = (axis.start + within) * (in - 1);
  }
  return std::abs(x) < kFarthest ? x : x > 0 ? kFarthest : x < 0 ? -kFarthest : 0;
}

ResizeTaps resize_taps(const ResizeAttrs& attrs, const ResizeAxis& axis, int64_t out) {
  if (keeps_positions(attrs, axis)) return {1, {out}, {1}};
  const double x = resize_source(attrs, axis, out);
  const auto clamp = [&](int64_t at) { return std::clamp(at, int64_t{0}, axis.in - 1); };
  if (attrs.mode == "nearest") return {1, {clamp(nearest_position(attrs.nearest_mode, x))}, {1}};
  const auto base = static_cast<int64_t>(std::floor(x));
  const double fraction = x - static_cast<double>(base);
  if (attrs.mode == "linear") return {2, {clamp(base), clamp(base + 1)}, {1 - fraction, fraction}};
  return cubic_taps(attrs, base, fraction, axis.in);
}

namespace {

// The filter of linear or cubic interpolation made 1 / scale times as wide; its weights add up to 1.
ResizePosition antialiased_taps(const ResizeAttrs& attrs, const ResizeAxis& axis, double x) {
  const double scale = std::min(axis.scale, 1.0), reach = (attrs.mode == "linear" ? 1 : 2) / scale;
  if (!(reach <= 4 * static_cast<double>(axis.in) + 4))
    fail(Code::invalid_argument, "a scale of {} for an extent of {}", axis.scale, axis.in);
  // A coordinate so far out that its taps would all be at one end is as good as one just beyond.
  const double from = std::clamp(x, -reach, static_cast<double>(axis.in) + reach);
  const auto first = static_cast<int64_t>(std::floor(from - reach)) + 1,
             last = static_cast<int64_t>(std::floor(from + reach));
  ResizePosition taps;
  double sum = 0;
  for (int64_t at = first; at <= last; ++at) {
    const bool outside = at < 0 || at >= axis.in;
    if (outside && attrs.exclude_outside != 0) continue;
    const double distance = (static_cast<double>(at) - from) * scale;
    const double weight =
        attrs.mode == "linear" ? std::max(0.0, 1 - std::abs(distance)) : cubic_weight(distance, attrs.cubic_coeff_a);
    taps.positions.push_back(std::clamp(at, int64_t{0}, axis.in - 1));
    taps.weights.push_back(weight);
    sum += weight;
  }
  for (double& weight : taps.weights) weight /= sum;
  return taps;
}

}  // namespace

ResizePosition resize_position(const ResizeAttrs& attrs, const ResizeAxis& axis, int64_t out) {
  const double x = resize_source(attrs, axis, out);
  if (attrs.antialias != 0 && attrs.mode != "nearest" && !keeps_positions(attrs, axis))
    return antialiased_taps(attrs, axis, x);
  const ResizeTaps plain = resize_taps(attrs, axis, out);
  ResizePosition taps;
  taps.positions.assign(plain.positions.begin(), plain.positions.begin() + static_cast<std::ptrdiff_t>(plain.count));
  taps.weights.assign(plain.weights.begin(), plain.weights.begin() + static_cast<std::ptrdiff_t>(plain.count));
  taps.outside =
      attrs.coordinate_transformation_mode == "tf_crop_and_resize" && (x < 0 || x > static_cast<double>(axis.in - 1));
  return taps;
}

namespace kernels::reference {
namespace {

// The weighted sum of the taps of all axes.
double resized(const TensorView& x, std::span<const ResizePosition* const> taps) {
  std::array<int64_t, kMaxRank> counts{};
  for (size_t axis = 0; axis < taps.size(); ++axis) counts[axis] = static_cast<int64_t>(taps[axis]->positions.size());
  const std::array<int64_t, kMaxRank> none{};
  double sum = 0;
  for (Odometer<1> tap({counts.data(), taps.size()}, {std::span<const int64_t>(none)}); tap.valid(); tap.next()) {
    double weight = 1;
    int64_t from = 0;
    for (size_t axis = 0; axis < taps.size(); ++axis) {
      const auto at = static_cast<size_t>(tap.index[axis]);
      weight *= taps[axis]->weights[at];
      from += taps[axis]->positions[at] * x.strides[axis];
    }
    sum += weight * load_double(x, from);
  }
  return sum;
}

// Nearest elements are copied, other values rounded to what the type holds.
void store_resized(const KernelArgs& args, int64_t to, std::span<const ResizePosition* const> taps) {
  const auto& attrs = args.as<ResizeAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (std::any_of(taps.begin(), taps.end(), [](const ResizePosition* axis) { return axis->outside; }))
    return store_double(y, to, attrs.extrapolation_value);
  if (is_float(y.dtype)) return store_double(y, to, resized(x, taps));
  if (attrs.mode != "nearest") return store_double(y, to, std::nearbyint(resized(x, taps)));
  int64_t from = 0;
  for (size_t axis = 0; axis < taps.size(); ++axis) from += taps[axis]->positions[0] * x.strides[axis];
  store_int(y, to, load_int(x, from));
}

void run_resize(const KernelArgs& args) {
  const auto& attrs = args.as<ResizeAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (x.element_count() == 0 || y.element_count() == 0) return;
  const auto rank = static_cast<size_t>(x.rank), fixed = std::min<size_t>(rank, 2);
  std::vector<std::vector<ResizePosition>> taps(rank);
  for (size_t i = 0; i < rank; ++i) {
    const ResizeAxis axis = resize_axis(args, attrs, i);
    for (int64_t at = 0; at < axis.out; ++at) taps[i].push_back(resize_position(attrs, axis, at));
  }
  const int64_t columns = rank > 1 ? y.dims[1] : 1;
  args.pool->parallel_for(rank == 0 ? 1 : y.dims[0] * columns, 1, [&](int64_t begin, int64_t end) {
    for (int64_t outer = begin; outer < end; ++outer) {
      std::array<int64_t, kMaxRank> index = {outer / columns, outer % columns};
      const int64_t base = (rank > 0 ? index[0] * y.strides[0] : 0) + (rank > 1 ? index[1] * y.strides[1] : 0);
      for (Odometer<1> at(y.extents().subspan(fixed), {std::span<const int64_t>(y.strides).subspan(fixed)}); at.valid();
           at.next()) {
        std::copy_n(at.index.begin(), rank - fixed, index.begin() + static_cast<std::ptrdiff_t>(fixed));
        std::array<const ResizePosition*, kMaxRank> here{};
        for (size_t axis = 0; axis < rank; ++axis) here[axis] = &taps[axis][static_cast<size_t>(index[axis])];
        store_resized(args, base + at.offset[0], {here.data(), rank});
      }
    }
  });
}

// X, roi?, scales?, sizes?
void check_extents_of_resize(const KernelArgs& args) {
  const Operands o(args, 1, 4, 0, 0);
  o.in(1).list();
  o.in(2).list();
  o.in(3).integers().list();
}

// The sizes, or what the policy makes of them, or floor(extent * scale).
void run_extents_of_resize(const KernelArgs& args) {
  const auto& attrs = args.as<ResizeAttrs>();
  const TensorView& x = args.inputs[0];
  const bool sized = is_given(args, 3), stretch = attrs.keep_aspect_ratio_policy == "stretch";
  const auto axes = attrs.axes.empty() ? static_cast<int64_t>(x.rank) : static_cast<int64_t>(attrs.axes.size());
  const int64_t given = !sized && !is_given(args, 2) ? 0 : args.inputs[sized ? 3 : 2].element_count();
  if (given != axes) fail(Code::invalid_argument, "{} scales or sizes for {} axes", given, axes);
  const double common = sized && !stretch ? common_scale(args, attrs) : 0;
  std::vector<int64_t> extents(x.extents().begin(), x.extents().end());
  for (size_t axis = 0; axis < extents.size(); ++axis) {
    const auto place = place_of(attrs, x.rank, axis);
    if (!place) continue;
    const double in = static_cast<double>(extents[axis]), scale = sized ? common : element(args.inputs[2], *place);
    if (!sized && !(scale > 0 && scale <= kMostScale))
      fail(Code::invalid_argument, "a scale of {} along axis {}", scale, axis);
    const double extent = sized && stretch ? element(args.inputs[3], *place)
                          : sized          ? std::round(scale * in)
                                           : scaled_extent(in, scale);
    if (!(extent >= 0) || extent > 1e15) fail(Code::invalid_argument, "an extent of {} along axis {}", extent, axis);
    extents[axis] = static_cast<int64_t>(extent);
  }
  bind_extents(args, extents);
}

}  // namespace

// X, roi? (starts and ends), scales?, sizes?, of these one for each of `axes`, or for every axis -> X's type and rank
void check_resize(const KernelArgs& args) {
  const Operands o(args, 1, 4);
  const auto& attrs = args.as<ResizeAttrs>();
  const Slot x = o.in(0);
  o.out().type_of(x).rank(x.view().rank, x.view().rank);
  for (int64_t axis : attrs.axes) x.axis(axis);
  const int64_t named = attrs.axes.empty() ? x.view().rank : static_cast<int64_t>(attrs.axes.size());
  for (size_t i : {1, 2, 3})
    if (is_given(args, i)) o.in(i).list(i == 1 ? 2 * named : named);
  require(attrs.mode == "nearest" || attrs.mode == "linear" || attrs.mode == "cubic",
          "mode '{}'; nearest, linear and cubic are accepted", attrs.mode);
}

void register_resize(KernelTable& table) {
  table.add(make_kernel<ResizeAttrs>("extents.resize", check_extents_of_resize, run_extents_of_resize));
  table.add(make_kernel<ResizeAttrs>("resize", check_resize, run_resize));
}

}  // namespace kernels::reference
}  // namespace planish
