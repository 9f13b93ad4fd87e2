// Reduction over trailing axes, and the places of the largest elements.

#include "importers/caffe/importer.h"

namespace planish::caffe {
namespace {

// coeff * sum, sum of magnitudes, of squares, or mean, over all axes from `axis` on
void import_reduction(LayerContext& context) {
  const text::Message& param = context.param("reduction_param");
  const std::string operation = param.choice("operation", "SUM");
  const char* op = operation == "SUM"     ? "reduce_sum"
                   : operation == "ASUM"  ? "reduce_l1"
                   : operation == "SUMSQ" ? "reduce_sum_square"
                                          : "reduce_mean";
  std::vector<int64_t> axes;
  for (int i = context.axis(param.integer("axis", 0), context.rank(0)); i < context.rank(0); ++i) axes.push_back(i);
  const ValueId result = context.add(op, {context.input(0), context.ints(axes)}, {{"keepdims", int64_t{0}}});
  context.give({scaled(context, result, param.number("coeff", 1))});
}

struct Largest {
  ValueId values, places;  // f32
};

// The largest `count` along an axis, and where they are. Of equal ones Caffe takes the last first: the axis is turned.
Largest largest_along(LayerContext& context, ValueId x, int axis, int64_t count) {
  const int64_t extent = fixed_extent(context, x, axis, "the extent that is searched");
  if (count < 1 || count > extent) fail(Code::invalid_model, "top_k is {} of {} elements", count, extent);
  const ValueId turned = context.add("slice", {x, context.ints({-1}), context.ints({INT64_MIN / 2}),
                                               context.ints({int64_t{axis}}), context.ints({-1})});
  const NodeId node =
      add_node(context.graph(), "topk", {turned, context.ints({count})}, {{"axis", int64_t{axis}}}, context.name(), 2);
  const std::vector<ValueId> best = context.graph().node(node).outputs;
  const ValueId places = context.add("sub", {context.constant(Tensor::scalar<int64_t>(extent - 1)), best[1]});
  return {best[0], as(DataType::f32, context, places)};
}

// With an axis: the places along it, or with out_max_val the values. Without: of each sample, all of whose elements are
// one row, [N, 1, top_k] places, or [N, 2, top_k] places and values.
void import_arg_max(LayerContext& context) {
  const text::Message& param = context.param("argmax_param");
  const bool with_values = param.flag("out_max_val");
  const int64_t count = param.integer("top_k", 1);
  if (param.has("axis")) {
    const int axis = context.axis(param.integer("axis"), context.rank(0));
    const Largest best = largest_along(context, context.input(0), axis, count);
    return context.give({with_values ? best.values : best.places});
  }
  const Dim samples = context.shape(0)[0];
  const ValueId rows = context.add("flatten", {context.input(0)}, {{"axis", int64_t{1}}});
  const Largest best = largest_along(context, rows, 1, count);
  std::vector<Dim> dims(static_cast<size_t>(std::max(context.rank(0), 3)), Dim(1));
  dims[0] = samples;
  dims[2] = count;
  const ValueId places = reshaped(context, best.places, dims);
  if (!with_values) return context.give({places});
  context.emit("concat", {places, reshaped(context, best.values, dims)}, {{"axis", int64_t{1}}});
}

}  // namespace

void register_reduce(LayerTable& table) {
  table.add("Reduction", import_reduction);
  table.add("ArgMax", import_arg_max);
}

}  // namespace planish::caffe
