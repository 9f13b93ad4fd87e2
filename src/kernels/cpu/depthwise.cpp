// Depthwise convolution, channels last: each tap is a vector multiply-add over the channels.

#include <algorithm>

#include "kernels/cpu/common/epilogue.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kChannelBlock = 256;  // sums stay in L1 while the taps pass

// inputs: X channels-last [N, C, H, W], weights [taps, C], bias?, extras
void run_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const GemmAttrs& conv = params.attrs;
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t channels = x.dims[1], height = y.dims[2], width = y.dims[3];
  const auto* weights = args.inputs[1].as<const float>();
  const float* bias = conv.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  const size_t extras = params.has_program ? static_cast<size_t>(params.program.inputs) - 1 : 0;
  const std::span<const TensorView> extra_views = args.inputs.subspan(args.inputs.size() - extras);
  args.pool->parallel_for(y.dims[0] * height, 1, [&](int64_t begin, int64_t end) {
    alignas(64) float sums[kChannelBlock];
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / height, oy = row % height;
      for (int64_t ox = 0; ox < width; ++ox) {
        for (int64_t c = 0; c < channels; c += kChannelBlock) {
          const int64_t count = std::min(kChannelBlock, channels - c);
          if (bias != nullptr) std::copy_n(bias + c, count, sums);
          else std::fill_n(sums, count, 0.f);
          for (int64_t ky = 0; ky < conv.kernel[0]; ++ky) {
            const int64_t iy = oy * conv.strides[0] + ky * conv.dilations[0] - conv.pads[0];
            if (iy < 0 || iy >= x.dims[2]) continue;
            for (int64_t kx = 0; kx < conv.kernel[1]; ++kx) {
              const int64_t ix = ox * conv.strides[1] + kx * conv.dilations[1] - conv.pads[1];
              if (ix < 0 || ix >= x.dims[3]) continue;
              const float* from = x.as<const float>() + n * x.strides[0] + iy * x.strides[2] + ix * x.strides[3] + c;
              const float* w = weights + (ky * conv.kernel[1] + kx) * channels + c;
              int64_t i = 0;
              for (; i + Vec::kWidth <= count; i += Vec::kWidth) Vec::fma(Vec::load(from + i), Vec::load(w + i), Vec::load(sums + i)).store(sums + i);
              for (; i < count; ++i) sums[i] += from[i] * w[i];
            }
          }
          TileOperand operands[32];
          for (size_t i = 0; i < extras; ++i) {
            const auto s = broadcast_strides(extra_views[i], y.extents());
            operands[i] = {extra_views[i].as<const float>() + n * s[0] + c * s[1] + oy * s[2] + ox * s[3], s[1]};
          }
          finish_row(params, sums, count, operands, y.as<float>() + n * y.strides[0] + oy * y.strides[2] + ox * y.strides[3] + c);
        }
      }
    }
  });
}

}  // namespace

void register_depthwise(KernelTable& table) {
  Kernel kernel;
  kernel.name = "depthwise";
  kernel.decode = decode_gemm;
  kernel.run = run_depthwise;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
