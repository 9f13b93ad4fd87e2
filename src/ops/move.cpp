// Operators that move elements: transpose, concat, split, slice, expand, tile, pad, depth_to_space.

#include <algorithm>
#include <functional>
#include <optional>

#include "kernels/reference/move.h"
#include "ops/common/move_row.h"
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
      fail(Code::invalid_model, "perm has {} axes; each of the {} of {} once is accepted", perm.size(), in.rank(),
           in.str());
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
        fail(Code::invalid_model, "concat of {} and {} along {}: {} against {}", Shape(dims).str(), shape.str(), axis,
             dim.str(), shape[k].str());
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

void split_contents(InferContext& context, const std::vector<Dim>& sizes) {
  const auto known = context.contents(0);
  if (!known || context.rank(0) != 1) return;
  auto begin = known->begin();
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (!sizes[i].is_constant() || sizes[i].value() > known->end() - begin) return;
    context.output_contents(i, {begin, begin + sizes[i].value()});
    begin += sizes[i].value();
  }
}

// Extents of the parts: as given, or equal ones of which, with num_outputs, the last may be smaller.
std::vector<Dim> split_sizes(const InferContext& context, Dim whole, int64_t num_outputs) {
  const auto parts = static_cast<int64_t>(context.node().outputs.size());
  if (context.has_input(1)) return context.list(1);
  if (num_outputs != 0 && num_outputs != parts)
    fail(Code::invalid_model, "attribute 'num_outputs' is {}, the node has {} results", num_outputs, parts);
  if (num_outputs == 0) {
    if (whole.is_constant() && whole.value() % parts != 0)
      fail(Code::invalid_model, "an extent of {} in {} equal parts", whole.value(), parts);
    return std::vector<Dim>(static_cast<size_t>(parts), floor_div(whole, parts));
  }
  const Dim chunk = ceil_div(whole, parts), last = whole - chunk * Dim(parts - 1);
  if (last.is_constant() && last.value() < 0)
    fail(Code::invalid_model, "an extent of {} in {} parts of {}, of which the last would have {}", whole.str(), parts,
         chunk.str(), last.value());
  std::vector<Dim> sizes(static_cast<size_t>(parts), chunk);
  sizes.back() = last.lower_bound(context.symbols()) < 0 ? max(last, 0) : last;
  return sizes;
}

void split_infer(InferContext& context) {
  const auto attrs = context.attrs<MoveAxisAttrs>();
  const int axis = normalize_axis(attrs.axis, context.rank(0));
  const size_t outputs = context.node().outputs.size();
  const Dim whole = context.shape(0)[axis];
  std::vector<Dim> sizes;
  if (context.has_input(1) && !context.contents(1))
    for (size_t i = 0; i < outputs; ++i) sizes.push_back(context.data_dependent("part", whole));
  else
    sizes = split_sizes(context, whole, attrs.num_outputs);
  if (sizes.size() != outputs) fail(Code::invalid_model, "{} parts for {} results", sizes.size(), outputs);
  Dim sum = 0;
  for (size_t i = 0; i < outputs; ++i) {
    std::vector<Dim> dims = context.shape(0).dims();
    dims[static_cast<size_t>(axis)] = sizes[i];
    if (sizes[i].is_constant() && sizes[i].value() < 0)
      fail(Code::invalid_model, "part {} has an extent of {}; 0 and more are accepted", i, sizes[i].value());
    sum = sum + sizes[i];
    context.output(i, context.dtype(0), Shape(std::move(dims)));
  }
  if (!context.assume_equal(sum, whole))
    fail(Code::invalid_model, "parts of {} for an extent of {}", sum.str(), whole.str());
  split_contents(context, sizes);
}

