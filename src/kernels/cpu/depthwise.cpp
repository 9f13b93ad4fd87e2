// Depthwise convolution, channels last, of images in f32 or bf16 (common/depthwise_rows.h): row by row, as many
// channels at a time as leave the lines under a row in L1.

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "kernels/cpu/common/depthwise_rows.h"
#include "kernels/cpu/common/epilogue.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kChunkFloats = 5 << 10;  // of a row's image and weights: they stay in L1

struct DepthwiseStep {
  Depthwise sums;
  TensorView x, y;
  Epilogue epilogue;
  Elements residual;  // of the epilogue, where it has one
};

template <class In>
void run_row_of(const DepthwiseStep& d, const DepthwiseColumns& columns, const RowWalk& walk) {
  const GemmAttrs& conv = *d.sums.conv;
  DepthwisePlace<In> place;
  place.image =
      d.x.as<const In>() + walk.at[0] * d.x.strides[0] + (walk.at[1] * conv.strides[0] - conv.pads[0]) * d.x.strides[2];
  place.row = walk.at[1];
  place.out = elements_of(d.y).at(walk.offset(d.epilogue.out.rows));
  place.out_pixel = d.y.strides[3];
  const auto* const residual = d.epilogue.residual();
  place.residual = residual != nullptr ? d.residual.at(walk.offset(residual->rows)) : Elements{};
  place.residual_pixel = residual != nullptr ? residual->rows[2] : 0;
  DepthwiseRow<In>(d.sums, columns, place).run();
}

void run_row(const DepthwiseStep& d, const DepthwiseColumns& columns, int64_t n, int64_t oy) {
  RowWalk walk = rows_of(d.y, 1);
  walk.at = {n, oy, 0};
  lies_half(d.x.dtype) ? run_row_of<BFloat16>(d, columns, walk) : run_row_of<float>(d, columns, walk);
  if (d.epilogue.has_program) finish_rows(d.epilogue, walk, d.y.dims[3], columns.channels.begin, columns.channels.end);
}

// Channels of a chunk: whole vectors, few enough for the rows under a row of the result to stay in L1.
int64_t chunk_channels(const DepthwiseStep& d) {
  constexpr int64_t kStep = kDepthwisePairs * Vec::kWidth, kLeast = 16 * kStep;
  const int64_t rows = d.sums.conv->kernel[0] * (d.x.dims[3] + d.sums.conv->kernel[1]);
  return std::max(kChunkFloats / rows / kStep * kStep, kLeast);
}

// X [N, C, H, W], weights [taps, C], bias?, extras -> Y [N, C, H, W]; channels adjacent
void check_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  check_product(args, 1, kFloatTypes);
  const Operands o(args, 2, args.inputs.size());
  check_program_types(args);
  const Slot x = o.in(0).rank(4, 4).adjacent(1), y = o.out().rank(4, 4);
  require(conv.kernel.size() == 2, "a kernel of {} axes over 2 spatial ones", conv.kernel.size());
  require(y.extent(0) == x.extent(0) && y.extent(1) == x.extent(1), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int>(i) + 2;
    check_window({x.extent(axis), y.extent(axis), conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i],
                  x.view().strides[i + 2]});
  }
  const int64_t taps = checked_mul(conv.kernel[0], conv.kernel[1]);
  require(taps <= kMostTaps, "a kernel of {} taps; at most {}", taps, kMostTaps);
  o.in(1).is({DataType::f32}).shape({taps, x.extent(1)}).dense();
}

void run_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  DepthwiseStep d;
  d.x = args.inputs[0];
  d.y = args.outputs[0];
  d.epilogue = make_epilogue(args, 1);
  d.residual = first_extra(args);
  if (d.y.element_count() == 0) return;
  const int64_t channels = d.y.dims[1];
  std::memset(args.workspace, 0, static_cast<size_t>(channels) * sizeof(float));
  d.sums.conv = &params.attrs;
  d.sums.height = d.x.dims[2];
  d.sums.width = d.x.dims[3];
  d.sums.line = d.x.strides[2];
  d.sums.pixel = d.x.strides[3];
  d.sums.out_width = d.y.dims[3];
  d.sums.channels = channels;
  d.sums.weights = args.inputs[1].as<const float>();
  d.sums.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  d.sums.zeros = args.workspace;
  d.sums.activation = d.epilogue.activation;
  d.sums.low = params.low;
  d.sums.high = params.high;
  const PositionRange whole = whole_columns(d.sums);
  const int64_t rows = d.y.dims[0] * d.y.dims[2], chunk = chunk_channels(d), chunks = ceil_div(channels, chunk);
  args.pool->parallel_for(chunks * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task / rows * chunk, row = task % rows;
      const DepthwiseColumns columns{whole, {first, std::min(first + chunk, channels)}};
      run_row(d, columns, row / d.y.dims[2], row % d.y.dims[2]);
    }
  });
}

int64_t depthwise_workspace(const KernelArgs& args) { return args.inputs[0].dims[1] * 4; }

}  // namespace

void register_depthwise(KernelTable& table) {
  table.add(make_gemm_kernel("depthwise", check_depthwise, run_depthwise, depthwise_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
