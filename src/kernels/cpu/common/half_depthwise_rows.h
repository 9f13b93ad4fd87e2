#pragma once
// Rows of a depthwise convolution on products of bf16, channels last: pixels of two neighbouring lines are interleaved
// into words, which meet pairs of weights (kernels/half_depthwise.h); the sums of a few pixels by a line of channels
// stay in registers while the taps pass.

#include <algorithm>

#include "base/checked.h"
#include "base/thread_pool.h"
#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/mma_block.h"
#include "kernels/gemm.h"
#include "kernels/half_depthwise.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kHalfLanes = half_depthwise::kLanes;

#if defined(PLANISH_ISA_avx512)

constexpr int kPixelsOfTile = 7;

struct HalfDepthwise {
  const GemmAttrs* conv = nullptr;
  int64_t height = 0, width = 0, pixel = 0;  // of the image; elements from one pixel to the next
  int64_t out_width = 0;
  const int32_t* weights = nullptr;
  const float* bias = nullptr;             // or null
  const BFloat16* zeros = nullptr;         // a pixel
  const Activation* activation = nullptr;  // or null
  float low = 0, high = 0;

  int64_t pairs() const { return ceil_div(conv->kernel[0], 2); }
  int64_t block_words() const { return pairs() * conv->kernel[1] * kHalfLanes; }
};

// The lines under a row of the result, column 0, channel 0; null: it is outside.
struct HalfLines {
  const BFloat16* at[half_depthwise::kMostTaps + 1] = {};
};