// A bound N - k that stays below 1 when the extent is added where it is below 0: such as N - 1 of N elements.
bool stays_below(Dim bound, Dim extent, SymbolTable symbols) {
  const auto parts = bound.op() == DimOp::add ? bound.operands() : std::vector<Dim>();
  const auto symbol = std::find_if(parts.begin(), parts.end(), [](Dim part) { return part.op() == DimOp::symbol; });
  if (parts.size() != 2 || symbol == parts.end() || !(bound - *symbol).is_constant()) return false;
  const auto at = symbols.find(symbol->name());
  if (at == symbols.end()) return false;
  at->second.range.max = -(bound - *symbol).value() - 1;
  return (bound + extent).upper_bound(symbols) <= 0;
}

// What counts from the end where it is below 0; where its sign is open, the extents tell.
Dim from_begin(Dim bound, Dim extent, const SymbolTable& symbols) {
  if (bound.lower_bound(symbols) >= 0 || stays_below(bound, extent, symbols)) return bound;
  if (bound.upper_bound(symbols) < 0) return bound + extent;
  return bound + extent * max(min(Dim(0) - bound, 1), 0);
}

// A bound of slice brought into [0, extent]: negative ones count from the end.
Dim slice_bound(Dim bound, Dim extent, int64_t low, Dim high, const SymbolTable& symbols) {
  if (bound.is_constant() && bound.value() >= INT64_MAX / 8) return high;
  if (bound.is_constant() && bound.value() <= INT64_MIN / 8) return low;
  bound = from_begin(bound, extent, symbols);
  const Dim room = high - bound;
  if (room.lower_bound(symbols) < 0) bound = room.upper_bound(symbols) <= 0 ? high : min(bound, high);
  if (bound.lower_bound(symbols) < low) bound = bound.upper_bound(symbols) <= low ? Dim(low) : max(bound, low);
  return bound;
}

// Axes that an optional operand names, or the first `count`.
std::vector<int> named_axes(const InferContext& context, size_t operand, size_t count) {
  std::vector<int64_t> axes;
  for (size_t i = 0; i < count; ++i) axes.push_back(static_cast<int64_t>(i));
  return context.distinct_axes(context.has_input(operand) ? context.constant_ints(operand) : axes, context.rank(0));
}

// Of an operator that changes the axes that operand `i` names, or the first `count`, in a way that only running tells;
// `changed` says what is known of an axis all the same, given its place among those that are named.
void measured_axes(InferContext& context, size_t i, size_t count,
                   const std::function<std::optional<Dim>(size_t, Dim)>& changed = nullptr) {
  const auto dims = context.measured_like(0);
  std::vector<Dim> extents = dims;
  if (!context.has_input(i) || context.known_ints(i)) {
    extents = context.shape(0).dims();
    const std::vector<int> axes = named_axes(context, i, count);
    for (size_t k = 0; k < axes.size(); ++k) {
      const auto axis = static_cast<size_t>(axes[k]);
      extents[axis] = (changed ? changed(k, extents[axis]) : std::nullopt).value_or(dims[axis]);
    }
  }
  context.output(0, context.dtype(0), Shape(std::move(extents)));
}

