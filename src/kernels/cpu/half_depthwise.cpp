// Depthwise convolution on products of bf16, channels last, alone and between two others (half_block.h). Lines above
// and below the image are one of zeros, columns beside it are passed over.

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/half_block.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// X [N, C, H, W], weights (kernels/half_depthwise.h), bias? -> Y [N, C, H, W]; channels adjacent
void check_half_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  check_product(args, 1, kFloatTypes);
  const Operands o(args, 2, args.inputs.size());
  require(params.extras == 0 && ends_in_registers(params, 1), "an epilogue with operands of its own");
  const Slot x = o.in(0).rank(4, 4).adjacent(1), y = o.out().rank(4, 4);
  require(half_depthwise::takes(conv.kernel, conv.strides, conv.dilations),
          "a kernel of {} axes; 3 or 5 columns, strides of 1 or 2 across and dilations of 1 are accepted",
          conv.kernel.size());
  require(y.extent(0) == x.extent(0) && y.extent(1) == x.extent(1), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int>(i) + 2;
    check_window({x.extent(axis), y.extent(axis), conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i],
                  x.view().strides[i + 2]});
  }
  o.in(1).is({DataType::bf16});
  o.in(1)
      .shape({ceil_div(x.extent(1), kHalfLanes), ceil_div(conv.kernel[0], 2), conv.kernel[1], 2, kHalfLanes / 2, 2})
      .dense();
}

// A pixel of zeros, and an image of f32 as bf16.
int64_t half_depthwise_workspace(const KernelArgs& args) {
  const TensorView& x = args.inputs[0];
  const int64_t image = lies_half(x.dtype) ? 0 : x.element_count();
  return checked_mul(checked_add(align_up(x.dims[1], kHalfLanes), image), int64_t{sizeof(BFloat16)});
}

#if defined(PLANISH_ISA_avx512)

// Channels of a task: as long as tasks are few, fewer of them.
int64_t channels_at_once(const HalfDepthwise& d, int64_t channels, int64_t rows, int threads) {
  constexpr int64_t kLinesInCache = 24 << 10;  // elements of the lines under a row
  const int64_t line = d.conv->kernel[0] * (d.width + d.conv->kernel[1]), blocks = ceil_div(channels, kHalfLanes);
  const int64_t fits = std::max<int64_t>(kLinesInCache / line / kHalfLanes, 4),
                wanted = ceil_div(int64_t{4} * threads, rows);
  return std::clamp<int64_t>(blocks / wanted, 1, fits) * kHalfLanes;
}

void run_half_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  if (!cpu_info().has(Isa::avx512_bf16)) fail(Code::mismatch, "products of bf16, which this processor lacks");
  const TensorView& y = args.outputs[0];
  TensorView x = args.inputs[0];
  if (y.element_count() == 0) return;
  auto* const zeros = reinterpret_cast<BFloat16*>(args.workspace);
  std::fill_n(zeros, align_up(x.dims[1], kHalfLanes), BFloat16{});
  if (!lies_half(x.dtype)) x = rounded_image(x, zeros + align_up(x.dims[1], kHalfLanes), *args.pool);
  HalfDepthwise d;
  d.conv = &params.attrs;
  d.height = x.dims[2];
  d.width = x.dims[3];
  d.pixel = x.strides[3];
  d.out_width = y.dims[3];
  d.weights = args.inputs[1].as<const int32_t>();
  d.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  d.zeros = zeros;
  d.activation = params.activation.present() ? &params.activation : nullptr;
  d.low = params.low;
  d.high = params.high;
  const HalfTileFn sum = half_tile_function(*d.conv);
  const int64_t rows = y.dims[0] * y.dims[2], chunk = channels_at_once(d, y.dims[1], rows, args.pool->size());
  const int64_t chunks = ceil_div(y.dims[1], chunk);
  args.pool->parallel_for(chunks * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task / rows * chunk, n = task % rows / y.dims[2], row = task % rows % y.dims[2];
      const HalfLines lines =
          half_lines(d, row, [&](int64_t l) { return x.as<const BFloat16>() + n * x.strides[0] + l * x.strides[2]; });
      run_half_row(d, sum, lines, first, std::min(first + chunk, y.dims[1]),
                   {elements_of(y).at(n * y.strides[0] + row * y.strides[2]), y.strides[3]});
    }
  });
}

#else

void run_half_depthwise(const KernelArgs&) { fail(Code::mismatch, "products of bf16, which this processor lacks"); }

#endif

}  // namespace

void register_half_depthwise(KernelTable& table) {
  table.add(make_gemm_kernel("depthwise.bf16", check_half_depthwise, run_half_depthwise, half_depthwise_workspace));
  Kernel block;
  block.name = "depthwise_block.bf16";
  block.decode = decode_block;
  block.check = check_half_block;
  block.workspace = half_block_workspace;
  block.run = run_half_block;
  table.add(std::move(block));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
