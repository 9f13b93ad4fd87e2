#include <cmath>

#include "kernels/reference/move.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

bool non_empty(InferContext& context, size_t i) {
  return context.has_input(i) && context.shape(i).element_count() != Dim(0);
}

// floor(extent * scale). An exact ratio p/q of small numbers keeps a symbolic extent exact.
Dim scaled_extent(Dim extent, double scale) {
  if (extent.is_constant()) return static_cast<int64_t>(std::floor(static_cast<double>(extent.value()) * scale + 1e-9));
  for (int64_t q = 1; q <= 64; ++q) {
    const double p = scale * static_cast<double>(q);
    if (std::abs(p - std::round(p)) < 1e-7) return floor_div(extent * Dim(static_cast<int64_t>(std::round(p))), q);
  }
  fail(Code::unsupported, "a symbolic extent {} scaled by {}", extent.str(), scale);
}

void measured_resize(InferContext& context, const std::vector<int>& axes) {
  const auto dims = context.measured(context.rank(0));
  std::vector<Dim> extents = context.shape(0).dims();
  for (int axis : axes) extents[static_cast<size_t>(axis)] = dims[static_cast<size_t>(axis)];
  context.output(0, context.dtype(0), Shape(std::move(extents)));
}

void resize_infer(InferContext& context) {
  const auto attrs = context.attrs<ResizeAttrs>();
  context.require_dtype(0, kNumbers);
  context.require_choice("mode", attrs.mode, {"nearest", "linear", "cubic"});
  if (attrs.mode == "nearest")
    context.require_choice("nearest_mode", attrs.nearest_mode,
                           {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
  context.require_choice("coordinate_transformation_mode", attrs.coordinate_transformation_mode,
                         {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                          "tf_crop_and_resize"});
  context.require_flag("exclude_outside", attrs.exclude_outside);
  if (attrs.antialias != 0 || attrs.keep_aspect_ratio_policy != "stretch" ||
      attrs.coordinate_transformation_mode == "tf_crop_and_resize")
    fail(Code::unsupported, "antialias, keep_aspect_ratio_policy or tf_crop_and_resize");
  std::vector<int64_t> named = attrs.axes;
  if (named.empty())
    for (int i = 0; i < context.rank(0); ++i) named.push_back(i);
  const std::vector<int> axes = context.distinct_axes(named, context.rank(0));
  std::vector<Dim> dims = context.shape(0).dims();
  const auto place = [&](size_t i) -> Dim& { return dims[static_cast<size_t>(axes[i])]; };
  const bool known =
      non_empty(context, 3) ? context.contents(3).has_value() : !context.has_input(2) || context.constant(2);
  if (!known) return measured_resize(context, axes);
  if (non_empty(context, 3)) {
    if (non_empty(context, 2)) fail(Code::invalid_model, "both scales and sizes; one of them is accepted");
    const std::vector<Dim> sizes = context.list(3);
    if (sizes.size() != axes.size()) fail(Code::invalid_model, "{} sizes for {} axes", sizes.size(), axes.size());
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i].is_constant() && (sizes[i].value() < 1 && place(i) != sizes[i]))
        fail(Code::invalid_model, "a size of {} for an extent of {}; 1 and more are accepted", sizes[i].value(),
             place(i).str());
      place(i) = sizes[i];
    }
  } else {
    if (!non_empty(context, 2)) fail(Code::invalid_model, "neither scales nor sizes; one of them is accepted");
    context.require_dtype(2, kFloats);
    context.require_rank(2, 1, 1);
    const auto factors = context.constant(2)->to_doubles();
    if (factors.size() != axes.size()) fail(Code::invalid_model, "{} scales for {} axes", factors.size(), axes.size());
    for (double factor : factors)
      if (!std::isfinite(factor) || factor <= 0 || factor > 1e6)
        fail(Code::invalid_model, "a scale of {}; above 0 and up to 1e6 is accepted", factor);
    for (size_t i = 0; i < factors.size(); ++i) place(i) = scaled_extent(place(i), factors[i]);
  }
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
