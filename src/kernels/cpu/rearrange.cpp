// Rearrangements that are one copy between views of more axes: depth_to_space, its inverse, tile.

#include "kernels/reference/contracts.h"
#include "kernels/reference/move.h"
#include "tensor/copy.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

struct SixAxes {
  std::array<int64_t, 6> dims, strides;
};

TensorView six(const TensorView& of, const SixAxes& axes) {
  TensorView view = of;
  view.rank = 6;
  std::copy(axes.dims.begin(), axes.dims.end(), view.dims.begin());
  std::copy(axes.strides.begin(), axes.strides.end(), view.strides.begin());
  return view;
}

// The deep side [N, b*b*C, H, W] and the wide one [N, C, H*b, W*b], both seen as [N, C, H, b, W, b].
TensorView deep_view(const TensorView& deep, int64_t b, bool channel_first) {
  const auto& s = deep.strides;
  const int64_t channels = deep.dims[1] / (b * b), c = channel_first ? b * b * s[1] : s[1],
                block = channel_first ? s[1] : channels * s[1];
  return six(deep,
             {{deep.dims[0], channels, deep.dims[2], b, deep.dims[3], b}, {s[0], c, s[2], b * block, s[3], block}});
}

TensorView wide_view(const TensorView& wide, int64_t b) {
  const auto& s = wide.strides;
  return six(wide, {{wide.dims[0], wide.dims[1], wide.dims[2] / b, b, wide.dims[3] / b, b},
                    {s[0], s[1], b * s[2], s[2], b * s[3], s[3]}});
}

void run_depth_to_space(const KernelArgs& args) {
  const auto& attrs = args.as<DepthToSpaceAttrs>();
  copy_view(deep_view(args.inputs[0], attrs.blocksize, attrs.mode == "CRD"),
            wide_view(args.outputs[0], attrs.blocksize), *args.pool);
}

void run_space_to_depth(const KernelArgs& args) {
  const int64_t b = args.as<DepthToSpaceAttrs>().blocksize;
  copy_view(wide_view(args.inputs[0], b), deep_view(args.outputs[0], b, false), *args.pool);
}

// As the reference kernel, where repetitions and positions are few enough axes for one copy.
void check_tile(const KernelArgs& args) {
  reference::check_tile(args);
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  int axes = 0;
  for (size_t i = 0; i < static_cast<size_t>(x.rank); ++i)
    axes += (x.dims[i] != 1 ? 1 : 0) + (y.dims[i] != x.dims[i] ? 1 : 0);
  require(axes <= kMaxRank, "{} axes of repetitions and positions, {} are accepted", axes, kMaxRank);
}

// Each axis of the result is (repetition, position); the source does not move along repetitions.
void run_tile(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  TensorView from = x, to = y;
  size_t rank = 0;
  const auto add = [&](int64_t extent, int64_t x_step, int64_t y_step) {
    if (extent == 1) return;
    from.dims[rank] = to.dims[rank] = extent;
    from.strides[rank] = x_step;
    to.strides[rank++] = y_step;
  };
  for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i) {
    add(y.dims[i] / x.dims[i], 0, x.dims[i] * y.strides[i]);
    add(x.dims[i], x.strides[i], y.strides[i]);
  }
  from.rank = to.rank = static_cast<int>(rank);
  copy_view(from, to, *args.pool);
}

}  // namespace

void register_rearrange(KernelTable& table) {
  table.add(make_kernel<DepthToSpaceAttrs>("depth_to_space", reference::check_depth_to_space, run_depth_to_space));
  table.add(make_kernel<DepthToSpaceAttrs>("space_to_depth", reference::check_space_to_depth, run_space_to_depth));
  table.add(make_kernel<NoAttrs>("tile", check_tile, run_tile));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
