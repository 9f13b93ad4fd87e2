#include "kernels/reference/move.h"

#include <numeric>

#include "kernels/kernel.h"

namespace planish::kernels::reference {
namespace {

// The view with axis `axis` cut to [begin, begin + count).
TensorView window(TensorView view, size_t axis, int64_t begin, int64_t count) {
  view.data = view.as<std::byte>() + begin * view.strides[axis] * element_bytes(view.dtype);
  view.dims[axis] = count;
  return view;
}

TensorView at_index(TensorView view, size_t axis, int64_t index) {
  view = window(view, axis, index, 1);
  for (size_t i = axis; i + 1 < static_cast<size_t>(view.rank); ++i) {
    view.dims[i] = view.dims[i + 1];
    view.strides[i] = view.strides[i + 1];
  }
  --view.rank;
  return view;
}

int64_t checked_index(int64_t index, int64_t extent) {
  if (index < -extent || index >= extent) fail(Code::invalid_argument, "index {} into an extent of {}", index, extent);
  return index < 0 ? index + extent : index;
}

void copy_element(const TensorView& from, int64_t source, const TensorView& to, int64_t target) {
  const auto bytes = static_cast<size_t>(element_bytes(from.dtype));
  std::copy_n(from.as<const std::byte>() + source * static_cast<int64_t>(bytes), bytes,
              to.as<std::byte>() + target * static_cast<int64_t>(bytes));
}

struct AnyAttrs {
  int64_t allowzero = 0, axis = 1;
  template <class V>
  void fields(V& v) {
    v("allowzero", allowzero);
    v("axis", axis);
  }
};

// Elements in row-major order of both sides.
void run_reshape(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (x.element_count() == 0) return;
  Odometer<1> to(y.extents(), {y.strides});
  for (Odometer<1> from(x.extents(), {x.strides}); from.valid(); from.next(), to.next())
    copy_element(x, from.offset[0], y, to.offset[0]);
}

void run_transpose(const KernelArgs& args) {
  const auto& perm = args.as<TransposeAttrs>().perm;
  TensorView x = args.inputs[0];
  for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) {
    const size_t from = perm.empty() ? static_cast<size_t>(x.rank) - 1 - i : static_cast<size_t>(perm[i]);
    x.dims[i] = args.inputs[0].dims[from];
    x.strides[i] = args.inputs[0].strides[from];
  }
  copy_view(x, args.outputs[0]);
}

void run_concat(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(args.as<MoveAxisAttrs>().axis, y.rank));
  int64_t begin = 0;
  for (const TensorView& x : args.inputs) {
    copy_view(x, window(y, axis, begin, x.dims[axis]));
    begin += x.dims[axis];
  }
}

void run_split(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  const auto axis = static_cast<size_t>(normalize_axis(args.as<MoveAxisAttrs>().axis, x.rank));
  int64_t begin = 0;
  for (const TensorView& y : args.outputs) {
    copy_view(window(x, axis, begin, y.dims[axis]), y);
    begin += y.dims[axis];
  }
}

void run_slice(const KernelArgs& args) {
  TensorView x = args.inputs[0];
  const TensorView& y = args.outputs[0];
  const TensorView& starts = args.inputs[1];
  for (int64_t i = 0; i < starts.element_count(); ++i) {
    const int64_t axis = args.has_input(3) ? load_int(args.inputs[3], i * args.inputs[3].strides[0]) : i;
    const auto at = static_cast<size_t>(normalize_axis(axis, x.rank));
    const int64_t step = args.has_input(4) ? load_int(args.inputs[4], i * args.inputs[4].strides[0]) : 1;
    const int64_t extent = args.inputs[0].dims[at];
    int64_t begin = load_int(starts, i * starts.strides[0]);
    if (begin < 0) begin += extent;
    begin = std::clamp(begin, int64_t{0}, step > 0 ? extent : extent - 1);
    x.data = x.as<std::byte>() + begin * x.strides[at] * element_bytes(x.dtype);
    x.strides[at] *= step;
  }
  x.dims = y.dims;
  copy_view(x, y);
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
    for (size_t i = 0; i < batch; ++i) data = at_index(data, 0, at.index[i]);
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

void combine(const TensorView& target, int64_t to, const TensorView& update, int64_t from, const std::string& how) {
  if (how == "none") return copy_element(update, from, target, to);
  const double a = load_double(target, to), b = load_double(update, from);
  store_double(target, to,
               how == "add"   ? a + b
               : how == "mul" ? a * b
               : how == "max" ? std::max(a, b)
                              : std::min(a, b));
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

void run_expand(const KernelArgs& args) {
  TensorView x = args.inputs[0];
  const TensorView& y = args.outputs[0];
  x.strides = broadcast_strides(x, y.extents());
  x.rank = y.rank;
  x.dims = y.dims;
  copy_view(x, y);
}

void run_tile(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next()) {
    int64_t from = 0;
    for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) from += at.index[i] % x.dims[i] * x.strides[i];
    copy_element(x, from, y, at.offset[0]);
  }
}

