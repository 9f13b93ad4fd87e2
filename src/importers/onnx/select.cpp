// Operators that choose, mask or count: TopK, GatherND, GridSample, OneHot, EyeLike, Hardmax, and the small ones.

#include "importers/onnx/pieces.h"

namespace planish::onnx {
namespace {

void import_topk(NodeContext& context) {
  Attrs attrs = context.attrs();
  attrs.erase("k");
  const ValueId k = context.opset() < 10 ? context.ints({context.get_or<int64_t>("k", 0)}) : context.input(1);
  context.emit("topk", {context.input(0), k}, std::move(attrs));
}

void import_grid_sample(NodeContext& context) {
  Attrs attrs = context.attrs();
  const std::string mode = context.get_or<std::string>("mode", "linear");
  attrs.set("mode", std::string(mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode));
  context.emit("grid_sample", context.inputs(), std::move(attrs));
}

// indices, depth, [off, on] -> on where the position along the new axis is the index; negative ones count from the end
void import_one_hot(NodeContext& context) {
  const int rank = context.type(0).shape.rank() + 1;
  const int axis = normalize_axis(context.get_or<int64_t>("axis", -1), rank);
  const ValueId indices = as(DataType::i64, context, context.input(0));
  ValueId depth = as(DataType::i64, context, context.input(1));
  if (context.value(depth).type.shape.rank() != 0) depth = context.add("reshape", {depth, context.ints({})});
  const ValueId negative = context.add("less", {indices, scalar(context, 0)});
  const ValueId counted = context.add("where", {negative, context.add("add", {indices, depth}), indices});
  const ValueId hot = context.add("equal", {context.add("unsqueeze", {counted, context.ints({axis})}),
                                            along(context, iota(context, depth), axis, rank)});
  const ValueId off = context.add("gather", {context.input(2), scalar(context, 0)});
  const ValueId on = context.add("gather", {context.input(2), scalar(context, 1)});
  context.emit("where", {hot, on, off});
}

void import_eye_like(NodeContext& context) {
  if (context.type(0).shape.rank() != 2)
    fail(Code::invalid_model, "operand 0 is {}; rank 2 is accepted", context.type(0).str());
  const ValueId x = context.input(0);
  const ValueId rows = along(context, iota(context, extent_of(context, x, 0)), 0, 2);
  const ValueId columns = along(context, iota(context, extent_of(context, x, 1)), 1, 2);
  const ValueId shifted = context.add("add", {rows, scalar(context, context.get_or<int64_t>("k", 0))});
  context.emit("cast", {context.add("equal", {shifted, columns})},
               {{"to", context.attribute("dtype") == nullptr ? context.type(0).dtype : named_type(context, "dtype")}});
}

// 1 at the first maximum of a row, else 0. Opset < 13: everything from `axis` on is one row.
void import_hardmax(NodeContext& context) {
  const ValueId x = context.input(0);
  const int rank = context.type(0).shape.rank();
  const int axis = normalize_axis(context.get_or<int64_t>("axis", context.opset() < 13 ? 1 : -1), rank);
  const bool flat = context.opset() < 13 && axis != rank - 1;
  const ValueId rows = flat ? context.add("flatten", {x}, {{"axis", int64_t{axis}}}) : x;
  const int row_rank = flat ? 2 : rank, row_axis = flat ? 1 : axis;
  const ValueId best = context.add("arg_max", {rows}, {{"axis", int64_t{row_axis}}});
  const ValueId positions = along(context, iota(context, extent_of(context, rows, row_axis)), row_axis, row_rank);
  const ValueId hot = context.add("cast", {context.add("equal", {positions, best})}, {{"to", context.type(0).dtype}});
  if (!flat) return context.alias(hot);
  context.emit("reshape", {hot, context.add("shape", {x})});
}

// x - bias above lambd, x + bias below -lambd, else 0. Both may be fractions: integers are computed in f64.
void import_shrink(NodeContext& context) {
  const DataType type = context.type(0).dtype;
  const bool whole = !is_float(type);
  const ValueId x = whole ? context.add("cast", {context.input(0)}, {{"to", DataType::f64}}) : context.input(0);
  const double lambd = context.get_or<double>("lambd", 0.5), bias = context.get_or<double>("bias", 0);
  const auto constant = [&](double value) { return context.scalar_like(x, value); };
  const ValueId above = context.add("greater", {x, constant(lambd)}),
                below = context.add("less", {x, constant(-lambd)});
  const ValueId low = context.add("where", {below, context.add("add", {x, constant(bias)}), constant(0)});
  const ValueId shrunk = context.add("where", {above, context.add("sub", {x, constant(bias)}), low});
  if (!whole) return context.alias(shrunk);
  context.emit("cast", {shrunk}, {{"to", type}});
}

void import_swish(NodeContext& context) {
  context.alias(swish(context, context.input(0), context.get_or<double>("alpha", 1)));
}

// swish(a) * b
void import_swiglu(NodeContext& context) {
  const ValueId gate = swish(context, context.input(0), context.get_or<double>("alpha", 1));
  context.emit("mul", {gate, context.input(1)});
}

}  // namespace

void register_select(ImporterTable& table) {
  table.add("TopK", import_topk);
  table.add("GridSample", import_grid_sample);
  table.add("OneHot", import_one_hot);
  table.add("EyeLike", import_eye_like);
  table.add("Hardmax", import_hardmax);
  table.add("Shrink", import_shrink);
  table.add("Swish", import_swish, 1);
  table.add("SwiGLU", import_swiglu, 2);
}

}  // namespace planish::onnx
