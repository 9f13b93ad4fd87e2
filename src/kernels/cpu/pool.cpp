// Poolings of one to three spatial axes, channels last: vectors of channels stay in registers while the taps pass.

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

// What one output position takes together: taps inside the input, steps between them.
template <class X>
struct PoolTaps {
  std::array<int64_t, 3> count{}, step{};
  const X* first = nullptr;
  float scale = 1;  // of an average

  template <class Body>
  void visit(Body body) const {
    for (int64_t a = 0; a < count[0]; ++a)
      for (int64_t b = 0; b < count[1]; ++b) {
        const X* from = first + a * step[0] + b * step[1];
        for (int64_t k = 0; k < count[2]; ++k, from += step[2]) body(from);
      }
  }
};

template <bool average, class X>
PoolTaps<X> pool_taps(const PoolAxes& axes, const std::array<int64_t, 3>& at, bool include_pad, const X* x) {
  PoolTaps<X> taps;
  int64_t counted = 1;
  for (size_t i = 0; i < 3; ++i) {
    const auto [begin, end] = axes[i].inside(at[i]);
    const WindowAxis& window = axes[i].window;
    taps.count[i] = end - begin;
    taps.step[i] = window.dilation * axes[i].x_step;
    x += (at[i] * window.stride - window.pad + begin * window.dilation) * axes[i].x_step;
    if constexpr (average) counted *= include_pad ? axes[i].counted(at[i]) : end - begin;
  }
  taps.first = x;
  taps.scale = 1.f / static_cast<float>(std::max<int64_t>(counted, 1));
  return taps;
}

// The larger of each pair; NaN is the largest.
inline Vec larger(Vec a, Vec b) {
#if defined(PLANISH_ISA_avx512)
  return {_mm512_mask_mov_ps(_mm512_max_ps(b.v, a.v), _mm512_cmp_ps_mask(b.v, b.v, _CMP_UNORD_Q), b.v)};
#elif defined(PLANISH_ISA_avx2)
  return {_mm256_blendv_ps(_mm256_max_ps(b.v, a.v), b.v, _mm256_cmp_ps(b.v, b.v, _CMP_UNORD_Q))};
#else
  return {b.v > a.v || b.v != b.v ? b.v : a.v};
#endif
}

// Channels c … of one position: V vectors, or with kPart n channels of one.
template <bool average, int V, bool kPart, class X>
void pool_vectors(const PoolTaps<X>& taps, int64_t c, int n, X* out, const HalfStore& store) {
  Vec acc[V];
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v) acc[v] = Vec::splat(average ? 0.f : -std::numeric_limits<float>::infinity());
  taps.visit([&](const X* from) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const Vec value = load_some<kPart>(from + c + v * Vec::kWidth, n);
      acc[v] = average ? acc[v] + value : larger(acc[v], value);
    }
  });
#pragma GCC unroll 8
  for (int v = 0; v < V; ++v)
    store_some<kPart>(store, average ? acc[v] * Vec::splat(taps.scale) : acc[v], out + c + v * Vec::kWidth, n);
}

// All channels of one position, in registers. X: f32 or bf16.
template <bool average, class X>
void pool_floats(const PoolTaps<X>& taps, int64_t channels, X* out, const HalfStore& store) {
  constexpr int kTogether = 4;
  int64_t c = 0;
  for (; c + kTogether * Vec::kWidth <= channels; c += kTogether * Vec::kWidth)
    pool_vectors<average, kTogether, false>(taps, c, Vec::kWidth, out, store);
  for (; c + Vec::kWidth <= channels; c += Vec::kWidth)
    pool_vectors<average, 1, false>(taps, c, Vec::kWidth, out, store);
  if (c < channels) pool_vectors<average, 1, true>(taps, c, static_cast<int>(channels - c), out, store);
}

// The same of bytes whose largest is taken.
template <class X>
void pool_bytes(const PoolTaps<X>& taps, int64_t channels, X* __restrict__ out) {
  std::fill_n(out, channels, std::numeric_limits<X>::lowest());
  taps.visit([&](const X* __restrict__ from) {
    for (int64_t c = 0; c < channels; ++c) out[c] = std::max(out[c], from[c]);
  });
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
  const HalfStore store;
  args.pool->parallel_for(y.dims[0] * lines, 1, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      const int64_t n = line / lines;
      std::array<int64_t, 3> at = {line % lines / axes[1].window.out, line % axes[1].window.out, 0};
      const T* from = x.as<const T>() + n * x.strides[0];
      T* to = y.as<T>() + n * y.strides[0] + at[0] * axes[0].y_step + at[1] * axes[1].y_step;
      for (; at[2] < width; ++at[2]) {
        T* const out = to + at[2] * axes[2].y_step;
        const auto taps = pool_taps<average>(axes, at, attrs.count_include_pad != 0, from);
        if constexpr (sizeof(T) == 1)
          pool_bytes(taps, x.dims[1], out);
        else
          pool_floats<average>(taps, x.dims[1], out, store);
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