void run_pad(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &pads = args.inputs[1], &y = args.outputs[0];
  const std::string& mode = args.as<PadAttrs>().mode;
  std::array<int64_t, kMaxRank> begin{};
  for (int64_t i = 0; i < pads.element_count() / 2; ++i) {
    const int64_t axis = args.has_input(3) ? load_int(args.inputs[3], i * args.inputs[3].strides[0]) : i;
    begin[static_cast<size_t>(normalize_axis(axis, x.rank))] = load_int(pads, i * pads.strides[0]);
  }
  const bool filled = args.has_input(2);
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next()) {
    int64_t from = 0;
    bool inside = true;
    for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) {
      const int64_t source = pad_source(at.index[i] - begin[i], x.dims[i], mode);
      inside = inside && source >= 0;
      from += source * x.strides[i];
    }
    if (inside)
      copy_element(x, from, y, at.offset[0]);
    else if (filled)
      copy_element(args.inputs[2], 0, y, at.offset[0]);
    else
      store_int(y, at.offset[0], 0);
  }
}

// DCR: depth is [b, b, C]; CRD: [C, b, b].
void run_depth_to_space(const KernelArgs& args) {
  const auto& attrs = args.as<DepthToSpaceAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t b = attrs.blocksize, channels = y.dims[1];
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next()) {
    const int64_t c = at.index[1], block = at.index[2] % b * b + at.index[3] % b;
    const int64_t depth = attrs.mode == "CRD" ? c * b * b + block : block * channels + c;
    copy_element(x,
                 at.index[0] * x.strides[0] + depth * x.strides[1] + at.index[2] / b * x.strides[2] +
                     at.index[3] / b * x.strides[3],
                 y, at.offset[0]);
  }
}

void run_space_to_depth(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t b = args.as<DepthToSpaceAttrs>().blocksize, channels = x.dims[1];
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next()) {
    const int64_t block = at.index[1] / channels, c = at.index[1] % channels;
    copy_element(x,
                 at.index[0] * x.strides[0] + c * x.strides[1] + (at.index[2] * b + block / b) * x.strides[2] +
                     (at.index[3] * b + block % b) * x.strides[3],
                 y, at.offset[0]);
  }
}

}  // namespace

void register_move(KernelTable& table) {
  table.add(make_kernel<AnyAttrs>("reshape", run_reshape));
  table.add(make_kernel<TransposeAttrs>("transpose", run_transpose));
  table.add(make_kernel<MoveAxisAttrs>("concat", run_concat));
  table.add(make_kernel<MoveAxisAttrs>("split", run_split));
  table.add(make_kernel<NoAttrs>("slice", run_slice));
  table.add(make_kernel<MoveAxisAttrs>("gather", run_gather));
  table.add(make_kernel<MoveAxisAttrs>("gather_elements", run_gather_elements));
  table.add(make_kernel<GatherNdAttrs>("gather_nd", run_gather_nd));
  table.add(make_kernel<ScatterAttrs>("scatter_nd", run_scatter_nd));
  table.add(make_kernel<ScatterAttrs>("scatter_elements", run_scatter_elements));
  table.add(make_kernel<NoAttrs>("expand", run_expand));
  table.add(make_kernel<NoAttrs>("tile", run_tile));
  table.add(make_kernel<PadAttrs>("pad", run_pad));
  table.add(make_kernel<DepthToSpaceAttrs>("depth_to_space", run_depth_to_space));
  table.add(make_kernel<DepthToSpaceAttrs>("space_to_depth", run_space_to_depth));
}

}  // namespace planish::kernels::reference
