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

// Written out where sums are made: they never leave their registers before they are stored.
template <bool kWhole, int R, int V>
[[gnu::always_inline]] inline void store_tile(Vec (&acc)[R][V], const TileEnd& end) {
  const Vec low = Vec::splat(end.low), high = Vec::splat(end.high);
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int column = v * Vec::kWidth, left = end.width - column;
      if (kWhole || left >= Vec::kWidth)
        Vec::min(high, Vec::max(low, acc[r][v])).store(end.out[r] + column);
      else if (left > 0)
        Vec::min(high, Vec::max(low, acc[r][v])).store_part(end.out[r] + column, left);
    }
  }
}

template <bool kWhole, int R, int V>
[[gnu::always_inline]] inline void add_residual(Vec (&acc)[R][V], const TileEnd& end) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int column = v * Vec::kWidth, left = end.width - column;
      if (kWhole || left >= Vec::kWidth)
        acc[r][v] = acc[r][v] + Vec::load(end.residual[r] + column);
      else if (left > 0)
        acc[r][v] = acc[r][v] + Vec::load_part(end.residual[r] + column, left);
    }
  }
}

// The sums of a tile in memory, for an end that is no matter of registers.
template <int R, int V>
struct TileSums {
  Vec of[R][V];
};

template <int R, int V>
[[gnu::noinline]] void finish_activated(TileSums<R, V> sums, const TileEnd& end) {
  const auto add = [&](const float* const* rows) {
    for (int r = 0; r < R; ++r)
      for (int v = 0, left = end.width; v < V && left > 0; ++v, left -= Vec::kWidth) {
        const float* const from = rows[r] + v * Vec::kWidth;
        sums.of[r][v] = sums.of[r][v] + (left < Vec::kWidth ? Vec::load_part(from, left) : Vec::load(from));
      }
  };
  if (end.has_sums) add(end.out);
  activate_sums(*end.activation, &sums.of[0][0], R * V, false);
  if (end.has_residual) add(end.residual);
  const Vec low = Vec::splat(end.low), high = Vec::splat(end.high);
  for (int r = 0; r < R; ++r)
    for (int v = 0, left = end.width; v < V && left > 0; ++v, left -= Vec::kWidth) {
      const Vec result = Vec::min(high, Vec::max(low, sums.of[r][v]));
      float* const to = end.out[r] + v * Vec::kWidth;
      left < Vec::kWidth ? result.store_part(to, left) : result.store(to);
    }
}

template <int R, int V>
[[gnu::always_inline]] inline void finish_tile(Vec (&acc)[R][V], const TileEnd& end) {
  if (end.activation != nullptr) {
    TileSums<R, V> sums;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) sums.of[r][v] = acc[r][v];
    }
    return finish_activated<R, V>(sums, end);
  }
  if (end.width == V * Vec::kWidth) {
    if (end.has_residual) add_residual<true>(acc, end);
    return store_tile<true>(acc, end);
  }
  if (end.has_residual) add_residual<false>(acc, end);
  store_tile<false>(acc, end);
}

// A tile of few rows waits for its panel: lines of it, or of the next one, are asked for ahead of their turn, across
// the pages at which the hardware stops. One row of f32 is a plain stream, which the hardware follows better by itself.
constexpr int64_t kAheadBytes = 2048, kLine = 64;
template <int R, class W>
constexpr bool kAsksAhead = R < kRows && (R > 1 || sizeof(W) == 2);

template <int kBytes>
void prefetch_ahead(const void* at) {
  const auto* line = static_cast<const char*>(at) + kAheadBytes;
#pragma GCC unroll 4
  for (int i = 0; i < kBytes; i += kLine) __builtin_prefetch(line + i);
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
  // What is multiplied later is fetched meanwhile: a line or two for every channel, `ahead_step` bytes further each
  // time.
  const std::byte* ahead = nullptr;
  int64_t ahead_step = 0;
};

// acc[r][:] = init[:] + sum over taps t, channels k of rows[t * kRows + r][first + k] * b[t][k][:]
// b: stored in W, of which V vectors count.
template <int R, int V, class W>
void multiply_tile(const TileTask& task, const TileEnd& end) {
  const auto* b = static_cast<const W*>(task.b);
  const std::byte* ahead = task.ahead;
  Vec acc[R][V];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[r][v] = Vec::load(task.init + v * Vec::kWidth);
  for (int64_t t = 0; t < task.taps; ++t) {
    const float* a[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) a[r] = task.rows[t * kRows + r] + task.first;
    for (int64_t k = 0; k < task.channels; ++k, b += kPanel, ahead += task.ahead_step) {
      prefetch(ahead);
      if constexpr (R == kRows && kPanel * sizeof(W) > kLine) prefetch(ahead + kLine);
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
