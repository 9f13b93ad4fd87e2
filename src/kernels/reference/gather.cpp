// What reads or writes where indices say: gather, scatter and their forms by element and by position.

#include "kernels/reference/contracts.h"
#include "kernels/reference/move.h"
#include "kernels/reference/windows.h"

namespace planish::kernels::reference {
namespace {

int64_t checked_index(int64_t index, int64_t extent) {
  if (index < -extent || index >= extent) fail(Code::invalid_argument, "index {} into an extent of {}", index, extent);
  return index < 0 ? index + extent : index;
}

void run_gather(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(args.as<MoveAxisAttrs>().axis, x.rank));
  const std::span<const int64_t> ys(y.strides);
  for (Odometer<2> at(indices.extents(), {indices.strides, ys.subspan(axis)}); at.valid(); at.next()) {
    TensorView slot = y;  // the result without the axes of the indices
    slot.data = y.as<std::byte>() + at.offset[1] * element_bytes(y.dtype);
    slot.rank = x.rank - 1;
    for (size_t i = axis; i < static_cast<size_t>(slot.rank); ++i) {
      slot.dims[i] = y.dims[i + static_cast<size_t>(indices.rank)];
      slot.strides[i] = y.strides[i + static_cast<size_t>(indices.rank)];
    }
    copy_view(at_index(x, axis, checked_index(load_int(indices, at.offset[0]), x.dims[axis])), slot);
  }
}

void run_gather_elements(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(args.as<MoveAxisAttrs>().axis, x.rank));
  for (Odometer<2> at(indices.extents(), {indices.strides, y.strides}); at.valid(); at.next()) {
    int64_t from = 0;
    for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i)
      from += (i == axis ? checked_index(load_int(indices, at.offset[0]), x.dims[i]) : at.index[i]) * x.strides[i];
    copy_element(x, from, y, at.offset[1]);
  }
}

// Offset of the slice of `data` that row `row` of indices names; its rank drops by `depth`.
TensorView nd_slice(TensorView data, const TensorView& indices, int64_t row, int64_t depth) {
  const int64_t step = indices.strides[static_cast<size_t>(indices.rank) - 1];
  for (int64_t i = 0; i < depth; ++i)
    data = at_index(data, 0, checked_index(load_int(indices, row + i * step), data.dims[0]));
  return data;
}

void run_gather_nd(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  const auto outer = static_cast<size_t>(indices.rank) - 1,
             batch = static_cast<size_t>(args.as<GatherNdAttrs>().batch_dims);
  const int64_t depth = indices.dims[outer];
  for (Odometer<2> at(indices.extents().subspan(0, outer), {indices.strides, y.strides}); at.valid(); at.next()) {
    TensorView data = x;
    for (size_t i = 0; i < batch; ++i) data = at_index(data, 0, checked_index(at.index[i], data.dims[0]));
    TensorView slot = y;
    slot.data = y.as<std::byte>() + at.offset[1] * element_bytes(y.dtype);
    slot.rank = y.rank - static_cast<int>(outer);
    for (size_t i = 0; i < static_cast<size_t>(slot.rank); ++i) {
      slot.dims[i] = y.dims[i + outer];
      slot.strides[i] = y.strides[i + outer];
    }
    copy_view(nd_slice(data, indices, at.offset[0], depth), slot);
  }
}

// X, indices [.., depth], updates [.., what depth axes of X leave] -> X's type and extents
void check_scatter_nd(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  const Slot x = o.in(0), indices = o.in(1).integers().rank(1, kMaxRank);
  const int64_t depth = indices.extent(-1);
  require(depth <= x.view().rank, "indices of {} axes into {}", depth, x.view().rank);
  std::vector<int64_t> dims(indices.extents().begin(), indices.extents().end() - 1);
  dims.insert(dims.end(), x.extents().begin() + depth, x.extents().end());
  o.in(2).type_of(x).shape(dims);
  o.out().like(x);
}

// X, indices and updates of equal extents, within X's off the axis -> X's type and extents
void check_scatter_elements(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  const Slot x = o.in(0), indices = o.in(1).integers().rank(x.view().rank, x.view().rank);
  const size_t axis = x.axis(args.as<ScatterAttrs>().axis);
  for (size_t i = 0; i < x.extents().size(); ++i)
    if (i != axis && indices.extents()[i] > x.extents()[i]) indices.misfit("at most X's extents off the axis");
  o.in(2).type_of(x).shape(indices.extents());
  o.out().like(x);
}

template <class T>
T combined(T a, T b, const std::string& how) {
  return how == "add" ? a + b : how == "mul" ? a * b : how == "max" ? std::max(a, b) : std::min(a, b);
}

