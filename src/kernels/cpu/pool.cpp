// Poolings of one to three spatial axes, channels last: each tap is a vector operation over the channels.

#include <algorithm>
#include <array>
#include <limits>

#include "kernels/cpu/common/half.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// One spatial axis; missing ones are axes of one position.
struct PoolAxis {
  WindowAxis window;
  int64_t x_step = 0, y_step = 0, end = 1;  // end: of the input with its padding

  // Taps [first, last) of output position `at` lie inside the input.
  std::array<int64_t, 2> inside(int64_t at) const {
    const int64_t base = at * window.stride - window.pad, d = window.dilation;
    const int64_t first = base >= 0 ? 0 : (-base + d - 1) / d;
    const int64_t last = base >= window.in ? 0 : std::min(window.kernel, (window.in - 1 - base) / d + 1);
    return {first, std::max(first, last)};
  }
  // Taps inside the input or its padding.
  int64_t counted(int64_t at) const {
    const int64_t room = end - (at * window.stride - window.pad);
    return std::min(window.kernel, (room + window.dilation - 1) / window.dilation);
  }
};

using PoolAxes = std::array<PoolAxis, 3>;

PoolAxes pool_axes(const PoolAttrs& attrs, const TensorView& x, const TensorView& y) {
  PoolAxes axes;
  const auto spatial = static_cast<size_t>(x.rank - 2);
  for (size_t i = 0; i < spatial; ++i) {
    PoolAxis& axis = axes[3 - spatial + i];
    axis.window = window_axis(attrs, i, x.dims[i + 2], y.dims[i + 2], at_or(attrs.kernel_shape, i, 1));
    axis.x_step = x.strides[i + 2];
    axis.y_step = y.strides[i + 2];
    axis.end = axis.window.in + (attrs.auto_pad == "NOTSET" ? at_or(attrs.pads, i + spatial, 0) : axis.window.kernel);
  }
  return axes;
}

// One output position: all channels. X: bf16 of sums in fp32, or T.
template <bool average, class X, class T>
void pool_position(const PoolAxes& axes, const std::array<int64_t, 3>& at, bool include_pad, const X* x,
                   int64_t channels, T* __restrict__ out) {
  const auto value_of = [](X value) {
    if constexpr (std::is_same_v<X, T>)
      return value;
    else
      return float_of(value);
  };
  std::array<std::array<int64_t, 2>, 3> taps;
  for (size_t i = 0; i < 3; ++i) {
    taps[i] = axes[i].inside(at[i]);
    x += (at[i] * axes[i].window.stride - axes[i].window.pad) * axes[i].x_step;
  }
  constexpr bool is_whole = std::numeric_limits<T>::is_integer;
  constexpr T kLowest = is_whole ? std::numeric_limits<T>::lowest() : -std::numeric_limits<T>::infinity();
  std::fill_n(out, channels, average ? T{0} : kLowest);
  const auto step = [&](size_t i) { return axes[i].window.dilation * axes[i].x_step; };
  for (int64_t a = taps[0][0]; a < taps[0][1]; ++a)
    for (int64_t b = taps[1][0]; b < taps[1][1]; ++b)
      for (int64_t k = taps[2][0]; k < taps[2][1]; ++k) {
        const X* __restrict__ from = x + a * step(0) + b * step(1) + k * step(2);
        for (int64_t c = 0; c < channels; ++c)
          if constexpr (average) {
            out[c] += value_of(from[c]);
          } else {  // NaN is the largest
            const auto value = value_of(from[c]);
            out[c] = ((value > out[c]) | (value != value)) ? value : out[c];
          }
      }
  if constexpr (average) {
    int64_t count = 1;
    for (size_t i = 0; i < 3; ++i) count *= include_pad ? axes[i].counted(at[i]) : taps[i][1] - taps[i][0];
    const float scale = 1.f / static_cast<float>(std::max<int64_t>(count, 1));
    for (int64_t c = 0; c < channels; ++c) out[c] *= scale;
  }
}

// The same of bf16: taken together in fp32, some channels at a time.
template <bool average>
void pool_halves(const PoolAxes& axes, const std::array<int64_t, 3>& at, bool include_pad, const BFloat16* x,
                 int64_t channels, BFloat16* out) {
  constexpr int64_t kAtOnce = 16 * Vec::kWidth;
  const HalfStore store;
  float wide[kAtOnce];
  for (int64_t c = 0; c < channels; c += kAtOnce) {
    const int64_t n = std::min(kAtOnce, channels - c);
    pool_position<average>(axes, at, include_pad, x + c, n, wide);
    int64_t i = 0;
    for (; i + Vec::kWidth <= n; i += Vec::kWidth) store(Vec::load(wide + i), out + c + i);
    for (; i < n; ++i) out[c + i] = to_bfloat16(wide[i]);
  }
}

// fp32, bf16, and bytes whose largest is taken, of one to three spatial axes, channels adjacent
template <bool average>
void check_pool(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  reference::check_pool(args);
  const Slot x = o.in(0).rank(3, 5).adjacent(1);
  if (average || x.view().dtype == DataType::f32 || x.view().dtype == DataType::bf16)
    x.is(kFloatTypes);
  else
    x.is({DataType::f32, DataType::u8, DataType::i8});
  o.out().type_of(x).adjacent(1);
}

template <bool average, class T>
void pool_as(const KernelArgs& args) {
  const auto& attrs = args.as<PoolAttrs>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const PoolAxes axes = pool_axes(attrs, x, y);
  const int64_t lines = axes[0].window.out * axes[1].window.out, width = axes[2].window.out;
  args.pool->parallel_for(y.dims[0] * lines, 1, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t n = line / lines;
      std::array<int64_t, 3> at = {line % lines / axes[1].window.out, line % axes[1].window.out, 0};
      const T* from = x.as<const T>() + n * x.strides[0];
      T* to = y.as<T>() + n * y.strides[0] + at[0] * axes[0].y_step + at[1] * axes[1].y_step;
      for (; at[2] < width; ++at[2]) {
        T* const out = to + at[2] * axes[2].y_step;
        if constexpr (std::is_same_v<T, BFloat16>)
          pool_halves<average>(axes, at, attrs.count_include_pad != 0, from, x.dims[1], out);
        else
          pool_position<average>(axes, at, attrs.count_include_pad != 0, from, x.dims[1], out);
      }
    }
  });
}

void run_average_pool(const KernelArgs& args) {
  lies_half(args.inputs[0].dtype) ? pool_as<true, BFloat16>(args) : pool_as<true, float>(args);
}

void run_max_pool(const KernelArgs& args) {
  if (lies_half(args.inputs[0].dtype)) return pool_as<false, BFloat16>(args);
  switch (args.inputs[0].dtype) {
    case DataType::u8:
      return pool_as<false, uint8_t>(args);
    case DataType::i8:
      return pool_as<false, int8_t>(args);
    default:
      return pool_as<false, float>(args);
  }
}

}  // namespace

void register_pool(KernelTable& table) {
  table.add(make_kernel<PoolAttrs>("max_pool", check_pool<false>, run_max_pool));
  table.add(make_kernel<PoolAttrs>("average_pool", check_pool<true>, run_average_pool));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
