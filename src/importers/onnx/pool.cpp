// Poolings and windows that need a word on the way in: LpPool, GlobalLpPool, RoiAlign, CenterCropPad.

#include <cmath>

#include "importers/onnx/importer.h"

namespace planish::onnx {
namespace {

// Opset 1 wrote the order of the norm as a float.
int64_t norm_order(NodeContext& context) {
  if (context.opset() >= 2) return context.get_or<int64_t>("p", 2);
  const auto p = context.get_or<double>("p", 2);
  if (!(p >= 1 && p <= 1e6) || p != std::floor(p))
    fail(Code::unsupported, "attribute 'p' is {}; whole numbers from 1 on are accepted", p);
  return static_cast<int64_t>(p);
}

void import_lp_pool(NodeContext& context) {
  Attrs attrs = context.attrs();
  attrs.set("p", norm_order(context));
  context.emit("lp_pool", {context.input(0)}, std::move(attrs));
}

// The norm over all spatial axes.
void import_global_lp_pool(NodeContext& context) {
  const ValueId x = context.input(0);
  const int64_t p = norm_order(context);
  if (p < 1) fail(Code::invalid_model, "attribute 'p' is {}; 1 and more is accepted", p);
  if (context.type(0).shape.rank() < 3)
    fail(Code::invalid_model, "operand 0 is {}; rank 3 and more is accepted", context.type(0).str());
  std::vector<int64_t> spatial;
  for (int64_t i = 2; i < context.type(0).shape.rank(); ++i) spatial.push_back(i);
  const ValueId axes = context.ints(spatial);
  if (p <= 2) return context.emit(p == 1 ? "reduce_l1" : "reduce_l2", {x, axes});
  const auto order = static_cast<double>(p);
  const ValueId powers = context.add("pow", {context.add("abs", {x}), context.scalar_like(x, order)});
  context.emit("pow", {context.add("reduce_sum", {powers, axes}), context.scalar_like(x, 1 / order)});
}

// Opset < 16: regions are not moved by half an element.
void import_roi_align(NodeContext& context) {
  Attrs attrs = context.attrs();
  if (context.opset() < 16) attrs.set("coordinate_transformation_mode", std::string("output_half_pixel"));
  context.emit("roi_align", context.inputs(), std::move(attrs));
}

// Along each axis: what is too long loses floor(surplus / 2) in front, what is too short gains floor(lack / 2) there.
void import_center_crop_pad(NodeContext& context) {
  const ValueId x = context.input(0);
  std::vector<int64_t> named = context.get_or<std::vector<int64_t>>("axes", {});
  if (context.attribute("axes") == nullptr)
    for (int64_t i = 0; i < context.type(0).shape.rank(); ++i) named.push_back(i);
  for (int64_t& axis : named) axis = normalize_axis(axis, context.type(0).shape.rank());
  const ValueId axes = context.ints(named), zero = context.ints({0}), two = context.ints({2});
  ValueId wanted = context.input(1);
  if (context.type(1).dtype != DataType::i64) wanted = context.add("cast", {wanted}, {{"to", DataType::i64}});
  const ValueId given = context.add("gather", {context.add("shape", {x}), axes});
  const auto excess = [&](ValueId more, ValueId less) {
    return context.add("max", {context.add("sub", {more, less}), zero});
  };
  const ValueId start = context.add("div", {excess(given, wanted), two}), lack = excess(wanted, given);
  const ValueId end = context.add("add", {start, context.add("min", {given, wanted})});
  const ValueId cut = context.add("slice", {x, start, end, axes});
  const ValueId before = context.add("div", {lack, two});
  const ValueId pads = context.add("concat", {before, context.add("sub", {lack, before})}, {{"axis", int64_t{0}}});
  context.emit("pad", {cut, pads, ValueId{}, axes});
}

}  // namespace

void register_pool(ImporterTable& table) {
  table.add("LpPool", import_lp_pool, 1);
  table.add("GlobalLpPool", import_global_lp_pool, 1);
  table.add("RoiAlign", import_roi_align);
  table.add("CenterCropPad", import_center_crop_pad, 2);
}

}  // namespace planish::onnx
