#include "kernels/reference/reduce.h"

#include "ops/common/row.h"

namespace planish::ops {
namespace {

// Nothing where only running tells the axes.
std::optional<std::vector<int64_t>> named_axes_of_reduce(InferContext& context) {
  if (!context.has_input(1) || context.list_extent(1) == 0) return std::vector<int64_t>{};
  return context.known_ints(1);
}

std::vector<bool> reduced_axes(InferContext& context, const ReduceAttrs& attrs, const std::vector<int64_t>& axes) {
  const int rank = context.rank(0);
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (int64_t axis : axes) reduced[static_cast<size_t>(normalize_axis(axis, rank))] = true;
  if (axes.empty() && attrs.noop_with_empty_axes == 0) reduced.assign(reduced.size(), true);
  return reduced;
}

void reduce_infer(InferContext& context) {
  const auto attrs = context.attrs<ReduceAttrs>();
  context.require_flag("keepdims", attrs.keepdims);
  context.require_flag("noop_with_empty_axes", attrs.noop_with_empty_axes);
  const bool picks = context.node().op == "reduce_max" || context.node().op == "reduce_min";
  context.require_dtype(0, picks ? kComputed : kNumbers);
  const auto axes = named_axes_of_reduce(context);
  if (!axes) {
    const int rank = context.rank(0) - (attrs.keepdims != 0 ? 0 : context.list_extent(1));
    return context.output(0, context.dtype(0), Shape(context.measured(rank)));
  }
  const auto reduced = reduced_axes(context, attrs, *axes);
  std::vector<Dim> dims;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i])
      dims.push_back(context.shape(0)[static_cast<int>(i)]);
    else if (attrs.keepdims != 0)
      dims.push_back(1);
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  const auto known = context.contents(0);
  if (context.node().op == "reduce_prod" && known && context.rank(0) == 1 && reduced[0]) {
    Dim product = 1;
    for (Dim dim : *known) product = product * dim;
    context.output_contents(0, {product});
  }
}

void arg_infer(InferContext& context) {
  const auto attrs = context.attrs<ArgAttrs>();
  const int axis = normalize_axis(attrs.axis, context.rank(0));
  context.require_flag("keepdims", attrs.keepdims);
  context.require_flag("select_last_index", attrs.select_last_index);
  context.require_dtype(0, kNumbers);
  if (context.shape(0)[axis] == Dim(0))
    fail(Code::invalid_model, "{} has no element along axis {}; at least one is accepted", context.input(0).str(),
         axis);
  std::vector<Dim> dims;
  for (int i = 0; i < context.rank(0); ++i) {
    if (i != axis)
      dims.push_back(context.shape(0)[i]);
    else if (attrs.keepdims != 0)
      dims.push_back(1);
  }
  context.output(0, DataType::i64, Shape(std::move(dims)));
}

}  // namespace

void register_reduce(OpTable& table) {
  for (const char* kind : {"sum", "mean", "max", "min", "prod", "l1", "l2", "sum_square", "log_sum", "log_sum_exp"}) {
    OpDef def;
    def.name = std::string("reduce_") + kind;
    def.max_inputs = 2;
    def.operand_names = {"data", "axes"};
    def.check_attrs = check_attrs_as<ReduceAttrs>;
    def.infer = reduce_infer;
    def.flops = elements_of_first;
    table.add(std::move(def));
  }
  for (const char* name : {"arg_max", "arg_min"}) {
    OpDef def;
    def.name = name;
    def.check_attrs = check_attrs_as<ArgAttrs>;
    def.infer = arg_infer;
    def.flops = elements_of_first;
    table.add(std::move(def));
  }
}

}  // namespace planish::ops
