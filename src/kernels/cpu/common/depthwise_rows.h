#pragma once
// Rows of a depthwise convolution, channels last: the sums of a few neighbours in a row, two vectors of channels each,
// stay in registers while the taps pass. Where a tap of one of them lies outside, pointers are followed and some lead
// to zeros: at both ends of a row, whose pixels go together. Images lie in memory as f32 or bf16.

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/half.h"
#include "kernels/gemm.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int kDepthwisePixels = 6;
constexpr int kDepthwisePairs = 2;  // vectors of channels at once

struct Depthwise {
  const GemmAttrs* conv = nullptr;  // kernel, strides, dilations and pads count
  int64_t height = 0, width = 0;    // of the image
  int64_t line = 0, pixel = 0;      // elements from one of it to the next
  int64_t out_width = 0, channels = 0;
  const float* weights = nullptr;          // [taps, channels]
  const float* bias = nullptr;             // [channels] or null
  const std::byte* zeros = nullptr;        // [channels] of the image's elements
  const Activation* activation = nullptr;  // of the sums, before the residual; or null
  float low = 0, high = 0;
  HalfStore store;
};

// Positions [begin, end).
struct PositionRange {
  int64_t begin = 0, end = 0;
};

// Taps of one axis that lie inside for an output position.
inline PositionRange taps_inside(const GemmAttrs& conv, size_t axis, int64_t position, int64_t extent) {
  const int64_t first = position * conv.strides[axis] - conv.pads[axis], step = conv.dilations[axis];
  const int64_t begin = first >= 0 ? 0 : ceil_div(-first, step),
                end = first >= extent ? 0 : (extent - 1 - first) / step + 1;
  return {std::min(begin, conv.kernel[axis]), std::clamp(end, std::min(begin, conv.kernel[axis]), conv.kernel[axis])};
}

// Output columns whose taps are all inside; an empty range at the end where there are none.
inline PositionRange whole_columns(const Depthwise& d) {
  const GemmAttrs& conv = *d.conv;
  const int64_t stride = conv.strides[1], reach = (conv.kernel[1] - 1) * conv.dilations[1];
  const int64_t begin = ceil_div(std::max<int64_t>(conv.pads[1], 0), stride),
                room = d.width + conv.pads[1] - reach;  // of the first tap's columns
  const int64_t width = d.out_width, end = room <= 0 ? 0 : std::min(width, (room - 1) / stride + 1);
  return begin < end ? PositionRange{begin, end} : PositionRange{width, width};
}

// Some pixels of a row of the result, evenly apart. In: elements of the image.
template <class In>
struct DepthwiseTile {
  PositionRange down;
  const In* from;         // tap (0, 0) of the first pixel, channel 0, where all taps of all of them are inside
  const In* const* taps;  // or else [tap][kDepthwisePixels]
  Elements residual;      // or null
  Elements out;
  int64_t residual_step, out_step;  // between pixels
};

// In memory of their own, so that the sums stay in registers before.
template <int T, int V>
void activate_pixels(const Activation& activation, Vec (&sums)[T][V], bool half) {
  Vec values[T * V];
  std::copy_n(&sums[0][0], T * V, values);
  activate_sums(activation, values, T * V, half);
  std::copy_n(values, T * V, &sums[0][0]);
}

// What a tile's sums become.
template <class In, int T, int V, bool kPart>
void leave_pixels(const Depthwise& d, const DepthwiseTile<In>& tile, Vec (&acc)[T][V], int64_t c, int n) {
  if (d.activation != nullptr) activate_pixels<T, V>(*d.activation, acc, tile.out.is_half());
  const Vec low = Vec::splat(d.low), high = Vec::splat(d.high);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int64_t at = c + v * Vec::kWidth;
      Vec sum = acc[t][v];
      if (tile.residual.data != nullptr) sum = sum + load_some<kPart>(tile.residual, t * tile.residual_step + at, n);
      sum = Vec::min(high, Vec::max(low, sum));
      store_some<kPart>(d.store, sum, tile.out, t * tile.out_step + at, n);
    }
}

