// topk, cum_sum, cum_prod, trilu and grid_sample.

#include "kernels/reference/select.h"

#include "ops/common/row.h"

namespace planish::ops {
namespace {

// data, K -> values, indices: K along the axis, best first, the first of equal ones before the others
void topk_infer(InferContext& context) {
  context.require_rank(0, 1);
  const int axis = normalize_axis(context.attrs<TopKAttrs>().axis, context.rank(0));
  const auto k = context.contents(1);
  context.require_dtype(1, kIndices);
  context.require_one_element(1);
  const Dim extent = context.shape(0)[axis], count = k ? (*k)[0] : context.data_dependent("k", extent);
  if (count.is_constant() && extent.is_constant() && (count.value() < 0 || count.value() > extent.value()))
    fail(Code::invalid_model, "K is {}, 0 to {} are accepted", count.value(), extent.value());
  std::vector<Dim> dims = context.shape(0).dims();
  dims[static_cast<size_t>(axis)] = count;
  for (size_t i = 0; i < context.node().outputs.size(); ++i)
    context.output(i, i == 0 ? context.dtype(0) : DataType::i64, Shape(dims));
}

void cum_sum_infer(InferContext& context) {
  context.require_rank(0, 1);
  context.require_dtype(1, kIndices);
  context.require_one_element(1);
  if (const auto axis = context.known_ints(1)) normalize_axis((*axis)[0], context.rank(0));
  context.output(0, context.input(0));
}

void trilu_infer(InferContext& context) {
  context.require_rank(0, 2);
  if (context.has_input(1) && context.shape(1).element_count() != Dim(1))
    fail(Code::invalid_model, "operand 1 is {}, one element is accepted", context.input(1).str());
  context.output(0, context.input(0));
}

void grid_sample_check(const GridSampleAttrs& attrs, int spatial) {
  const std::string &mode = attrs.mode, &padding = attrs.padding_mode;
  if (mode != "linear" && mode != "nearest" && mode != "cubic")
    fail(Code::invalid_model, "mode '{}'; linear, nearest and cubic are accepted", mode);
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    fail(Code::invalid_model, "padding_mode '{}'; zeros, border and reflection are accepted", padding);
  if (mode == "cubic" && spatial != 2) fail(Code::invalid_model, "cubic over {} axes; 2 are accepted", spatial);
}

// X [N, C, in…], grid [N, out…, axes] -> [N, C, out…]
void grid_sample_infer(InferContext& context) {
  context.require_rank(0, 4, 5);
  context.require_rank(1, context.rank(0), context.rank(0));
  const Shape &x = context.shape(0), &grid = context.shape(1);
  const int spatial = x.rank() - 2;
  grid_sample_check(context.attrs<GridSampleAttrs>(), spatial);
  const Dim last = grid[grid.rank() - 1];
  if ((last.is_constant() && last != Dim(spatial)) || (grid[0].is_constant() && x[0].is_constant() && grid[0] != x[0]))
    fail(Code::invalid_model, "a grid of {} for {}", context.input(1).str(), context.input(0).str());
  std::vector<Dim> dims = {x[0], x[1]};
  dims.insert(dims.end(), grid.begin() + 1, grid.end() - 1);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

OpDef select_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&)) {
  return op_row(name, least, most, check, infer, elements_of_first);
}

}  // namespace

void register_select(OpTable& table) {
  OpDef topk = select_row("topk", 2, 2, check_attrs_as<TopKAttrs>, topk_infer);
  topk.outputs = -1;
  table.add(std::move(topk));
  for (const char* name : {"cum_sum", "cum_prod"})
    table.add(select_row(name, 2, 2, check_attrs_as<CumSumAttrs>, cum_sum_infer));
  table.add(select_row("trilu", 1, 2, check_attrs_as<TriluAttrs>, trilu_infer));
  table.add(select_row("grid_sample", 2, 2, check_attrs_as<GridSampleAttrs>, grid_sample_infer));
}

}  // namespace planish::ops
