// Depthwise convolution on products of bf16, channels last: pixels of two neighbouring lines are interleaved into
// words, which meet pairs of weights; the sums of a few pixels by a line of channels stay in registers while the taps
// pass. Lines above and below the image are one of zeros, columns beside it are passed over.

#include <algorithm>

#include "base/checked.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/half.h"
#include "kernels/half_depthwise.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kHalfLanes = half_depthwise::kLanes;

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

constexpr int kPixelsOfTile = 7;

struct HalfDepthwise {
  const GemmAttrs* conv = nullptr;
  TensorView x, y;
  const int32_t* weights = nullptr;
  const float* bias = nullptr;             // or null
  const BFloat16* zeros = nullptr;         // a pixel
  const Activation* activation = nullptr;  // or null
  float low = 0, high = 0;

  int64_t pairs() const { return ceil_div(conv->kernel[0], 2); }
  int64_t block_words() const { return pairs() * conv->kernel[1] * kHalfLanes; }
};

// Some pixels of a row of the result by up to kHalfLanes channels.
struct HalfTile {
  const BFloat16* const* lines;  // of the image, [2 * pairs]: tap 0 of the first pixel
  const int64_t* steps;          // elements from one of its pixels to the next
  int64_t begin, end;            // columns from tap 0 on that are inside
  const int32_t* weights;        // [pair][column][2][kHalfLanes / 2]
  int64_t pairs, channel;
  int count;       // of pixels
  __mmask32 some;  // channels
  Elements out;    // of the first pixel
  int64_t out_step;
};

inline void add_dot(__m512& sum, __m512i a, __m512i b) { __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }

// Interleaving leaves four channels of each eight in the lower sums and four in the upper ones: quarter words of 64
// bits of both, taken in turns, are in order.
inline __m512i turns_of_pairs() { return _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7); }
inline __m512i first_turns() { return _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11); }
inline __m512i last_turns() { return _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15); }
// The other way: of channels in order.
inline __m512i lower_fours() { return _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13); }
inline __m512i upper_fours() { return _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15); }
inline __m512 taken(__m512 a, __m512i turns, __m512 b) {
  return _mm512_castpd_ps(_mm512_permutex2var_pd(_mm512_castps_pd(a), turns, _mm512_castps_pd(b)));
}

inline void store_half_channels(const HalfTile& tile, int pixel, __m512 low, __m512 high) {
  const Elements to = tile.out.at(pixel * tile.out_step);
  if (to.is_half()) {
    __m512i both;
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(both) : "v"(low), "v"(high));
    return _mm512_mask_storeu_epi16(to.data, tile.some, _mm512_permutexvar_epi64(turns_of_pairs(), both));
  }
  auto* const out = reinterpret_cast<float*>(to.data);
  _mm512_mask_storeu_ps(out, static_cast<__mmask16>(tile.some), taken(low, first_turns(), high));
  _mm512_mask_storeu_ps(out + 16, static_cast<__mmask16>(tile.some >> 16), taken(low, last_turns(), high));
}

[[gnu::noinline]] void activate_half_sums(const Activation& activation, Vec* values, int count) {
  activate(activation, values, count);
}