// Where a row of the result begins, and elements from one of its pixels to the next.
struct HalfRow {
  Elements out;
  int64_t out_pixel = 0;
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

inline void load_half_bias(const HalfDepthwise& d, const HalfTile& tile, __m512& low, __m512& high) {
  const float* const bias = d.bias + tile.channel;
  const __m512 first = _mm512_maskz_loadu_ps(static_cast<__mmask16>(tile.some), bias),
               last = _mm512_maskz_loadu_ps(static_cast<__mmask16>(tile.some >> 16), bias + 16);
  low = taken(first, lower_fours(), last);
  high = taken(first, upper_fours(), last);
}

template <int kColumns, int kStride>
void sum_half_tile(const HalfDepthwise& d, const HalfTile& tile) {
  constexpr int T = kPixelsOfTile, kReach = (T - 1) * kStride + kColumns;
  __m512 sums[T][2];
  __m512 low = _mm512_setzero_ps(), high = low;
  if (d.bias != nullptr) load_half_bias(d, tile, low, high);
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
    activate_sums(*d.activation, values, 2 * T, tile.out.is_half());
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

// The same, line by line in f32, into which a bf16 is widened by zeros below it: processors with tiles do that at four
// times the rate of their products of bf16. Of columns beside the image no channel is loaded. Indices are constants and
// callers are flattened, so that the sums are registers (Sums in mma_block.h).
template <int kColumns, int kStride>
[[gnu::flatten]] void sum_half_tile_in_floats(const HalfDepthwise& d, const HalfTile& tile) {
  constexpr int T = kPixelsOfTile;
  __m512 sums[2 * T];
  __m512 low = _mm512_setzero_ps(), high = low;
  if (d.bias != nullptr) load_half_bias(d, tile, low, high);
  for_constants<2 * T>([&](int i) { sums[i] = i % 2 == 0 ? low : high; });
  const __m512i zero = _mm512_setzero_si512(), upper_half = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
  for (int64_t line = 0; line < d.conv->kernel[0]; ++line) {
    const BFloat16* a = tile.lines[line] + tile.channel;
    const int64_t step = tile.steps[line];
    const int32_t* const weights = tile.weights + line / 2 * kColumns * kHalfLanes;
    const __m128i raise = _mm_cvtsi32_si128(line % 2 == 0 ? 16 : 0);
    __m512 w[kColumns * 2];
    for_constants<kColumns * 2>([&](int i) {
      const __m512i words = _mm512_sll_epi32(_mm512_loadu_si512(weights + i * kHalfLanes / 2), raise);
      w[i] = _mm512_castsi512_ps(_mm512_and_si512(words, upper_half));
    });
    for_constants<(T - 1) * kStride + kColumns>([&](int column) {
      const auto inside = static_cast<uint32_t>((column >= tile.begin) & (column < tile.end));
      const __m512i x = _mm512_maskz_loadu_epi16(static_cast<__mmask32>(tile.some & -inside), a);
      a += step;
      const __m512 lower = _mm512_castsi512_ps(_mm512_unpacklo_epi16(zero, x)),
                   upper = _mm512_castsi512_ps(_mm512_unpackhi_epi16(zero, x));
      for_constants<kColumns>([&](int k) {
        const int t = (column - k) / kStride;
        if (column < k || (column - k) % kStride != 0 || t >= T) return;
        sums[2 * t] = _mm512_fmadd_ps(lower, w[2 * k], sums[2 * t]);
        sums[2 * t + 1] = _mm512_fmadd_ps(upper, w[2 * k + 1], sums[2 * t + 1]);
      });
    });
  }
  if (d.activation != nullptr) {
    Vec values[2 * T];
    for_constants<2 * T>([&](int i) { values[i] = {sums[i]}; });
    activate_sums(*d.activation, values, 2 * T, tile.out.is_half());
    for_constants<2 * T>([&](int i) { sums[i] = values[i].v; });
  }
  const __m512 least = _mm512_set1_ps(d.low), most = _mm512_set1_ps(d.high);
  for_constants<T>([&](int t) {
    if (t < tile.count)
      store_half_channels(tile, t, _mm512_min_ps(most, _mm512_max_ps(least, sums[2 * t])),
                          _mm512_min_ps(most, _mm512_max_ps(least, sums[2 * t + 1])));
  });
}

using HalfTileFn = void (*)(const HalfDepthwise&, const HalfTile&);

inline HalfTileFn half_tile_function(const GemmAttrs& conv) {
  const bool twice = conv.strides[1] == 2;
  if (cpu_info().has(Isa::amx)) {
    if (conv.kernel[1] == 3) return twice ? sum_half_tile_in_floats<3, 2> : sum_half_tile_in_floats<3, 1>;
    return twice ? sum_half_tile_in_floats<5, 2> : sum_half_tile_in_floats<5, 1>;
  }
  if (conv.kernel[1] == 3) return twice ? sum_half_tile<3, 2> : sum_half_tile<3, 1>;
  return twice ? sum_half_tile<5, 2> : sum_half_tile<5, 1>;
}

// Channels [first, last) of a row.
[[gnu::noinline]] inline void run_half_row(const HalfDepthwise& d, HalfTileFn sum, const HalfLines& image,
                                           int64_t first, int64_t last, const HalfRow& row) {
  const GemmAttrs& conv = *d.conv;
  const int64_t taps = 2 * d.pairs();
  const BFloat16* lines[half_depthwise::kMostTaps + 1];
  int64_t steps[half_depthwise::kMostTaps + 1];
  HalfTile tile{};
  tile.lines = lines;
  tile.steps = steps;
  tile.pairs = d.pairs();
  tile.out_step = row.out_pixel;
  for (int64_t at = 0; at < d.out_width; at += kPixelsOfTile) {
    const int64_t column = at * conv.strides[1] - conv.pads[1];
    for (int64_t k = 0; k < taps; ++k) {
      steps[k] = image.at[k] != nullptr ? d.pixel : 0;
      lines[k] = image.at[k] != nullptr ? image.at[k] + column * d.pixel : d.zeros;
    }
    tile.begin = -column;
    tile.end = d.width - column;
    tile.count = static_cast<int>(std::min<int64_t>(kPixelsOfTile, d.out_width - at));
    for (int64_t c = first; c < last; c += kHalfLanes) {
      tile.channel = c;
      tile.some = static_cast<__mmask32>((uint64_t{1} << std::min(kHalfLanes, last - c)) - 1);
      tile.weights = d.weights + c / kHalfLanes * d.block_words();
      tile.out = row.out.at(at * row.out_pixel + c);
      sum(d, tile);
    }
  }
}

// line(l): column 0, channel 0 of line l of the image, for those under row `row` of the result.
template <class Line>
HalfLines half_lines(const HalfDepthwise& d, int64_t row, Line line) {
  HalfLines lines;
  for (int64_t k = 0; k < d.conv->kernel[0]; ++k) {
    const int64_t l = row * d.conv->strides[0] - d.conv->pads[0] + k;
    if (l >= 0 && l < d.height) lines.at[k] = line(l);
  }
  return lines;
}

// The image as bf16, dense, channels last.
[[gnu::noinline]] inline TensorView rounded_image(const TensorView& x, BFloat16* to, ThreadPool& pool) {
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

#endif

}  // namespace planish::kernels::cpu::PLANISH_ISA
