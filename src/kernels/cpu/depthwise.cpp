// Depthwise convolution, channels last: the sums of up to kPixels neighbours in a row stay in registers while the
// taps pass, a vector of channels at a time.

#include <algorithm>

#include "kernels/cpu/common/epilogue.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int kPixels = 8;

struct Depthwise {
  const GemmAttrs* conv = nullptr;
  TensorView x, y;
  const float* weights = nullptr;  // [taps, C]
  const float* bias = nullptr;
  Epilogue epilogue;
};

// Taps of one axis that lie inside for an output position: [begin, end).
struct TapRange {
  int64_t begin = 0, end = 0;
};

TapRange taps_inside(const GemmAttrs& conv, size_t axis, int64_t position, int64_t extent) {
  const int64_t first = position * conv.strides[axis] - conv.pads[axis], step = conv.dilations[axis];
  TapRange range{0, conv.kernel[axis]};
  while (range.begin < range.end && first + range.begin * step < 0) ++range.begin;
  while (range.end > range.begin && first + (range.end - 1) * step >= extent) --range.end;
  return range;
}

// A run of pixels that have the same taps inside.
struct PixelRun {
  TapRange down, across;
  const float* from;      // tap (0, 0) of the first pixel, channel 0; may lie outside
  const float* residual;  // or null
  float* out;
  int64_t residual_step;  // between pixels
};

template <bool kPart>
Vec load_some(const float* p, int n) {
  if constexpr (kPart)
    return Vec::load_part(p, n);
  else
    return Vec::load(p);
}

// In memory of their own, so that the sums stay in registers before.
template <int T>
void activate_sums(const Activation& activation, Vec (&sums)[T]) {
  Vec values[T];
  std::copy_n(sums, T, values);
  activate(activation, values, T);
  std::copy_n(values, T, sums);
}

// Channels c … c + n - 1 of T pixels.
template <int T, bool kPart>
void sum_pixels(const Depthwise& d, const PixelRun& run, int64_t c, int n) {
  const int64_t channels = d.y.dims[1], pixel = d.conv->strides[1] * d.x.strides[3], out_pixel = d.y.strides[3];
  const int64_t down = d.conv->dilations[0] * d.x.strides[2], across = d.conv->dilations[1] * d.x.strides[3];
  Vec acc[T];
  const Vec init = d.bias != nullptr ? load_some<kPart>(d.bias + c, n) : Vec::splat(0.f);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) acc[t] = init;
  for (int64_t ky = run.down.begin; ky < run.down.end; ++ky) {
    const float* from = run.from + ky * down + run.across.begin * across + c;
    const float* w = d.weights + (ky * d.conv->kernel[1] + run.across.begin) * channels + c;
    for (int64_t kx = run.across.begin; kx < run.across.end; ++kx, from += across, w += channels) {
      const Vec weight = load_some<kPart>(w, n);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) acc[t] = Vec::fma(load_some<kPart>(from + t * pixel, n), weight, acc[t]);
    }
  }
  const Vec low = Vec::splat(d.epilogue.params->low), high = Vec::splat(d.epilogue.params->high);
  if (d.epilogue.activation != nullptr) activate_sums(*d.epilogue.activation, acc);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    Vec sum = acc[t];
    if (run.residual != nullptr) sum = sum + load_some<kPart>(run.residual + t * run.residual_step + c, n);
    sum = Vec::min(high, Vec::max(low, sum));
    if constexpr (kPart)
      sum.store_part(run.out + t * out_pixel + c, n);
    else
      sum.store(run.out + t * out_pixel + c);
  }
}

template <int T>
void sum_channels(const Depthwise& d, const PixelRun& run) {
  const int64_t channels = d.y.dims[1];
  int64_t c = 0;
  for (; c + Vec::kWidth <= channels; c += Vec::kWidth) sum_pixels<T, false>(d, run, c, Vec::kWidth);
  if (c < channels) sum_pixels<T, true>(d, run, c, static_cast<int>(channels - c));
}