template <int kColumns, int kStride>
void sum_half_tile(const HalfDepthwise& d, const HalfTile& tile) {
  constexpr int T = kPixelsOfTile, kReach = (T - 1) * kStride + kColumns;
  __m512 sums[T][2];
  __m512 low = _mm512_setzero_ps(), high = low;
  if (d.bias != nullptr) {
    const float* const bias = d.bias + tile.channel;
    const __m512 first = _mm512_maskz_loadu_ps(static_cast<__mmask16>(tile.some), bias),
                 last = _mm512_maskz_loadu_ps(static_cast<__mmask16>(tile.some >> 16), bias + 16);
    low = taken(first, lower_fours(), last);
    high = taken(first, upper_fours(), last);
  }
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) {
    sums[t][0] = low;
    sums[t][1] = high;
  }
  const int32_t* weights = tile.weights;
  for (int64_t pair = 0; pair < tile.pairs; ++pair, weights += kColumns * kHalfLanes) {
    const BFloat16 *a = tile.lines[2 * pair] + tile.channel, *b = tile.lines[2 * pair + 1] + tile.channel;
    const int64_t a_step = tile.steps[2 * pair], b_step = tile.steps[2 * pair + 1];
    __m512i w[kColumns][2];
#pragma GCC unroll 16
    for (int k = 0; k < kColumns; ++k) {
      w[k][0] = _mm512_loadu_si512(weights + k * kHalfLanes);
      w[k][1] = _mm512_loadu_si512(weights + k * kHalfLanes + kHalfLanes / 2);
    }
#pragma GCC unroll 32
    for (int column = 0; column < kReach; ++column, a += a_step, b += b_step) {
      if (column < tile.begin || column >= tile.end) continue;
      const __m512i above = _mm512_maskz_loadu_epi16(tile.some, a), below = _mm512_maskz_loadu_epi16(tile.some, b);
      const __m512i lower = _mm512_unpacklo_epi16(above, below), upper = _mm512_unpackhi_epi16(above, below);
#pragma GCC unroll 16
      for (int k = 0; k < kColumns; ++k) {
        const int t = (column - k) / kStride;
        if (column < k || (column - k) % kStride != 0 || t >= T) continue;
        add_dot(sums[t][0], lower, w[k][0]);
        add_dot(sums[t][1], upper, w[k][1]);
      }
    }
  }
  if (d.activation != nullptr) {
    Vec values[2 * T];
#pragma GCC unroll 16
    for (int i = 0; i < 2 * T; ++i) values[i] = {sums[i / 2][i % 2]};
    activate_half_sums(*d.activation, values, 2 * T);
#pragma GCC unroll 16
    for (int i = 0; i < 2 * T; ++i) sums[i / 2][i % 2] = values[i].v;
  }
  const __m512 least = _mm512_set1_ps(d.low), most = _mm512_set1_ps(d.high);
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) {
    if (t >= tile.count) return;
    store_half_channels(tile, t, _mm512_min_ps(most, _mm512_max_ps(least, sums[t][0])),
                        _mm512_min_ps(most, _mm512_max_ps(least, sums[t][1])));
  }
}

using HalfTileFn = void (*)(const HalfDepthwise&, const HalfTile&);

HalfTileFn half_tile_function(const GemmAttrs& conv) {
  const bool twice = conv.strides[1] == 2;
  if (conv.kernel[1] == 3) return twice ? sum_half_tile<3, 2> : sum_half_tile<3, 1>;
  return twice ? sum_half_tile<5, 2> : sum_half_tile<5, 1>;
}

// Row `row` of image n, channels [first, last).
void run_half_row(const HalfDepthwise& d, HalfTileFn sum, int64_t n, int64_t row, int64_t first, int64_t last) {
  const GemmAttrs& conv = *d.conv;
  const Elements y = elements_of(d.y);
  const int64_t pixel = d.x.strides[3], width = d.x.dims[3], taps = 2 * d.pairs();
  const BFloat16 *image_lines[half_depthwise::kMostTaps + 1], *lines[half_depthwise::kMostTaps + 1];
  int64_t steps[half_depthwise::kMostTaps + 1];
  for (int64_t k = 0; k < taps; ++k) {
    const int64_t line = row * conv.strides[0] - conv.pads[0] + k;
    const bool inside = k < conv.kernel[0] && line >= 0 && line < d.x.dims[2];
    image_lines[k] = inside ? d.x.as<const BFloat16>() + n * d.x.strides[0] + line * d.x.strides[2] : d.zeros;
    steps[k] = inside ? pixel : 0;
  }
  HalfTile tile{};
  tile.lines = lines;
  tile.steps = steps;
  tile.pairs = d.pairs();
  tile.out_step = d.y.strides[3];
  for (int64_t at = 0; at < d.y.dims[3]; at += kPixelsOfTile) {
    const int64_t column = at * conv.strides[1] - conv.pads[1];
    for (int64_t k = 0; k < taps; ++k) lines[k] = image_lines[k] + column * steps[k];
    tile.begin = -column;
    tile.end = width - column;
    tile.count = static_cast<int>(std::min<int64_t>(kPixelsOfTile, d.y.dims[3] - at));
    for (int64_t c = first; c < last; c += kHalfLanes) {
      tile.channel = c;
      tile.some = static_cast<__mmask32>((uint64_t{1} << std::min(kHalfLanes, last - c)) - 1);
      tile.weights = d.weights + c / kHalfLanes * d.block_words();
      tile.out = y.at(n * d.y.strides[0] + row * d.y.strides[2] + at * d.y.strides[3] + c);
      sum(d, tile);
    }
  }
}

