// Operators that move elements: transpose, concat, split, slice, gather, scatter, expand, tile, pad, depth_to_space.

#include <algorithm>

#include "kernels/reference/move.h"
#include "ops/op.h"

namespace planish::ops {
namespace {

void transpose_infer(InferContext& context) {
  auto perm = context.attrs<TransposeAttrs>().perm;
  const Shape& in = context.shape(0);
  if (perm.empty())
    for (int i = in.rank(); i-- > 0;) perm.push_back(i);
  std::vector<int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size() || sorted.size() != static_cast<size_t>(in.rank()); ++i)
    if (sorted.size() != static_cast<size_t>(in.rank()) || sorted[i] != static_cast<int64_t>(i))
      fail(Code::invalid_model, "perm is no permutation of the {} axes", in.rank());
  std::vector<Dim> dims;
  for (int64_t axis : perm) dims.push_back(in[static_cast<int>(axis)]);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void concat_infer(InferContext& context) {
  const int axis = normalize_axis(context.attrs<MoveAxisAttrs>().axis, context.rank(0));
  std::vector<Dim> dims = context.shape(0).dims();
  std::vector<Dim> joined;
  bool known = context.rank(0) == 1;
  Dim total = 0;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Shape& shape = context.shape(i);
    if (shape.rank() != context.rank(0))
      fail(Code::invalid_model, "concat of {} and {}", context.shape(0).str(), shape.str());
    context.require_same_dtype(0, i);
    total = total + shape[axis];
    for (int k = 0; k < shape.rank(); ++k) {
      Dim& dim = dims[static_cast<size_t>(k)];
      if (k == axis || dim == shape[k]) continue;
      if (!context.assume_equal(dim, shape[k]))
        fail(Code::invalid_model, "concat of {} and {} along {}", context.shape(0).str(), shape.str(), axis);
      if (shape[k].is_constant()) dim = shape[k];
    }
    const auto contents = context.contents(i);
    known = known && contents.has_value();
    if (known) joined.insert(joined.end(), contents->begin(), contents->end());
  }
  dims[static_cast<size_t>(axis)] = total;
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  if (known) context.output_contents(0, std::move(joined));
}

void split_infer(InferContext& context) {
  const auto attrs = context.attrs<MoveAxisAttrs>();
  const int axis = normalize_axis(attrs.axis, context.rank(0));
  const size_t outputs = context.node().outputs.size();
  const Dim whole = context.shape(0)[axis];
  std::vector<Dim> sizes;
  if (context.has_input(1)) {
    const auto given = context.contents(1);
    if (!given) fail(Code::unsupported, "the parts are computed from data");
    sizes = *given;
  } else {
    const Dim chunk = ceil_div(whole, static_cast<int64_t>(outputs));
    sizes.assign(outputs, chunk);
    sizes.back() = whole - chunk * Dim(static_cast<int64_t>(outputs) - 1);
  }
  if (sizes.size() != outputs) fail(Code::invalid_model, "{} parts for {} results", sizes.size(), outputs);
  Dim sum = 0;
  for (size_t i = 0; i < outputs; ++i) {
    std::vector<Dim> dims = context.shape(0).dims();
    dims[static_cast<size_t>(axis)] = sizes[i];
    sum = sum + sizes[i];
    context.output(i, context.dtype(0), Shape(std::move(dims)));
  }
  if (!context.assume_equal(sum, whole))
    fail(Code::invalid_model, "parts of {} for an extent of {}", sum.str(), whole.str());
  const auto known = context.contents(0);
  if (!known || context.rank(0) != 1 || !sum.is_constant()) return;
  size_t begin = 0;
  for (size_t i = 0; i < outputs; ++i) {
    const auto count = static_cast<size_t>(sizes[i].value());
    context.output_contents(i, {known->begin() + static_cast<std::ptrdiff_t>(begin),
                                known->begin() + static_cast<std::ptrdiff_t>(begin + count)});
    begin += count;
  }
}

// A bound of slice brought into [0, extent]: negative ones count from the end.
Dim slice_bound(Dim bound, Dim extent, int64_t low, Dim high, const SymbolTable& symbols) {
  if (bound.is_constant() && bound.value() >= INT64_MAX / 8) return high;
  if (bound.is_constant() && bound.value() <= INT64_MIN / 8) return low;
  if (bound.upper_bound(symbols) < 0) bound = bound + extent;
  const Dim room = high - bound;
  if (room.lower_bound(symbols) < 0) bound = room.upper_bound(symbols) <= 0 ? high : min(bound, high);
  if (bound.lower_bound(symbols) < low) bound = bound.upper_bound(symbols) <= low ? Dim(low) : max(bound, low);
  return bound;
}

void slice_infer(InferContext& context) {
  const Shape& in = context.shape(0);
  const auto starts = context.contents(1), ends = context.contents(2);
  if (!starts || !ends || starts->size() != ends->size())
    fail(Code::unsupported, "starts or ends are computed from data");
  std::vector<int64_t> axes, steps;
  if (context.has_input(3))
    axes = context.constant_ints(3);
  else
    for (size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (context.has_input(4)) steps = context.constant_ints(4);
  steps.resize(std::max(steps.size(), starts->size()), 1);
  if (axes.size() != starts->size()) fail(Code::invalid_model, "{} starts for {} axes", starts->size(), axes.size());
  std::vector<Dim> dims = in.dims();
  std::optional<std::vector<Dim>> known = context.contents(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int axis = normalize_axis(axes[i], in.rank());
    const Dim extent = in[axis];
    if (steps[i] == 0) fail(Code::invalid_model, "a slice with step 0");
    const bool forward = steps[i] > 0;
    const Dim begin = slice_bound((*starts)[i], extent, 0, forward ? extent : extent - 1, context.symbols());
    const Dim end = forward ? slice_bound((*ends)[i], extent, 0, extent, context.symbols())
                            : slice_bound((*ends)[i], extent, -1, extent - 1, context.symbols());
    const Dim span = forward ? end - begin : begin - end;
    Dim count = ceil_div(span, forward ? steps[i] : -steps[i]);
    if (span.lower_bound(context.symbols()) < 0) count = max(count, 0);
    dims[static_cast<size_t>(axis)] = count;
    if (!known || in.rank() != 1 || !begin.is_constant() || !count.is_constant()) {
      known.reset();
      continue;
    }
    std::vector<Dim> part;
    for (int64_t k = 0; k < count.value(); ++k)
      part.push_back(known->at(static_cast<size_t>(begin.value() + k * steps[i])));
    known = std::move(part);
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  if (known && in.rank() == 1) context.output_contents(0, std::move(*known));
}

void gather_infer(InferContext& context) {
  const int axis = normalize_axis(context.attrs<MoveAxisAttrs>().axis, context.rank(0));
  std::vector<Dim> dims = context.shape(0).dims();
  dims.erase(dims.begin() + axis);
  dims.insert(dims.begin() + axis, context.shape(1).begin(), context.shape(1).end());
  context.output(0, context.dtype(0), Shape(std::move(dims)));
  const auto known = context.contents(0), indices = context.contents(1);
  if (!known || !indices || context.rank(0) != 1) return;
  std::vector<Dim> picked;
  for (Dim index : *indices) {
    if (!index.is_constant()) return;
    picked.push_back((*known)[static_cast<size_t>(normalize_axis(index.value(), static_cast<int>(known->size())))]);
  }
  context.output_contents(0, std::move(picked));
}

void gather_elements_infer(InferContext& context) {
  normalize_axis(context.attrs<MoveAxisAttrs>().axis, context.rank(0));
  if (context.rank(1) != context.rank(0))
    fail(Code::invalid_model, "gather_elements of {} by {}", context.input(0).str(), context.input(1).str());
  context.output(0, context.dtype(0), context.shape(1));
}

void gather_nd_infer(InferContext& context) {
  const Shape &data = context.shape(0), &indices = context.shape(1);
  context.require_rank(1, 1);
  const Dim last = indices[indices.rank() - 1];
  const int64_t batch = context.attrs<GatherNdAttrs>().batch_dims;
  if (batch < 0 || batch >= std::min(indices.rank(), data.rank()))
    fail(Code::invalid_model, "attribute 'batch_dims' is {} for {} into {}", batch, indices.str(), data.str());
  if (!last.is_constant() || last.value() > data.rank() - batch)
    fail(Code::invalid_model, "indices {} into {}", indices.str(), data.str());
  for (int i = 0; i < batch; ++i)
    if (data[i].is_constant() && indices[i].is_constant() && data[i] != indices[i])
      fail(Code::invalid_model, "indices {} into {} in {} batch axes", indices.str(), data.str(), batch);
  std::vector<Dim> dims(indices.begin(), indices.end() - 1);
  dims.insert(dims.end(), data.begin() + batch + last.value(), data.end());
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void scatter_infer(InferContext& context) { context.output(0, context.input(0)); }

void expand_infer(InferContext& context) {
  const auto wanted = context.contents(1);
  if (!wanted) fail(Code::unsupported, "the target shape is computed from data");
  const Shape shape = context.broadcast(context.shape(0), Shape(*wanted));
  context.output(0, context.dtype(0), shape);
  const auto known = context.contents(0);
  if (known && known->size() == 1 && shape.rank() <= 1 && shape.is_static())
    context.output_contents(0, std::vector<Dim>(static_cast<size_t>(shape.element_count().value()), (*known)[0]));
}

void tile_infer(InferContext& context) {
  const auto repeats = context.contents(1);
  if (!repeats || static_cast<int>(repeats->size()) != context.rank(0))
    fail(Code::unsupported, "repeats are computed from data, or of another rank");
  std::vector<Dim> dims;
  for (size_t i = 0; i < repeats->size(); ++i) dims.push_back(context.shape(0)[static_cast<int>(i)] * (*repeats)[i]);
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void pad_infer(InferContext& context) {
  const auto attrs = context.attrs<PadAttrs>();
  if (attrs.mode != "constant" && attrs.mode != "reflect" && attrs.mode != "edge" && attrs.mode != "wrap")
    fail(Code::invalid_model, "mode '{}'; constant, reflect, edge and wrap are accepted", attrs.mode);
  const auto pads = context.contents(1);
  if (!pads) fail(Code::unsupported, "pads are computed from data");
  std::vector<int64_t> axes;
  if (context.has_input(3))
    axes = context.constant_ints(3);
  else
    for (int i = 0; i < context.rank(0); ++i) axes.push_back(i);
  if (pads->size() != 2 * axes.size()) fail(Code::invalid_model, "{} pads for {} axes", pads->size(), axes.size());
  std::vector<Dim> dims = context.shape(0).dims();
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = dims[static_cast<size_t>(normalize_axis(axes[i], context.rank(0)))];
    dim = dim + (*pads)[i] + (*pads)[i + axes.size()];
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void depth_to_space_infer(InferContext& context) {
  const int64_t block = context.attrs<DepthToSpaceAttrs>().blocksize;
  context.require_rank(0, 4, 4);
  const Shape& in = context.shape(0);
  if (block < 1 || block > 4096) fail(Code::invalid_model, "blocksize {}", block);
  context.output(0, context.dtype(0),
                 Shape{in[0], floor_div(in[1], block * block), in[2] * Dim(block), in[3] * Dim(block)});
}

void space_to_depth_infer(InferContext& context) {
  const int64_t block = context.attrs<DepthToSpaceAttrs>().blocksize;
  context.require_rank(0, 4, 4);
  const Shape& in = context.shape(0);
  if (block < 1 || block > 4096) fail(Code::invalid_model, "blocksize {}", block);
  context.output(0, context.dtype(0),
                 Shape{in[0], in[1] * Dim(block * block), floor_div(in[2], block), floor_div(in[3], block)});
}

struct MoveRow {
  const char* name;
  int least, most, outputs;
  void (*check)(const Attrs&);
  void (*infer)(InferContext&);
  bool is_view;
};

const MoveRow kMoveRows[] = {
    {"transpose", 1, 1, 1, check_attrs_as<TransposeAttrs>, transpose_infer, true},
    {"concat", 1, -1, 1, check_attrs_as<MoveAxisAttrs>, concat_infer, false},
    {"split", 1, 2, -1, check_attrs_as<MoveAxisAttrs>, split_infer, true},
    {"slice", 3, 5, 1, check_attrs_as<NoAttrs>, slice_infer, true},
    {"gather", 2, 2, 1, check_attrs_as<MoveAxisAttrs>, gather_infer, false},
    {"gather_elements", 2, 2, 1, check_attrs_as<MoveAxisAttrs>, gather_elements_infer, false},
    {"gather_nd", 2, 2, 1, check_attrs_as<GatherNdAttrs>, gather_nd_infer, false},
    {"scatter_nd", 3, 3, 1, check_attrs_as<ScatterAttrs>, scatter_infer, false},
    {"scatter_elements", 3, 3, 1, check_attrs_as<ScatterAttrs>, scatter_infer, false},
    {"expand", 2, 2, 1, check_attrs_as<NoAttrs>, expand_infer, true},
    {"tile", 2, 2, 1, check_attrs_as<NoAttrs>, tile_infer, false},
    {"pad", 2, 4, 1, check_attrs_as<PadAttrs>, pad_infer, false},
    {"depth_to_space", 1, 1, 1, check_attrs_as<DepthToSpaceAttrs>, depth_to_space_infer, false},
    {"space_to_depth", 1, 1, 1, check_attrs_as<DepthToSpaceAttrs>, space_to_depth_infer, false},
};

}  // namespace

void register_move(OpTable& table) {
  for (const MoveRow& row : kMoveRows) {
    OpDef def;
    def.name = row.name;
    def.min_inputs = row.least;
    def.max_inputs = row.most;
    def.outputs = row.outputs;
    def.check_attrs = row.check;
    def.infer = row.infer;
    def.is_view = row.is_view;
    def.flops = [](const Graph&, const Node&) { return Dim(0); };
    table.add(std::move(def));
  }
}

}  // namespace planish::ops