void slice_infer(InferContext& context) {
  const Shape& in = context.shape(0);
  const auto waits = [&](size_t i) { return context.has_input(i) && !context.known_ints(i); };
  if (!context.contents(1) || !context.contents(2) || waits(3) || waits(4))
    return measured_axes(context, 3, static_cast<size_t>(context.list_extent(1)));
  const std::vector<Dim> starts = context.list(1), ends = context.list(2);
  const std::vector<int> axes = named_axes(context, 3, starts.size());
  const std::vector<int64_t> steps =
      context.has_input(4) ? context.constant_ints(4) : std::vector<int64_t>(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    fail(Code::invalid_model, "{} starts, {} ends, {} axes and {} steps; equally many are accepted", starts.size(),
         ends.size(), axes.size(), steps.size());
  std::vector<Dim> dims = in.dims();
  std::optional<std::vector<Dim>> known = context.contents(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int axis = axes[i];
    const Dim extent = in[axis];
    if (steps[i] == 0 || steps[i] == INT64_MIN)
      fail(Code::invalid_model, "a step of {}; forwards and backwards are accepted", steps[i]);
    const bool forward = steps[i] > 0;
    const Dim begin = slice_bound(starts[i], extent, 0, forward ? extent : extent - 1, context.symbols());
    const Dim end = forward ? slice_bound(ends[i], extent, 0, extent, context.symbols())
                            : slice_bound(ends[i], extent, -1, extent - 1, context.symbols());
    const Dim span = forward ? end - begin : begin - end;
    Dim count = ceil_div(span, forward ? steps[i] : -steps[i]);
    if (span.lower_bound(context.symbols()) < 0) count = max(count, 0);
    if (!forward && extent.lower_bound(context.symbols()) < 1) count = min(count, extent);
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

// To a shape that is computed from data: an element above 1 is the extent, and what is above 1 stays.
void partly_known_expand(InferContext& context) {
  const auto wanted = context.partial_list(1);
  std::vector<Dim> dims = context.measured(std::max(context.rank(0), context.list_extent(1)));
  const size_t added = dims.size() - static_cast<size_t>(context.rank(0)), first = dims.size() - wanted.size();
  const auto above_1 = [&](Dim dim) { return dim.lower_bound(context.symbols()) > 1; };
  for (size_t i = 0; i < dims.size(); ++i) {
    const std::optional<Dim> element = i < first ? Dim(1) : wanted[i - first];
    const Dim extent = i < added ? Dim(1) : context.shape(0)[static_cast<int>(i - added)];
    if (element && above_1(*element))
      dims[i] = *element;
    else if (element == Dim(1) || above_1(extent))
      dims[i] = extent;
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void expand_infer(InferContext& context) {
  if (!context.contents(1)) return partly_known_expand(context);
  const Shape shape = context.broadcast(context.shape(0), Shape(context.list(1)));
  context.output(0, context.dtype(0), shape);
  const auto known = context.contents(0);
  if (known && known->size() == 1 && shape.rank() <= 1 && shape.is_static())
    context.output_contents(0, std::vector<Dim>(static_cast<size_t>(shape.element_count().value()), (*known)[0]));
}

void partly_known_tile(InferContext& context) {
  const auto repeats = context.partial_list(1);
  std::vector<Dim> dims = context.measured(context.rank(0));
  for (size_t i = 0; i < std::min(dims.size(), repeats.size()); ++i)
    if (repeats[i] && repeats[i]->lower_bound(context.symbols()) >= 0)
      dims[i] = context.shape(0)[static_cast<int>(i)] * *repeats[i];
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

void tile_infer(InferContext& context) {
  if (!context.contents(1)) return partly_known_tile(context);
  const std::vector<Dim> repeats = context.list(1);
  if (static_cast<int>(repeats.size()) != context.rank(0))
    fail(Code::invalid_model, "{} repeats for {}", repeats.size(), context.input(0).str());
  std::vector<Dim> dims;
  for (size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i].is_constant() && repeats[i].value() < 0)
      fail(Code::invalid_model, "{} repeats along axis {}; 0 and more are accepted", repeats[i].value(), i);
    dims.push_back(context.shape(0)[static_cast<int>(i)] * repeats[i]);
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// What is cut off before is at most what there is; modes other than constant repeat what there is.
Dim padded_extent(Dim extent, Dim before, Dim after, const std::string& mode) {
  const Dim result = extent + before + after;
  if (!extent.is_constant() || !before.is_constant() || !after.is_constant()) return result;
  const int64_t found = extent.value(), most = std::max(before.value(), after.value());
  if (std::min(before.value(), after.value()) < -found || result.value() < 0)
    fail(Code::invalid_model, "pads of {} and {} cut more than the extent of {}", before.value(), after.value(), found);
  if (most > 0 && ((found == 0 && mode != "constant") || (mode == "reflect" && most >= found)))
    fail(Code::invalid_model, "pads of {} and {} for an extent of {} in mode '{}'", before.value(), after.value(),
         found, mode);
  return result;
}

void pad_infer(InferContext& context) {
  const auto attrs = context.attrs<PadAttrs>();
  context.require_choice("mode", attrs.mode, {"constant", "reflect", "edge", "wrap"});
  if (!context.contents(1) || (context.has_input(3) && !context.known_ints(3))) {
    const auto pads = context.partial_list(1);
    const size_t after = pads.size() / 2;
    return measured_axes(context, 3, static_cast<size_t>(context.rank(0)), [&](size_t i, Dim extent) {
      const bool known = i < after && pads[i] && pads[i + after];
      return known ? std::optional(padded_extent(extent, *pads[i], *pads[i + after], attrs.mode)) : std::nullopt;
    });
  }
  const std::vector<Dim> pads = context.list(1);
  const std::vector<int> axes = named_axes(context, 3, static_cast<size_t>(context.rank(0)));
  if (pads.size() != 2 * axes.size()) fail(Code::invalid_model, "{} pads for {} axes", pads.size(), axes.size());
  if (context.has_input(2)) {
    context.require_one_element(2);
    context.require_same_dtype(0, 2);
  }
  std::vector<Dim> dims = context.shape(0).dims();
  for (size_t i = 0; i < axes.size(); ++i) {
    Dim& dim = dims[static_cast<size_t>(axes[i])];
    dim = padded_extent(dim, pads[i], pads[i + axes.size()], attrs.mode);
  }
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// extent / divisor, which has no remainder.
Dim whole_part(const InferContext& context, int axis, int64_t divisor) {
  const Dim extent = context.shape(0)[axis];
  if (extent.is_constant() && extent.value() % divisor != 0)
    fail(Code::invalid_model, "axis {} of {}: multiples of {} are accepted", axis, context.input(0).str(), divisor);
  return floor_div(extent, divisor);
}

int64_t checked_blocksize(const InferContext& context) {
  const auto attrs = context.attrs<DepthToSpaceAttrs>();
  context.require_rank(0, 4, 4);
  context.require_choice("mode", attrs.mode, {"DCR", "CRD"});
  if (attrs.blocksize < 1 || attrs.blocksize > 4096)
    fail(Code::invalid_model, "attribute 'blocksize' is {}; 1 to 4096 is accepted", attrs.blocksize);
  return attrs.blocksize;
}

void depth_to_space_infer(InferContext& context) {
  const int64_t block = checked_blocksize(context);
  const Shape& in = context.shape(0);
  context.output(0, context.dtype(0),
                 Shape{in[0], whole_part(context, 1, block * block), in[2] * Dim(block), in[3] * Dim(block)});
}

void space_to_depth_infer(InferContext& context) {
  const int64_t block = checked_blocksize(context);
  const Shape& in = context.shape(0);
  context.output(
      0, context.dtype(0),
      Shape{in[0], in[1] * Dim(block * block), whole_part(context, 2, block), whole_part(context, 3, block)});
}

const MoveRow kMoveRows[] = {
    {"transpose", 1, 1, 1, check_attrs_as<TransposeAttrs>, transpose_infer, true},
    {"concat", 1, -1, 1, check_attrs_as<MoveAxisAttrs>, concat_infer, false},
    {"split", 1, 2, -1, check_attrs_as<MoveAxisAttrs>, split_infer, true, {"input", "split"}},
    {"slice", 3, 5, 1, check_attrs_as<NoAttrs>, slice_infer, true, {"data", "starts", "ends", "axes", "steps"}},
    {"expand", 2, 2, 1, check_attrs_as<NoAttrs>, expand_infer, true, {"input", "shape"}},
    {"tile", 2, 2, 1, check_attrs_as<NoAttrs>, tile_infer, false, {"input", "repeats"}},
    {"pad", 2, 4, 1, check_attrs_as<PadAttrs>, pad_infer, false, {"data", "pads", "constant_value", "axes"}},
    {"depth_to_space", 1, 1, 1, check_attrs_as<DepthToSpaceAttrs>, depth_to_space_infer, false},
    {"space_to_depth", 1, 1, 1, check_attrs_as<DepthToSpaceAttrs>, space_to_depth_infer, false},
};

}  // namespace

void register_move(OpTable& table) { add_moves(table, kMoveRows); }

}  // namespace planish::ops