// The rows that a row of the result is the first to read, under the next tile: a stream for each pixel is more than the
// hardware follows.
template <int T, class In>
void ask_ahead(const Depthwise& d, const DepthwiseTile<In>& tile, int64_t c) {
  const int64_t down = d.conv->dilations[0] * d.line, pixel = d.pixel;
  const int64_t pixels = T * d.conv->strides[1];
  for (int64_t ky = std::max(tile.down.begin, tile.down.end - d.conv->strides[0]); ky < tile.down.end; ++ky) {
    const In* from = tile.from + ky * down + pixels * pixel + c;
    for (int64_t j = 0; j < pixels; ++j, from += pixel) __builtin_prefetch(from);
  }
}

// Channels c … of T pixels: V vectors, or with kPart n channels of one.
template <class In, int T, int V, bool kPart, bool kInside>
void sum_pixels(const Depthwise& d, const DepthwiseTile<In>& tile, int64_t c, int n) {
  const GemmAttrs& conv = *d.conv;
  const int64_t channels = d.channels, width = conv.kernel[1], pixel = conv.strides[1] * d.pixel;
  const int64_t across = conv.dilations[1] * d.pixel, down = conv.dilations[0] * d.line;
  Vec acc[T][V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const Vec init = d.bias != nullptr ? load_some<kPart>(d.bias + c + v * Vec::kWidth, n) : Vec::splat(0.f);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[t][v] = init;
  }
  if constexpr (kInside) ask_ahead<T>(d, tile, c);
  const float* w = d.weights + tile.down.begin * width * channels + c;
  const In* const* taps = tile.taps + (kInside ? 0 : tile.down.begin * width * kDepthwisePixels);
  for (int64_t ky = tile.down.begin; ky < tile.down.end; ++ky) {
    const In* from = kInside ? tile.from + ky * down + c : nullptr;
    for (int64_t kx = 0; kx < width;
         ++kx, w += channels, from += kInside ? across : 0, taps += kInside ? 0 : kDepthwisePixels) {
      Vec weight[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) weight[v] = load_some<kPart>(w + v * Vec::kWidth, n);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const In* const x = kInside ? from + t * pixel : taps[t] + c;
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v)
          acc[t][v] = Vec::fma(load_some<kPart>(x + v * Vec::kWidth, n), weight[v], acc[t][v]);
      }
    }
  }
  leave_pixels<In, T, V, kPart>(d, tile, acc, c, n);
}

template <class In, int T, bool kInside>
void sum_channels(const Depthwise& d, const DepthwiseTile<In>& tile, PositionRange columns) {
  int64_t c = columns.begin;
  for (; c + kDepthwisePairs * Vec::kWidth <= columns.end; c += kDepthwisePairs * Vec::kWidth)
    sum_pixels<In, T, kDepthwisePairs, false, kInside>(d, tile, c, Vec::kWidth);
  for (; c + Vec::kWidth <= columns.end; c += Vec::kWidth)
    sum_pixels<In, T, 1, false, kInside>(d, tile, c, Vec::kWidth);
  if (c < columns.end) sum_pixels<In, T, 1, true, kInside>(d, tile, c, static_cast<int>(columns.end - c));
}

// Even pieces: a last tile of few pixels would wait for its sums.
inline int next_pixels(int64_t left) {
  return static_cast<int>(left >= 2 * kDepthwisePixels ? kDepthwisePixels
                          : left > kDepthwisePixels    ? (left + 1) / 2
                                                       : left);
}

// What does not change from row to row.
struct DepthwiseColumns {
  PositionRange whole, channels;
};

// Where a row of the result is read and written.
template <class In>
struct DepthwisePlace {
  const In* image;                    // of tap (0, 0) for column 0 of the image: pads stand above it
  int64_t row;                        // of the result
  Elements out, residual;             // column 0, channel 0; residual: or null
  int64_t out_pixel, residual_pixel;  // elements from one column to the next
};