// Channels of a task: as long as tasks are few, fewer of them.
int64_t channels_at_once(const HalfDepthwise& d, int64_t rows, int threads) {
  constexpr int64_t kLinesInCache = 24 << 10;  // elements of the lines under a row
  const int64_t line = d.conv->kernel[0] * (d.x.dims[3] + d.conv->kernel[1]),
                blocks = ceil_div(d.y.dims[1], kHalfLanes);
  const int64_t fits = std::max<int64_t>(kLinesInCache / line / kHalfLanes, 4),
                wanted = ceil_div(int64_t{4} * threads, rows);
  return std::clamp<int64_t>(blocks / wanted, 1, fits) * kHalfLanes;
}

// The image as bf16, dense, channels last.
TensorView rounded_image(const TensorView& x, BFloat16* to, ThreadPool& pool) {
  const int64_t channels = x.dims[1], height = x.dims[2], width = x.dims[3];
  const HalfStore store;
  pool.parallel_for(x.dims[0] * height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line)
      for (int64_t pixel = 0; pixel < width; ++pixel) {
        const float* const from =
            x.as<const float>() + line / height * x.strides[0] + line % height * x.strides[2] + pixel * x.strides[3];
        BFloat16* const out = to + (line * width + pixel) * channels;
        for (int64_t c = 0; c < channels; c += Vec::kWidth) {
          const int n = static_cast<int>(std::min<int64_t>(Vec::kWidth, channels - c));
          store(Vec::load_part(from + c, n), out + c, n);
        }
      }
  });
  TensorView rounded = x;
  rounded.data = to;
  rounded.dtype = DataType::bf16;
  rounded.strides = {height * width * channels, 1, width * channels, channels};
  return rounded;
}

void run_half_depthwise(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  if (!cpu_info().has(Isa::avx512_bf16)) fail(Code::mismatch, "products of bf16, which this processor lacks");
  HalfDepthwise d;
  d.conv = &params.attrs;
  d.x = args.inputs[0];
  d.y = args.outputs[0];
  if (d.y.element_count() == 0) return;
  d.weights = args.inputs[1].as<const int32_t>();
  d.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  d.activation = params.activation.present() ? &params.activation : nullptr;
  d.low = params.low;
  d.high = params.high;
  auto* const zeros = reinterpret_cast<BFloat16*>(args.workspace);
  std::fill_n(zeros, align_up(d.x.dims[1], kHalfLanes), BFloat16{});
  d.zeros = zeros;
  if (!lies_half(d.x.dtype)) d.x = rounded_image(d.x, zeros + align_up(d.x.dims[1], kHalfLanes), *args.pool);
  const HalfTileFn sum = half_tile_function(*d.conv);
  const int64_t rows = d.y.dims[0] * d.y.dims[2], chunk = channels_at_once(d, rows, args.pool->size());
  const int64_t chunks = ceil_div(d.y.dims[1], chunk);
  args.pool->parallel_for(chunks * rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task / rows * chunk, row = task % rows;
      run_half_row(d, sum, row / d.y.dims[2], row % d.y.dims[2], first, std::min(first + chunk, d.y.dims[1]));
    }
  });
}

#else

void run_half_depthwise(const KernelArgs&) { fail(Code::mismatch, "products of bf16, which this processor lacks"); }

#endif

}  // namespace

void register_half_depthwise(KernelTable& table) {
  table.add(make_gemm_kernel("depthwise.bf16", check_half_depthwise, run_half_depthwise, half_depthwise_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
