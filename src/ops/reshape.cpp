// reshape, flatten, squeeze, unsqueeze: the same elements in the same row-major order under other extents.

#include <algorithm>
#include <cmath>

#include "ops/op.h"

namespace planish::ops {
namespace {

struct ReshapeAttrs {
  int64_t allowzero = 0;
  template <class V>
  void fields(V& v) {
    v("allowzero", allowzero);
  }
};
struct FlattenAttrs {
  int64_t axis = 1;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
  }
};

void keep_contents(InferContext& context) {
  if (auto known = context.contents(0)) context.output_contents(0, std::move(*known));
}

// 0 copies the input's extent, -1 takes what is left.
Shape resolve_reshape(InferContext& context, const std::vector<Dim>& wanted, bool allow_zero) {
  const Shape& in = context.shape(0);
  std::vector<Dim> dims;
  int unknown = -1;
  Dim product = 1;
  for (size_t i = 0; i < wanted.size(); ++i) {
    Dim dim = wanted[i];
    if (dim == Dim(0) && !allow_zero) {
      if (static_cast<int>(i) >= in.rank()) fail(Code::invalid_model, "a reshape of {} copies axis {}", in.str(), i);
      dim = in[static_cast<int>(i)];
    }
    if (dim == Dim(-1)) {
      if (unknown >= 0) fail(Code::invalid_model, "a reshape with two extents of -1");
      unknown = static_cast<int>(i);
    } else {
      product = product * dim;
    }
    dims.push_back(dim);
  }
  const Dim count = in.element_count();
  if (unknown >= 0) dims[static_cast<size_t>(unknown)] = product == Dim(0) ? Dim(0) : floor_div(count, product);
  const Dim found = Shape(dims).element_count();
  if (!context.assume_equal(found, count))
    fail(Code::invalid_model, "{} has {} elements, {} has {}", in.str(), count.str(), Shape(dims).str(), found.str());
  return Shape(std::move(dims));
}

// Of a shape that is computed from data: what is known of it, and the one extent that is left by the count of elements.
Shape partly_known_reshape(InferContext& context, const std::vector<std::optional<Dim>>& shape, bool allowzero) {
  const Shape& in = context.shape(0);
  const int rank = context.list_extent(1);
  std::vector<std::optional<Dim>> extents = shape;
  int open = 0;
  Dim product = 1;
  for (int i = 0; i < rank; ++i) {
    auto& extent = extents[static_cast<size_t>(i)];
    if (extent == Dim(0) && !allowzero && i < in.rank())
      extent = in[i];
    else if (extent && extent->lower_bound(context.symbols()) < 1)
      extent.reset();
    open += extent ? 0 : 1;
    if (extent) product = product * *extent;
  }
  const double left =
      static_cast<double>(context.typical(in.element_count())) / static_cast<double>(context.typical(product));
  const int64_t typical = std::llround(std::pow(left, 1.0 / std::max(open, 1)));
  std::vector<Dim> dims = context.measured(rank, std::max<int64_t>(typical, 1));
  const bool completed = open == 1 && product.lower_bound(context.symbols()) >= 1;
  const Dim rest = completed ? floor_div(in.element_count(), product) : Dim(0);
  for (size_t i = 0; i < dims.size(); ++i)
    if (extents[i] || completed) dims[i] = extents[i].value_or(rest);
  return Shape(std::move(dims));
}

void reshape_infer(InferContext& context) {
  const bool allowzero = context.attrs<ReshapeAttrs>().allowzero != 0;
  if (!context.contents(1))
    return context.output(0, context.dtype(0), partly_known_reshape(context, context.partial_list(1), allowzero));
  context.output(0, context.dtype(0), resolve_reshape(context, context.list(1), allowzero));
  keep_contents(context);
}

void flatten_infer(InferContext& context) {
  const int64_t axis = context.attrs<FlattenAttrs>().axis;
  const Shape& in = context.shape(0);
  const int split = axis == in.rank() ? in.rank() : normalize_axis(axis, std::max(in.rank(), 1));
  Dim left = 1, right = 1;
  for (int i = 0; i < in.rank(); ++i) (i < split ? left : right) = (i < split ? left : right) * in[i];
  context.output(0, context.dtype(0), Shape{left, right});
}

void squeeze_infer(InferContext& context) {
  const Shape& in = context.shape(0);
  std::vector<bool> drop(static_cast<size_t>(in.rank()), false);
  if (context.has_input(1)) {
    const auto axes = context.known_ints(1);
    if (!axes) return context.output(0, context.dtype(0), Shape(context.measured(in.rank() - context.list_extent(1))));
    for (int64_t axis : *axes) {
      const int at = normalize_axis(axis, in.rank());
      if (!context.assume_equal(in[at], 1)) fail(Code::invalid_model, "axis {} of {} is not 1", at, in.str());
      drop[static_cast<size_t>(at)] = true;
    }
  } else {
    for (int i = 0; i < in.rank(); ++i) {
      drop[static_cast<size_t>(i)] = in[i] == Dim(1);
      if (!in[i].is_constant() && in[i].lower_bound(context.symbols()) <= 1)
        fail(Code::unsupported, "without axes, of {} where {} may be 1 or more; named axes are accepted",
             context.input(0).str(), in[i].str());
    }
  }
  std::vector<Dim> dims;
  for (int i = 0; i < in.rank(); ++i)
    if (!drop[static_cast<size_t>(i)]) dims.push_back(in[i]);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  keep_contents(context);
}

void unsqueeze_infer(InferContext& context) {
  const Shape& in = context.shape(0);
  const auto axes = context.known_ints(1);
  if (!axes) return context.output(0, context.dtype(0), Shape(context.measured(in.rank() + context.list_extent(1))));
  const int rank = in.rank() + static_cast<int>(axes->size());
  std::vector<bool> fresh(static_cast<size_t>(rank), false);
  for (int axis : context.distinct_axes(*axes, rank)) fresh[static_cast<size_t>(axis)] = true;
  std::vector<Dim> dims;
  int from = 0;
  for (bool is_new : fresh) dims.push_back(is_new ? Dim(1) : in[from++]);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  keep_contents(context);
}

OpDef reshape_row(const char* name, int least, int most, void (*check)(const Attrs&), void (*infer)(InferContext&)) {
  OpDef def;
  def.name = name;
  def.operand_names = {"data", def.name == "reshape" ? "shape" : "axes"};
  def.min_inputs = least;
  def.max_inputs = most;
  def.check_attrs = check;
  def.infer = infer;
  def.is_view = true;
  def.kernel = "reshape";
  return def;
}

}  // namespace

void register_reshape(OpTable& table) {
  table.add(reshape_row("reshape", 2, 2, check_attrs_as<ReshapeAttrs>, reshape_infer));
  table.add(reshape_row("flatten", 1, 1, check_attrs_as<FlattenAttrs>, flatten_infer));
  table.add(reshape_row("squeeze", 1, 2, check_attrs_as<NoAttrs>, squeeze_infer));
  table.add(reshape_row("unsqueeze", 2, 2, check_attrs_as<NoAttrs>, unsqueeze_infer));
}

}  // namespace planish::ops
