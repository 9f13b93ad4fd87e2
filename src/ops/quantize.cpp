#include "kernels/reference/quantize.h"

#include <cmath>

#include "ops/op.h"

namespace planish::ops {
namespace {

void quantize_check(InferContext& context) {
  if (context.attrs<QuantizeAttrs>().block_size != 0)
    fail(Code::unsupported, "block_size; per-tensor and per-axis are accepted");
  context.require_dtype(1, kFloats);
  context.require_rank(1, 0, 1);
  const Shape &x = context.shape(0), &scales = context.shape(1);
  if (scales.rank() == 1 && scales[0] != Dim(1)) {
    const int axis = normalize_axis(context.attrs<QuantizeAttrs>().axis, x.rank());
    if (!context.assume_equal(scales[0], x[axis]))
      fail(Code::invalid_model, "{} scales for an extent of {} on axis {}", scales[0].value(), x[axis].value(), axis);
  }
  if (context.has_input(2)) {
    context.require_dtype(2, kIntegers);
    if (scales.element_count() != Dim(1) || context.shape(2).element_count() != Dim(1))
      context.require_shape(2, scales);
  }
  const auto scale = context.constant(1);
  if (!scale) return;
  for (double value : scale->to_doubles())
    if (!std::isfinite(value) || value == 0)
      fail(Code::invalid_model, "a scale of {}; finite ones other than 0 are accepted", value);
}

}  // namespace

void register_quantize(OpTable& table) {
  OpDef def;
  def.name = "quantize_linear";
  def.min_inputs = 2;
  def.max_inputs = 3;
  def.operand_names = {"x", "scale", "zero_point"};
  def.check_attrs = check_attrs_as<QuantizeAttrs>;
  def.infer = [](InferContext& context) {
    quantize_check(context);
    context.require_dtype(0, kNumbers);
    context.output(0, context.has_input(2) ? context.dtype(2) : DataType::u8, context.shape(0));
  };
  OpDef back = def;
  back.name = "dequantize_linear";
  back.infer = [](InferContext& context) {
    quantize_check(context);
    context.require_dtype(0, kIntegers);
    if (context.has_input(2)) context.require_same_dtype(0, 2);
    context.output(0, context.dtype(1), context.shape(0));
  };
  table.add(std::move(def));
  table.add(std::move(back));
}

}  // namespace planish::ops
