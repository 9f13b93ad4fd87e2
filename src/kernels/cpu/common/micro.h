#pragma once
// The microkernel: up to kRows rows of A, read through pointers, times one packed panel of B, finished in registers.

#include <array>
#include <utility>

#include "kernels/cpu/common/half.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// Where the sums of a tile go. `width` columns (1 … kPanel) are written; residual rows are null or as wide.
struct TileEnd {
  float* out[kRows];
  const float* residual[kRows];
  bool has_residual = false;
  int width = 0;
  float low = 0, high = 0;
};

template <int R, int V>
void finish_tile(Vec (&acc)[R][V], const TileEnd& end) {
  const Vec low = Vec::splat(end.low), high = Vec::splat(end.high);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int column = v * Vec::kWidth, left = end.width - column;
      if (left >= Vec::kWidth) {
        Vec sum = acc[r][v];
        if (end.has_residual) sum = sum + Vec::load(end.residual[r] + column);
        Vec::min(high, Vec::max(low, sum)).store(end.out[r] + column);
      } else if (left > 0) {
        Vec sum = acc[r][v];
        if (end.has_residual) sum = sum + Vec::load_part(end.residual[r] + column, left);
        Vec::min(high, Vec::max(low, sum)).store_part(end.out[r] + column, left);
      }
    }
  }
}

// A tile of few rows waits for its panel: lines of it, or of the next one, are asked for ahead of their turn, across
// the pages at which the hardware stops. One row of f32 is a plain stream, which the hardware follows better by itself.
constexpr int64_t kAheadBytes = 2048;
template <int R, class W>
constexpr bool kAsksAhead = R < kRows && (R > 1 || sizeof(W) == 2);

template <int kBytes>
void prefetch_ahead(const void* at) {
  const auto* line = static_cast<const char*>(at) + kAheadBytes;
#pragma GCC unroll 4
  for (int i = 0; i < kBytes; i += 64) __builtin_prefetch(line + i);
}

// acc[r][:] = init[:] + sum over taps t, channels k of rows[t * kRows + r][k] * b[t][k][:]
// rows: [taps][kRows] pointers; b: [taps][channels][kPanel] of W, stored in f32, f16 or bf16, of which V vectors count.
template <int R, int V, class W>
void multiply_tile(const float* const* rows, int64_t taps, int64_t channels, const void* panel, const float* init,
                   const TileEnd& end) {
  const auto* b = static_cast<const W*>(panel);
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec::load(init + v * Vec::kWidth);
  for (int64_t t = 0; t < taps; ++t) {
    const float* a[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) a[r] = rows[t * kRows + r];
    for (int64_t k = 0; k < channels; ++k, b += kPanel) {
      if constexpr (kAsksAhead<R, W>) prefetch_ahead<kPanel * sizeof(W)>(b);
      Vec w[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) w[v] = load_widened(b + v * Vec::kWidth);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec x = Vec::splat(a[r][k]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[r][v] = Vec::fma(x, w[v], acc[r][v]);
      }
    }
  }
  finish_tile<R, V>(acc, end);
}

using TileFn = void (*)(const float* const*, int64_t, int64_t, const void*, const float*, const TileEnd&);

template <int V, class W, int... R>
TileFn tile_function(int rows, std::integer_sequence<int, R...>) {
  static constexpr TileFn kFunctions[] = {multiply_tile<R + 1, V, W>...};
  return kFunctions[rows - 1];
}

// `rows` in 1 … kRows, `width` in 1 … kPanel; W is how the panel is stored.
template <class W = float>
TileFn tile_function(int rows, int width) {
  const std::make_integer_sequence<int, kRows> all;
  if constexpr (Vec::kWidth > 1)
    if (width <= kPanel / 2) return tile_function<kVectors / 2, W>(rows, all);
  return tile_function<kVectors, W>(rows, all);
}

inline TileFn tile_function(int rows, int width, DataType stored) {
  if (stored == DataType::f16) return tile_function<Half>(rows, width);
  if (stored == DataType::bf16) return tile_function<BFloat16>(rows, width);
  return tile_function(rows, width);
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
