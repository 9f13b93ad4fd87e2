#pragma once
// The microkernel: up to kRows rows of A, read through pointers, times one packed panel of B, finished in registers.

#include <array>
#include <utility>

#include "kernels/cpu/common/activation.h"
#include "kernels/cpu/common/half.h"
#include "kernels/gemm.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kMostTileRows = std::max<int64_t>(kRows, kMostLinePixels);

// Where the sums of a tile go: clamp(activation(sums) + residual). `width` columns (1 … kPanel) are written; residual
// rows are null or as wide.
struct TileEnd {
  float* out[kMostTileRows];
  const float* residual[kMostTileRows];
  bool has_residual = false;
  bool has_sums = false;  // an activation meets the sums together with those that wait in `out`
  int width = 0;
  float low = 0, high = 0;
  const Activation* activation = nullptr;
};

template <int R, int V>
[[gnu::noinline]] void activate_tile(Vec (&acc)[R][V], const TileEnd& end) {
  for (int r = 0; end.has_sums && r < R; ++r)
    for (int v = 0; v < V; ++v) {
      const int left = end.width - v * Vec::kWidth;
      if (left <= 0) break;
      const float* const sums = end.out[r] + v * Vec::kWidth;
      acc[r][v] = acc[r][v] + (left < Vec::kWidth ? Vec::load_part(sums, left) : Vec::load(sums));
    }
  activate(*end.activation, &acc[0][0], R * V);
}

template <int R, int V>
void finish_tile(Vec (&acc)[R][V], const TileEnd& end) {
  if (end.activation != nullptr) activate_tile<R, V>(acc, end);
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

// acc[r][:] += a[r][k] * b[:]
template <int R, int V, class W>
inline void add_products(Vec (&acc)[R][V], const float* const (&a)[R], int64_t k, const W* b) {
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

// What a tile adds up: channels [first, first + channels) of so many taps.
struct TileTask {
  const float* const* rows = nullptr;  // [taps][kRows] pointers
  int64_t taps = 1, first = 0, channels = 0;
  const void* b = nullptr;      // [taps][channels][kPanel], in f32, f16 or bf16
  const float* init = nullptr;  // [kPanel]: the sums' beginning
};

// acc[r][:] = init[:] + sum over taps t, channels k of rows[t * kRows + r][first + k] * b[t][k][:]
// b: stored in W, of which V vectors count.
template <int R, int V, class W>
void multiply_tile(const TileTask& task, const TileEnd& end) {
  const auto* b = static_cast<const W*>(task.b);
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec::load(task.init + v * Vec::kWidth);
  for (int64_t t = 0; t < task.taps; ++t) {
    const float* a[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) a[r] = task.rows[t * kRows + r] + task.first;
    for (int64_t k = 0; k < task.channels; ++k, b += kPanel) {
      if constexpr (kAsksAhead<R, W>) prefetch_ahead<kPanel * sizeof(W)>(b);
      add_products<R, V, W>(acc, a, k, b);
    }
  }
  finish_tile<R, V>(acc, end);
}

// Rows of A `step` apart times a panel, results kPanel apart. Meanwhile what is multiplied next is fetched: a piece of
// `ahead` for every channel, `ahead_step` floats further each time.
struct RowsTask {
  const float* a;
  int64_t step, channels;
  const float* b;
  float* out;
  const float* ahead;
  int64_t ahead_step;
};

// out[r][:] = sum over channels k of a[r][k] * b[k][:]
template <int R, int V>
void multiply_rows(const RowsTask& task) {
  Vec acc[R][V];
  const float* a[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    a[r] = task.a + r * task.step;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec::splat(0.f);
  }
  const float *b = task.b, *ahead = task.ahead;
  for (int64_t k = 0; k < task.channels; ++k, b += kPanel, ahead += task.ahead_step) {
    prefetch(ahead);
    add_products<R, V, float>(acc, a, k, b);
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v].store(task.out + r * kPanel + v * Vec::kWidth);
}

using TileFn = void (*)(const TileTask&, const TileEnd&);
using RowsFn = void (*)(const RowsTask&);

template <int V, class W, int... R>
TileFn tile_function(int rows, std::integer_sequence<int, R...>) {
  static constexpr TileFn kFunctions[] = {multiply_tile<R + 1, V, W>...};
  return kFunctions[rows - 1];
}

template <int V, int... R>
RowsFn rows_function(int rows, std::integer_sequence<int, R...>) {
  static constexpr RowsFn kFunctions[] = {multiply_rows<R + 1, V>...};
  return kFunctions[rows - 1];
}

// pick<V>() with V vectors that cover `width` columns: a quarter, half or all of a panel.
template <class Pick>
auto cover(int width, Pick pick) {
  if constexpr (kVectors > 2)
    if (width <= kPanel / 4) return pick.template operator()<kVectors / 4>();
  if constexpr (Vec::kWidth > 1)
    if (width <= kPanel / 2) return pick.template operator()<kVectors / 2>();
  return pick.template operator()<kVectors>();
}

// `rows` in 1 … kRows, `width` in 1 … kPanel; W is how the panel is stored.
template <class W = float>
TileFn tile_function(int rows, int width) {
  return cover(width, [&]<int V>() { return tile_function<V, W>(rows, std::make_integer_sequence<int, kRows>()); });
}
inline RowsFn rows_function(int rows, int width) {
  return cover(width, [&]<int V>() { return rows_function<V>(rows, std::make_integer_sequence<int, kRows>()); });
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