// A row of the result, some of its pixels at a time.
template <class In>
class DepthwiseRow {
 public:
  DepthwiseRow(const Depthwise& d, const DepthwiseColumns& columns, const DepthwisePlace<In>& place)
      : d_(d), columns_(columns), down_(taps_inside(*d.conv, 0, place.row, d.height)), at_(place) {}

  void run() {
    const int64_t width = d_.out_width, left = columns_.whole.begin, right = width - columns_.whole.end;
    if (left == right) {
      for (int64_t x = 0; x < left; ++x) sum_border(x, columns_.whole.end, 2);
    } else {
      border({0, left});
      border({columns_.whole.end, width});
    }
    inside(columns_.whole);
  }

 private:
  template <bool kInside, int... T>
  static auto sums_of(int count, std::integer_sequence<int, T...>) {
    static constexpr void (*kSums[])(const Depthwise&, const DepthwiseTile<In>&,
                                     PositionRange) = {sum_channels<In, T + 1, kInside>...};
    return kSums[count - 1];
  }
  template <bool kInside>
  static auto sums_of(int count) {
    return sums_of<kInside>(count, std::make_integer_sequence<int, kDepthwisePixels>());
  }

  DepthwiseTile<In> tile_at(int64_t x, int64_t apart) const {
    const Elements added = at_.residual.data != nullptr ? at_.residual.at(x * at_.residual_pixel) : at_.residual;
    return {down_,
            nullptr,
            nullptr,
            added,
            at_.out.at(x * at_.out_pixel),
            apart * at_.residual_pixel,
            apart * at_.out_pixel};
  }

  void inside(PositionRange columns) const {
    const GemmAttrs& conv = *d_.conv;
    for (int64_t x = columns.begin; x < columns.end;) {
      const int count = next_pixels(columns.end - x);
      DepthwiseTile<In> tile = tile_at(x, 1);
      tile.from = at_.image + (x * conv.strides[1] - conv.pads[1]) * d_.pixel;
      sums_of<true>(count)(d_, tile, columns_.channels);
      x += count;
    }
  }

  void border(PositionRange columns) {
    for (int64_t x = columns.begin; x < columns.end;) {
      const int count = next_pixels(columns.end - x);
      sum_border(x, 1, count);
      x += count;
    }
  }

  // `count` pixels from x on, `apart` from each other.
  void sum_border(int64_t x, int64_t apart, int count) {
    find_taps(x, apart, count);
    DepthwiseTile<In> tile = tile_at(x, apart);
    tile.taps = taps_;
    sums_of<false>(count)(d_, tile, columns_.channels);
  }

  // Where each tap of the pixels is read.
  void find_taps(int64_t x, int64_t apart, int count) {
    const GemmAttrs& conv = *d_.conv;
    const In** taps = taps_ + down_.begin * conv.kernel[1] * kDepthwisePixels;
    for (int64_t ky = down_.begin; ky < down_.end; ++ky) {
      const In* const line = at_.image + ky * conv.dilations[0] * d_.line;
      for (int64_t kx = 0; kx < conv.kernel[1]; ++kx, taps += kDepthwisePixels) {
        int64_t column = x * conv.strides[1] - conv.pads[1] + kx * conv.dilations[1];
        for (int t = 0; t < count; ++t, column += apart * conv.strides[1])
          taps[t] = column >= 0 && column < d_.width ? line + column * d_.pixel : reinterpret_cast<const In*>(d_.zeros);
      }
    }
  }

  const Depthwise& d_;
  const DepthwiseColumns& columns_;
  PositionRange down_;
  DepthwisePlace<In> at_;
  const In* taps_[kMostTaps * kDepthwisePixels];
};

}  // namespace planish::kernels::cpu::PLANISH_ISA
