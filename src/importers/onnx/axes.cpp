// Operators whose axes, shapes and bounds moved from attributes to operands over the opsets.

#include <algorithm>
#include <cctype>

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

// Operand i, or the attribute as a constant, or absent.
ValueId operand_or_attribute(NodeContext& context, size_t i, const char* name) {
  if (context.has_input(i)) return context.input(i);
  return context.attribute(name) != nullptr ? context.ints(context.get_or<std::vector<int64_t>>(name, {})) : ValueId{};
}

void emit_with(NodeContext& context, OpName op, std::vector<ValueId> inputs, Attrs attrs) {
  while (!inputs.empty() && !inputs.back().valid()) inputs.pop_back();
  context.emit(op, std::move(inputs), std::move(attrs));
}

void import_squeeze(NodeContext& context) {
  emit_with(context, context.proto().op_type == "Squeeze" ? "squeeze" : "unsqueeze",
            {context.input(0), operand_or_attribute(context, 1, "axes")}, {});
}

void import_reduce(NodeContext& context) {
  std::string op = "reduce_";
  const std::string& type = context.proto().op_type;
  for (size_t i = 6; i < type.size(); ++i) {
    if (i > 6 && std::isupper(static_cast<unsigned char>(type[i])) != 0) op += '_';
    op += static_cast<char>(std::tolower(static_cast<unsigned char>(type[i])));
  }
  emit_with(context, OpName(op), {context.input(0), operand_or_attribute(context, 1, "axes")},
            without(context.attrs(), {"axes"}));
}

void import_reshape(NodeContext& context) {
  context.emit("reshape", {context.input(0), operand_or_attribute(context, 1, "shape")},
               without(context.attrs(), {"shape"}));
}

// Opset < 4: axis 1 where none is given; from then on one is.
void import_concat(NodeContext& context) {
  if (context.opset() >= 4 && context.attribute("axis") == nullptr)
    fail(Code::invalid_model, "attribute 'axis' is missing");
  context.emit("concat", context.inputs(), {{"axis", context.get_or<int64_t>("axis", 1)}});
}

void import_split(NodeContext& context) {
  emit_with(context, "split", {context.input(0), operand_or_attribute(context, 1, "split")},
            without(context.attrs(), {"split"}));
}

void import_slice(NodeContext& context) {
  if (context.opset() >= 10) return context.emit("slice", context.inputs());
  emit_with(context, "slice",
            {context.input(0), operand_or_attribute(context, 1, "starts"), operand_or_attribute(context, 2, "ends"),
             operand_or_attribute(context, 3, "axes")},
            {});
}

void import_pad(NodeContext& context) {
  const Attrs attrs = {{"mode", context.get_or<std::string>("mode", "constant")}};
  if (context.opset() >= 11) return context.emit("pad", context.inputs(), attrs);
  const char* name = context.attribute("pads") != nullptr ? "pads" : "paddings";
  context.emit("pad",
               {context.input(0), operand_or_attribute(context, 1, name),
                context.scalar_like(context.input(0), context.get_or<double>("value", 0))},
               attrs);
}

void import_tile(NodeContext& context) { context.emit("tile", context.inputs()); }

// Opset 10 and Upsample: X, scales; asymmetric coordinates and floor. From 11 on: X, roi, scales, sizes.
void import_resize(NodeContext& context) {
  Attrs attrs = without(context.attrs(), {"scales"});
  if (context.proto().op_type == "Resize" && context.opset() >= 11)
    return context.emit("resize", context.inputs(), attrs);
  ValueId scales = context.input(1);
  if (!scales.valid()) {
    const auto factors = context.get_or<std::vector<double>>("scales", {});
    const std::vector<float> values(factors.begin(), factors.end());
    scales = context.constant(Tensor::of<float>({static_cast<int64_t>(values.size())}, values));
  }
  if (attrs.get_or<std::string>("mode", "nearest") == "bilinear") attrs.set("mode", std::string("linear"));
  attrs.set("coordinate_transformation_mode", std::string("asymmetric"));
  attrs.set("nearest_mode", std::string("floor"));
  context.emit("resize", {context.input(0), ValueId{}, scales}, std::move(attrs));
}

}  // namespace

void register_axes(ImporterTable& table) {
  table.add("Concat", import_concat);
  table.add("Squeeze", import_squeeze, 2);
  table.add("Unsqueeze", import_squeeze, 2);
  for (const char* kind : {"Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"})
    table.add(std::string("Reduce") + kind, import_reduce, 2);
  table.add("Reshape", import_reshape, 2);
  table.add("Split", import_split, 2);
  table.add("Slice", import_slice, 5);
  table.add("Pad", import_pad, 4);
  table.add("Tile", import_tile, 2);
  table.add("Resize", import_resize, 4);
  table.add("Upsample", import_resize, 2);
}

}  // namespace planish::onnx
