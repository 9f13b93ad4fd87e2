// Poolings, channels last: each tap is a vector operation over the channels.

#include <algorithm>
#include <limits>

#include "kernels/kernel.h"
#include "kernels/reference/conv.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

template <bool average>
void run_pool(const KernelArgs& args) {
  const auto& attrs = args.as<PoolAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t channels = x.dims[1], height = y.dims[2], width = y.dims[3];
  const WindowAxis v = window_axis(attrs, 0, x.dims[2], height, attrs.kernel_shape[0]);
  const WindowAxis h = window_axis(attrs, 1, x.dims[3], width, attrs.kernel_shape[1]);
  args.pool->parallel_for(y.dims[0] * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t n = row / height, oy = row % height;
      for (int64_t ox = 0; ox < width; ++ox) {
        float* __restrict__ out = y.as<float>() + n * y.strides[0] + oy * y.strides[2] + ox * y.strides[3];
        std::fill_n(out, channels, average ? 0.f : -std::numeric_limits<float>::infinity());
        int64_t inside = 0;
        for (int64_t ky = 0; ky < v.kernel; ++ky) {
          const int64_t iy = oy * v.stride + ky * v.dilation - v.pad;
          if (iy < 0 || iy >= v.in) continue;
          for (int64_t kx = 0; kx < h.kernel; ++kx) {
            const int64_t ix = ox * h.stride + kx * h.dilation - h.pad;
            if (ix < 0 || ix >= h.in) continue;
            ++inside;
            const float* __restrict__ from = x.as<const float>() + n * x.strides[0] + iy * x.strides[2] + ix * x.strides[3];
            for (int64_t c = 0; c < channels; ++c) out[c] = average ? out[c] + from[c] : from[c] > out[c] ? from[c] : out[c];
          }
        }
        if (!average) continue;
        const float scale = 1.f / static_cast<float>(attrs.count_include_pad != 0 ? v.kernel * h.kernel : std::max<int64_t>(inside, 1));
        for (int64_t c = 0; c < channels; ++c) out[c] *= scale;
      }
    }
  });
}

// The mean over all positions, in double a block of channels at a time.
void run_global_average(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  constexpr int64_t kBlock = 64;
  const int64_t blocks = (x.dims[1] + kBlock - 1) / kBlock;
  args.pool->parallel_for(x.dims[0] * blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t n = task / blocks, c = task % blocks * kBlock, count = std::min(kBlock, x.dims[1] - c);
      double sums[kBlock] = {};
      for (int64_t iy = 0; iy < x.dims[2]; ++iy)
        for (int64_t ix = 0; ix < x.dims[3]; ++ix) {
          const float* from = x.as<const float>() + n * x.strides[0] + iy * x.strides[2] + ix * x.strides[3] + c;
          for (int64_t i = 0; i < count; ++i) sums[i] += from[i];
        }
      for (int64_t i = 0; i < count; ++i)
        y.as<float>()[n * y.strides[0] + (c + i) * y.strides[1]] = static_cast<float>(sums[i] / static_cast<double>(x.dims[2] * x.dims[3]));
    }
  });
}

}  // namespace

void register_pool(KernelTable& table) {
  table.add(make_kernel<PoolAttrs>("max_pool", run_pool<false>));
  table.add(make_kernel<PoolAttrs>("average_pool", run_pool<true>));
  table.add(make_kernel<NoAttrs>("global_average_pool", run_global_average));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