// Pixels [first, last) of a row, all with the taps of `run`.
void sum_row(const Depthwise& d, PixelRun run, const PixelRun& row, int64_t first, int64_t last) {
  static constexpr void (*kSums[])(const Depthwise&, const PixelRun&) = {
      sum_channels<1>, sum_channels<2>, sum_channels<3>, sum_channels<4>,
      sum_channels<5>, sum_channels<6>, sum_channels<7>, sum_channels<8>};
  static_assert(std::size(kSums) == kPixels);
  for (int64_t ox = first; ox < last; ox += kPixels) {
    run.from = row.from + (ox * d.conv->strides[1] - d.conv->pads[1]) * d.x.strides[3];
    run.out = row.out + ox * d.y.strides[3];
    if (row.residual != nullptr) run.residual = row.residual + ox * run.residual_step;
    kSums[std::min<int64_t>(kPixels, last - ox) - 1](d, run);
  }
}

void run_row(const Depthwise& d, int64_t n, int64_t oy) {
  const GemmAttrs& conv = *d.conv;
  const int64_t width = d.y.dims[3];
  RowWalk walk = rows_of(d.y, 1);
  walk.at = {n, oy, 0};
  PixelRun row{};
  row.down = taps_inside(conv, 0, oy, d.x.dims[2]);
  row.from = d.x.as<const float>() + n * d.x.strides[0] + (oy * conv.strides[0] - conv.pads[0]) * d.x.strides[2];
  row.out = d.epilogue.out.row(walk);
  if (const auto* residual = d.epilogue.residual()) {
    row.residual = residual->row(walk);
    row.residual_step = residual->rows[2];
  }
  for (int64_t ox = 0; ox < width;) {
    PixelRun run = row;
    run.across = taps_inside(conv, 1, ox, d.x.dims[3]);
    int64_t last = ox + 1;
    const auto same = [&](int64_t x) {
      const TapRange range = taps_inside(conv, 1, x, d.x.dims[3]);
      return range.begin == run.across.begin && range.end == run.across.end;
    };
    while (last < width && same(last)) ++last;
    sum_row(d, run, row, ox, last);
    ox = last;
  }
  if (d.epilogue.has_program) finish_rows(d.epilogue, walk, width, 0, d.y.dims[1]);
}

// X [N, C, H, W], weights [taps, C], bias?, extras -> Y [N, C, H, W]; channels adjacent
void check_depthwise(const KernelArgs& args) {
  const GemmAttrs& conv = args.as<GemmParams>().attrs;
  check_product(args, 1);
  const Operands o(args, 2, args.inputs.size());
  const Slot x = o.in(0).rank(4, 4).adjacent(1), y = o.out().rank(4, 4);
  require(conv.kernel.size() == 2, "a kernel of {} axes over 2 spatial ones", conv.kernel.size());
  require(y.extent(0) == x.extent(0) && y.extent(1) == x.extent(1), "a result of {} images of {} channels", y.extent(0),
          y.extent(1));
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int>(i) + 2;
    check_window({x.extent(axis), y.extent(axis), conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i],
                  x.view().strides[i + 2]});
  }
  o.in(1).is({DataType::f32}).shape({conv.kernel[0] * conv.kernel[1], x.extent(1)}).dense();
}

void run_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  Depthwise d;
  d.conv = &params.attrs;
  d.x = args.inputs[0];
  d.y = args.outputs[0];
  d.weights = args.inputs[1].as<const float>();
  d.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  d.epilogue = make_epilogue(args, 1);
  const int64_t height = d.y.dims[2];
  args.pool->parallel_for(d.y.dims[0] * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) run_row(d, row / height, row % height);
  });
}

}  // namespace

void register_depthwise(KernelTable& table) {
  table.add(make_gemm_kernel("depthwise", check_depthwise, run_depthwise));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
