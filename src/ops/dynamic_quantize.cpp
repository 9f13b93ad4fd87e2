#include "kernels/reference/dynamic_quantize.h"

#include "ops/op.h"

namespace planish::ops {
namespace {

// x -> numbers of x's extents, and scale and zero point: one, or one for each row along the last axis [.., 1].
void dynamic_infer(InferContext& context) {
  const auto attrs = context.attrs<DynamicQuantizeAttrs>();
  context.require_flag("rows", attrs.rows);
  context.require_flag("symmetric", attrs.symmetric);
  context.require_dtype(0, kFloats);
  if (context.dtype(0) != DataType::f32)
    fail(Code::invalid_model, "operand 0 ('x') is {}; f32 is accepted", context.input(0).str());
  context.require_rank(0, attrs.rows != 0 ? 1 : 0);
  const DataType numbers = attrs.symmetric != 0 ? DataType::i8 : DataType::u8;
  Shape scales;
  if (attrs.rows != 0) {
    std::vector<Dim> dims = context.shape(0).dims();
    dims.back() = 1;
    scales = Shape(std::move(dims));
  }
  context.output(0, numbers, context.shape(0));
  context.output(1, DataType::f32, scales);
  context.output(2, numbers, scales);
}

}  // namespace

void register_dynamic_quantize(OpTable& table) {
  OpDef def;
  def.name = "dynamic_quantize_linear";
  def.outputs = 3;
  def.operand_names = {"x"};
  def.check_attrs = check_attrs_as<DynamicQuantizeAttrs>;
  def.infer = dynamic_infer;
  table.add(std::move(def));
}

}  // namespace planish::ops
