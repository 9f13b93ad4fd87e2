#include "kernels/reference/move.h"

#include <numeric>

#include "kernels/reference/contracts.h"
#include "kernels/reference/windows.h"

namespace planish::kernels::reference {
namespace {

struct AnyAttrs {
  int64_t allowzero = 0, axis = 1;
  template <class V>
  void fields(V& v) {
    v("allowzero", allowzero);
    v("axis", axis);
  }
};

// X and what the extents were read from -> as many elements of X's type
void check_reshape(const KernelArgs& args) {
  const Operands o(args, 1, 2);
  o.out().type_of(o.in(0)).elements(o.in(0).view().element_count());
}

// Elements in row-major order of both sides.
void run_reshape(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (x.element_count() == 0) return;
  Odometer<1> to(y.extents(), {y.strides});
  for (Odometer<1> from(x.extents(), {x.strides}); from.valid(); from.next(), to.next())
    copy_element(x, from.offset[0], y, to.offset[0]);
}

void check_transpose(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const Slot x = o.in(0);
  const auto& perm = args.as<TransposeAttrs>().perm;
  const auto rank = x.extents().size();
  std::vector<int64_t> dims(x.extents().rbegin(), x.extents().rend());
  std::array<bool, kMaxRank> taken{};
  require(perm.empty() || perm.size() == rank, "a permutation of {} axes for {}", perm.size(), rank);
  for (size_t i = 0; i < perm.size(); ++i) {
    const bool fits = perm[i] >= 0 && perm[i] < static_cast<int64_t>(rank) && !taken[static_cast<size_t>(perm[i])];
    require(fits, "a permutation that names axis {} twice or where there is none", perm[i]);
    taken[static_cast<size_t>(perm[i])] = true;
    dims[i] = x.extents()[static_cast<size_t>(perm[i])];
  }
  o.out().type_of(x).shape(dims);
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

// Operands that differ from the result along the axis alone, where they fill it.
void check_concat(const KernelArgs& args) {
  const Operands o(args, args.inputs.size(), args.inputs.size());
  const Slot y = o.out();
  const size_t axis = y.axis(args.as<MoveAxisAttrs>().axis);
  std::vector<int64_t> dims(y.extents().begin(), y.extents().end());
  int64_t total = 0;
  for (size_t i = 0; i < args.inputs.size(); ++i) {
    dims[axis] = o.in(i).extent(static_cast<int>(axis));
    total += dims[axis];
    o.in(i).type_of(y).shape(dims);
  }
  require(total == y.extents()[axis], "parts of {} for an extent of {}", total, y.extents()[axis]);
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

// X and how it is parted -> results that differ from X along the axis alone, where they fit in
void check_split(const KernelArgs& args) {
  const Operands o(args, 1, 2, args.outputs.size(), args.outputs.size());
  const Slot x = o.in(0);
  const size_t axis = x.axis(args.as<MoveAxisAttrs>().axis);
  std::vector<int64_t> dims(x.extents().begin(), x.extents().end());
  int64_t total = 0;
  for (size_t i = 0; i < args.outputs.size(); ++i) {
    dims[axis] = o.out(i).extent(static_cast<int>(axis));
    total += dims[axis];
    o.out(i).type_of(x).shape(dims);
  }
  require(total <= x.extents()[axis], "parts of {} of an extent of {}", total, x.extents()[axis]);
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

// X, starts, ends, axes?, steps? -> X's type and rank; where the slice begins is data.
void check_slice(const KernelArgs& args) {
  const Operands o(args, 3, 5);
  const Slot x = o.in(0), starts = o.in(1);
  for (size_t i : {1, 3, 4}) o.in(i).integers().list(starts.view().element_count());
  o.out().type_of(x).rank(x.view().rank, x.view().rank);
}

// The slice [begin, begin + step, …] of `count` positions lies inside.
void check_inside(int64_t begin, int64_t step, int64_t count, int64_t extent) {
  int64_t last = begin;
  const bool far = __builtin_mul_overflow(count - 1, step, &last) || __builtin_add_overflow(last, begin, &last);
  if (far || begin < 0 || begin >= extent || last < 0 || last >= extent)
    fail(Code::invalid_argument, "{} positions from {} in steps of {} out of an extent of {}", count, begin, step,
         extent);
}

void run_slice(const KernelArgs& args) {
  TensorView x = args.inputs[0];
  const TensorView& y = args.outputs[0];
  const TensorView& starts = args.inputs[1];
  if (y.element_count() == 0) return;
  std::array<bool, kMaxRank> cut{};
  for (int64_t i = 0; i < starts.element_count(); ++i) {
    const int64_t axis = args.has_input(3) ? load_int(args.inputs[3], i * args.inputs[3].strides[0]) : i;
    const auto at = static_cast<size_t>(normalize_axis(axis, x.rank));
    const int64_t step = args.has_input(4) ? load_int(args.inputs[4], i * args.inputs[4].strides[0]) : 1;
    const int64_t extent = args.inputs[0].dims[at];
    int64_t begin = load_int(starts, i * starts.strides[0]);
    if (begin < 0) begin += extent;
    begin = std::clamp(begin, int64_t{0}, step > 0 ? extent : std::max<int64_t>(extent - 1, 0));
    check_inside(begin, step, y.dims[at], extent);
    if (std::exchange(cut[at], true)) fail(Code::invalid_argument, "a slice that names axis {} twice", at);
    x.data = x.as<std::byte>() + begin * x.strides[at] * element_bytes(x.dtype);
    x.strides[at] = y.dims[at] == 1 ? 0 : x.strides[at] * step;
  }
  for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i)
    if (!cut[i]) check_inside(0, 1, y.dims[i], x.dims[i]);
  x.dims = y.dims;
  copy_view(x, y);
}

// X and the extents wanted -> a result that X spreads over
void check_expand(const KernelArgs& args) {
  const Operands o(args, 1, 2);
  o.out().type_of(o.in(0));
  o.in(0).spreads_over(o.out().extents()).rank(0, o.out().view().rank);
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
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const std::string& mode = args.as<PadAttrs>().mode;
  const auto begin = pads_before(args);
  const bool filled = args.has_input(2);
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next()) {
    int64_t from = 0;
    bool inside = true;
    for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i) {
      const int64_t source = pad_source(at.index[i] - begin[i], x.dims[i], mode);
      inside = inside && source >= 0;
      from += std::max<int64_t>(source, 0) * x.strides[i];
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

// X and the repetitions -> whole multiples of X's extents
void check_tile(const KernelArgs& args) {
  const Operands o(args, 1, 2);
  const Slot x = o.in(0), y = o.out().type_of(x).rank(x.view().rank, x.view().rank);
  for (size_t i = 0; i < x.extents().size(); ++i)
    if (x.extents()[i] == 0 ? y.extents()[i] != 0 : y.extents()[i] % x.extents()[i] != 0)
      y.misfit("a multiple of " + Shape::of(x.extents()).str());
}

// X, pads [2 n], value? of X's type, axes? [n] -> X's type and rank; the pads are data.
void check_pad(const KernelArgs& args) {
  const Operands o(args, 2, 4);
  const Slot x = o.in(0), pads = o.in(1).integers().list();
  o.in(2).type_of(x).elements(1);
  o.in(3).integers().list(pads.view().element_count() / 2);
  o.out().type_of(x).rank(x.view().rank, x.view().rank);
}

std::array<int64_t, kMaxRank> pads_before(const KernelArgs& args) {
  constexpr int64_t kMost = int64_t{1} << 44;
  const TensorView &x = args.inputs[0], &pads = args.inputs[1];
  std::array<int64_t, kMaxRank> before{};
  for (int64_t i = 0; i < pads.element_count() / 2; ++i) {
    const int64_t axis = args.has_input(3) ? load_int(args.inputs[3], i * args.inputs[3].strides[0]) : i;
    const int64_t pad = load_int(pads, i * pads.strides[0]);
    if (pad < -kMost || pad > kMost) fail(Code::invalid_argument, "a pad of {} elements", pad);
    before[static_cast<size_t>(normalize_axis(axis, x.rank))] = pad;
  }
  return before;
}

// X [N, b b C, H, W] -> [N, C, H b, W b]
void check_depth_to_space(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const int64_t b = args.as<DepthToSpaceAttrs>().blocksize;
  const Slot x = o.in(0).rank(4, 4);
  require(b >= 1 && b <= 4096, "blocks of {}", b);
  o.out().type_of(x).shape({x.extent(0), x.extent(1) / (b * b), x.extent(2) * b, x.extent(3) * b});
}

// X [N, C, H b, W b] -> [N, b b C, H, W]
void check_space_to_depth(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const int64_t b = args.as<DepthToSpaceAttrs>().blocksize;
  const Slot x = o.in(0).rank(4, 4);
  require(b >= 1 && b <= 4096, "blocks of {}", b);
  o.out().type_of(x).shape({x.extent(0), x.extent(1) * b * b, x.extent(2) / b, x.extent(3) / b});
}

void register_move(KernelTable& table) {
  table.add(make_kernel<AnyAttrs>("reshape", check_reshape, run_reshape));
  table.add(make_kernel<TransposeAttrs>("transpose", check_transpose, run_transpose));
  table.add(make_kernel<MoveAxisAttrs>("concat", check_concat, run_concat));
  table.add(make_kernel<MoveAxisAttrs>("split", check_split, run_split));
  table.add(make_kernel<NoAttrs>("slice", check_slice, run_slice));
  table.add(make_kernel<NoAttrs>("expand", check_expand, run_expand));
  table.add(make_kernel<NoAttrs>("tile", check_tile, run_tile));
  table.add(make_kernel<PadAttrs>("pad", check_pad, run_pad));
  table.add(make_kernel<DepthToSpaceAttrs>("depth_to_space", check_depth_to_space, run_depth_to_space));
  table.add(make_kernel<DepthToSpaceAttrs>("space_to_depth", check_space_to_depth, run_space_to_depth));
}

}  // namespace planish::kernels::reference
