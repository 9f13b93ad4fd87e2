#include "kernels/reference/quantize.h"

#include <cmath>

#include "ops/op.h"

namespace planish::ops {
namespace {

// One for all, one for each position of the axis, or one for each block along it.
void check_scales(InferContext& context, const QuantizeAttrs& attrs) {
  const Shape &x = context.shape(0), &scales = context.shape(1);
  if (attrs.block_size < 0)
    fail(Code::invalid_model, "attribute 'block_size' is {}; 0 and more are accepted", attrs.block_size);
  if (attrs.block_size > 0) {
    std::vector<Dim> blocks = x.dims();
    Dim& extent = blocks[static_cast<size_t>(normalize_axis(attrs.axis, x.rank()))];
    extent = ceil_div(extent, attrs.block_size);
    return context.require_shape(1, Shape(std::move(blocks)));
  }
  context.require_rank(1, 0, 1);
  if (scales.rank() == 0 || scales[0] == Dim(1)) return;
  const int axis = normalize_axis(attrs.axis, x.rank());
  if (!context.assume_equal(scales[0], x[axis]))
    fail(Code::invalid_model, "{} scales for an extent of {} on axis {}", scales[0].str(), x[axis].str(), axis);
}

void quantize_check(InferContext& context) {
  context.require_dtype(1, kFloats);
  check_scales(context, context.attrs<QuantizeAttrs>());
  const Shape& scales = context.shape(1);
  if (context.has_input(2)) {
    context.require_dtype(2, kIntegers | kNarrow);
    if (scales.element_count() != Dim(1) || context.shape(2).element_count() != Dim(1))
      context.require_shape(2, scales);
  }
  const auto scale = context.constant(1);
  if (!scale) return;
  const bool divides = context.node().op == "quantize_linear";
  // A block of zeros may have any scale.
  const bool zero_fits = !divides && context.attrs<QuantizeAttrs>().block_size > 0;
  for (double value : scale->to_doubles()) {
    if (!std::isfinite(value) || (value == 0 && !zero_fits))
      fail(Code::invalid_model, "a scale of {}; finite ones{} are accepted", value, zero_fits ? "" : " other than 0");
    // What divides by it is no number any more; of another type such a one is normal as f32.
    if (divides && !std::isnormal(static_cast<float>(value)))
      fail(Code::invalid_model, "a scale of {}; normal numbers are accepted", value);
  }
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
    const DataType wanted = context.attrs<QuantizeAttrs>().output_dtype;
    const DataType given = context.has_input(2) ? context.dtype(2) : DataType::u8;
    if (context.has_input(2) && wanted != DataType::none && wanted != given)
      fail(Code::invalid_model, "attribute 'output_dtype' is {}; the zero point's type, {}, is accepted",
           data_type_name(wanted), data_type_name(given));
    const DataType result = wanted == DataType::none ? given : wanted;
    if (!is_integer(result) && !is_narrow(result))
      fail(Code::invalid_model, "attribute 'output_dtype' is {}; integers and narrow types are accepted",
           data_type_name(result));
    context.output(0, result, context.shape(0));
  };
  OpDef back = def;
  back.name = "dequantize_linear";
  back.infer = [](InferContext& context) {
    quantize_check(context);
    context.require_dtype(0, kIntegers | kNarrow);
    if (context.has_input(2)) context.require_same_dtype(0, 2);
    const DataType wanted = context.attrs<QuantizeAttrs>().output_dtype;
    if (wanted != DataType::none && (!is_float(wanted) || is_narrow(wanted)))
      fail(Code::invalid_model, "attribute 'output_dtype' is {}; floats are accepted", data_type_name(wanted));
    context.output(0, wanted == DataType::none ? context.dtype(1) : wanted, context.shape(0));
  };
  table.add(std::move(def));
  table.add(std::move(back));
}

}  // namespace planish::ops