// Integers wrap, and are compared as their type is; truth values add up to or, multiply to and.
void combine(const TensorView& target, int64_t to, const TensorView& update, int64_t from, const std::string& how) {
  if (how == "none") return copy_element(update, from, target, to);
  if (is_float(target.dtype))
    return store_double(target, to, combined(load_double(target, to), load_double(update, from), how));
  const int64_t a = load_int(target, to), b = load_int(update, from);
  const bool ordered = how == "max" || how == "min";
  if (ordered && is_signed_integer(target.dtype)) return store_int(target, to, combined(a, b, how));
  store_int(target, to, static_cast<int64_t>(combined(static_cast<uint64_t>(a), static_cast<uint64_t>(b), how)));
}

void run_scatter_nd(const KernelArgs& args) {
  const TensorView &indices = args.inputs[1], &updates = args.inputs[2], &y = args.outputs[0];
  const std::string& how = args.as<ScatterAttrs>().reduction;
  copy_view(args.inputs[0], y);
  const auto outer = static_cast<size_t>(indices.rank) - 1;
  const std::span<const int64_t> us(updates.strides);
  for (Odometer<2> at(indices.extents().subspan(0, outer), {indices.strides, us}); at.valid(); at.next()) {
    const TensorView slot = nd_slice(y, indices, at.offset[0], indices.dims[outer]);
    for (Odometer<2> in(slot.extents(), {slot.strides, us.subspan(outer)}); in.valid(); in.next())
      combine(slot, in.offset[0], updates, at.offset[1] + in.offset[1], how);
  }
}

void run_scatter_elements(const KernelArgs& args) {
  const TensorView &indices = args.inputs[1], &updates = args.inputs[2], &y = args.outputs[0];
  const auto& attrs = args.as<ScatterAttrs>();
  const auto axis = static_cast<size_t>(normalize_axis(attrs.axis, y.rank));
  copy_view(args.inputs[0], y);
  for (Odometer<2> at(indices.extents(), {indices.strides, updates.strides}); at.valid(); at.next()) {
    int64_t to = 0;
    for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i)
      to += (i == axis ? checked_index(load_int(indices, at.offset[0]), y.dims[i]) : at.index[i]) * y.strides[i];
    combine(y, to, updates, at.offset[1], attrs.reduction);
  }
}

}  // namespace

// X [a.., n, b..], indices -> [a.., indices.., b..]
void check_gather(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot x = o.in(0), indices = o.in(1).integers();
  const auto axis = static_cast<std::ptrdiff_t>(x.axis(args.as<MoveAxisAttrs>().axis));
  std::vector<int64_t> dims(x.extents().begin(), x.extents().begin() + axis);
  dims.insert(dims.end(), indices.extents().begin(), indices.extents().end());
  dims.insert(dims.end(), x.extents().begin() + axis + 1, x.extents().end());
  o.out().type_of(x).shape(dims);
}

// X, indices within X's extents off the axis -> the indices' extents
void check_gather_elements(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot x = o.in(0), indices = o.in(1).integers().rank(x.view().rank, x.view().rank);
  const size_t axis = x.axis(args.as<MoveAxisAttrs>().axis);
  for (size_t i = 0; i < x.extents().size(); ++i)
    if (i != axis && indices.extents()[i] > x.extents()[i]) indices.misfit("at most the data's extents off the axis");
  o.out().type_of(x).shape(indices.extents());
}

// X [batch.., x..], indices [batch.., .., depth] -> [batch.., .., what depth axes of x.. leave]
void check_gather_nd(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const Slot x = o.in(0), indices = o.in(1).integers().rank(1, kMaxRank);
  const int64_t depth = indices.extent(-1), batch = args.as<GatherNdAttrs>().batch_dims;
  require(batch >= 0 && batch < indices.view().rank && batch + depth <= x.view().rank,
          "indices of {} axes into {} behind {} of batches", depth, x.view().rank, batch);
  for (int axis = 0; axis < batch; ++axis)
    require(x.extent(axis) == indices.extent(axis), "batches of {} and {}", x.extent(axis), indices.extent(axis));
  std::vector<int64_t> dims(indices.extents().begin(), indices.extents().end() - 1);
  dims.insert(dims.end(), x.extents().begin() + batch + depth, x.extents().end());
  o.out().type_of(x).shape(dims);
}

void register_gather(KernelTable& table) {
  table.add(make_kernel<MoveAxisAttrs>("gather", check_gather, run_gather));
  table.add(make_kernel<MoveAxisAttrs>("gather_elements", check_gather_elements, run_gather_elements));
  table.add(make_kernel<GatherNdAttrs>("gather_nd", check_gather_nd, run_gather_nd));
  table.add(make_kernel<ScatterAttrs>("scatter_nd", check_scatter_nd, run_scatter_nd));
  table.add(make_kernel<ScatterAttrs>("scatter_elements", check_scatter_elements, run_scatter_elements));
}

}  // namespace planish::kernels::reference
