#include <algorithm>
#include <cmath>
#include <optional>

#include "kernels/reference/resize.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

bool non_empty(const InferContext& context, size_t i) {
  return context.has_input(i) && context.shape(i).element_count() != Dim(0);
}

// floor(extent * scale). Of a scale that is no small fraction the bits are taken as they are.
Dim symbolic_extent(Dim extent, double scale) {
  if (extent.is_constant()) {
    const double scaled = scaled_extent(static_cast<double>(extent.value()), scale);
    if (scaled > 1e15) fail(Code::invalid_model, "an extent of {} scaled by {}", extent.value(), scale);
    return static_cast<int64_t>(scaled);
  }
  if (const auto fraction = fraction_of(static_cast<float>(scale)))
    return floor_div(extent * Dim(fraction->first), fraction->second);
  constexpr int kBits = 24;
  int exponent = 0;
  const auto digits = static_cast<int64_t>(std::ldexp(std::frexp(scale, &exponent), kBits));
  const int shift = kBits - exponent;
  if (shift > 40) fail(Code::unsupported, "a symbolic extent {} scaled by {}", extent.str(), scale);
  return floor_div(extent * Dim(digits), Dim(int64_t{1} << std::max(shift, 0)));
}

// Extents that the kernel reads from scales or sizes; sizes may be known in part.
std::vector<Dim> measured_extents(InferContext& context, const ResizeAttrs& attrs, const std::vector<int>& axes) {
  const auto dims = context.measured_like(0);
  std::vector<Dim> extents;
  for (int axis : axes) extents.push_back(dims[static_cast<size_t>(axis)]);
  if (!non_empty(context, 3) || attrs.keep_aspect_ratio_policy != "stretch") return extents;
  const auto sizes = context.partial_list(3);
  for (size_t i = 0; i < std::min(sizes.size(), extents.size()); ++i)
    if (sizes[i] && sizes[i]->lower_bound(context.symbols()) >= 1) extents[i] = *sizes[i];
  return extents;
}

void check_resize_choices(const InferContext& context, const ResizeAttrs& attrs) {
  context.require_choice("mode", attrs.mode, {"nearest", "linear", "cubic"});
  if (attrs.mode == "nearest")
    context.require_choice("nearest_mode", attrs.nearest_mode,
                           {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  context.require_choice("coordinate_transformation_mode", attrs.coordinate_transformation_mode,
                         {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                          "tf_crop_and_resize"});
  context.require_choice("keep_aspect_ratio_policy", attrs.keep_aspect_ratio_policy,
                         {"stretch", "not_larger", "not_smaller"});
  context.require_flag("exclude_outside", attrs.exclude_outside);
  context.require_flag("antialias", attrs.antialias);
}

// Starts and ends of the part that is shown, one of each for each axis.
void check_roi(const InferContext& context, size_t axes) {
  if (!context.has_input(1)) fail(Code::invalid_model, "{} is missing for tf_crop_and_resize", context.operand(1));
  context.require_dtype(1, kFloats);
  context.require_shape(1, Shape{static_cast<int64_t>(2 * axes)});
}

// round(scale * extent) of the scale that makes no extent larger, or smaller, than its size. Rounding keeps order: the
// extents of all scales are compared instead of the scales.
Dim fitted_extent(Dim extent, const std::vector<Dim>& sizes, const std::vector<Dim>& extents, bool larger) {
  std::optional<Dim> fitted;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Dim candidate = floor_div(sizes[i] * extent * 2 + extents[i], extents[i] * 2);
    fitted = !fitted ? candidate : larger ? max(*fitted, candidate) : min(*fitted, candidate);
  }
  return *fitted;
}

std::vector<Dim> extents_of_sizes(const InferContext& context, const ResizeAttrs& attrs, const std::vector<int>& axes) {
  const std::vector<Dim> sizes = context.list(3);
  if (sizes.size() != axes.size()) fail(Code::invalid_model, "{} sizes for {} axes", sizes.size(), axes.size());
  std::vector<Dim> extents, results;
  for (int axis : axes) extents.push_back(context.shape(0)[axis]);
  for (size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i].is_constant() && sizes[i].value() < 1 && extents[i] != sizes[i])
      fail(Code::invalid_model, "a size of {} for an extent of {}; 1 and more are accepted", sizes[i].value(),
           extents[i].str());
  if (attrs.keep_aspect_ratio_policy == "stretch") return sizes;
  for (Dim extent : extents)
    if (extent == Dim(0)) fail(Code::invalid_model, "an extent of 0 has no aspect ratio to keep");
  for (Dim extent : extents)
    results.push_back(fitted_extent(extent, sizes, extents, attrs.keep_aspect_ratio_policy == "not_smaller"));
  return results;
}

// Also where tf_crop_and_resize shows a part alone.
std::vector<Dim> extents_of_scales(const InferContext& context, const std::vector<int>& axes) {
  if (!non_empty(context, 2)) fail(Code::invalid_model, "neither scales nor sizes; one of them is accepted");
  context.require_dtype(2, kFloats);
  context.require_rank(2, 1, 1);
  const auto factors = context.constant(2)->to_doubles();
  if (factors.size() != axes.size()) fail(Code::invalid_model, "{} scales for {} axes", factors.size(), axes.size());
  for (double factor : factors)
    if (!std::isfinite(factor) || factor <= 0 || factor > kMostScale)
      fail(Code::invalid_model, "a scale of {}; above 0 and up to 1e6 is accepted", factor);
  std::vector<Dim> results;
  for (size_t i = 0; i < factors.size(); ++i) results.push_back(symbolic_extent(context.shape(0)[axes[i]], factors[i]));
  return results;
}

void resize_infer(InferContext& context) {
  const auto attrs = context.attrs<ResizeAttrs>();
  context.require_dtype(0, kComputed);
  check_resize_choices(context, attrs);
  std::vector<int64_t> named = attrs.axes;
  if (named.empty())
    for (int i = 0; i < context.rank(0); ++i) named.push_back(i);
  const std::vector<int> axes = context.distinct_axes(named, context.rank(0));
  if (attrs.coordinate_transformation_mode == "tf_crop_and_resize") check_roi(context, axes.size());
  const bool sized = non_empty(context, 3);
  if (sized && non_empty(context, 2)) fail(Code::invalid_model, "both scales and sizes; one of them is accepted");
  const bool known = sized ? context.contents(3).has_value() : !context.has_input(2) || context.constant(2);
  const std::vector<Dim> extents = !known  ? measured_extents(context, attrs, axes)
                                   : sized ? extents_of_sizes(context, attrs, axes)
                                           : extents_of_scales(context, axes);
  std::vector<Dim> dims = context.shape(0).dims();
  for (size_t i = 0; i < axes.size(); ++i) dims[static_cast<size_t>(axes[i])] = extents[i];
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

}  // namespace

void register_resize(OpTable& table) {
  OpDef def;
  def.name = "resize";
  def.min_inputs = 1;
  def.max_inputs = 4;
  def.operand_names = {"X", "roi", "scales", "sizes"};
  def.check_attrs = check_attrs_as<ResizeAttrs>;
  def.infer = resize_infer;
  table.add(std::move(def));
}

}  // namespace planish::ops
