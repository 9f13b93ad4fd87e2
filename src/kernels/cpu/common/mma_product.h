#pragma once
// A product of reduced precision, in chunks: rows of A are put down in words (converted, padded, gathered tap by tap)
// once and stay in L2 while the panels of weights pass; blocks of sums are finished in L1.

#include "kernels/cpu/common/mma_block.h"
#include "kernels/cpu/common/mma_end.h"
#include "kernels/cpu/common/mma_rows.h"

namespace planish::kernels::cpu::PLANISH_ISA {

struct MmaProduct {
  const MmaParams* params = nullptr;
  RowWalk rows;                       // of the result
  int64_t row_count = 0, values = 0;  // of depth
  const int32_t* weights = nullptr;
  MmaEnd end;

  int64_t panels() const { return (params->attrs.columns + params->format.columns - 1) / params->format.columns; }
  int64_t steps() const { return params->format.steps_of(values); }
  int64_t words() const { return steps() * params->format.planes; }  // of a row
  // Rows of tiles start an odd number of cache lines apart: an even one would map them to few sets.
  int64_t pitch() const { return is_tiled(params->mma) ? ((words() + 15) / 16 | 1) * 16 : words(); }
};

// Words of a row of `values` values, as laid out in a chunk.
inline int64_t mma_pitch(const MmaParams& params, int64_t values) {
  MmaProduct p;
  p.params = &params;
  p.values = values;
  return p.pitch();
}

// `put_row(g, walk, writer)` puts down one row with writer(data or null, step, n), segment after segment.
template <class Store, class PutRow>
void fill_mma_chunk(const MmaProduct& p, const Store& store, const PutRow& put_row, int64_t g, RowWalk walk,
                    int64_t count, int32_t* words) {
  const int64_t pitch = p.pitch(), words_of_row = p.words();
  const int64_t whole = is_tiled(p.params->mma) ? (count + kLeastMmaRows - 1) / kLeastMmaRows * kLeastMmaRows : count;
  for (int64_t r = 0; r < whole; ++r, words += pitch) {
    if (r >= count || p.values % (p.params->format.depth * p.params->format.steps) != 0)
      std::fill_n(words, words_of_row, 0);
    if (r >= count) continue;
    int64_t at = 0;
    put_row(g, walk, [&](const typename Store::Value* data, int64_t step, int64_t n) {
      data != nullptr ? store.put(words, at, data, step, n) : store.fill(words, at, p.params->attrs.x_zero, n);
      at += n;
    });
    walk.next();
  }
}

// One panel against the chunk.
inline void multiply_mma_panel(const MmaProduct& p, BlockFn multiply, int64_t g, int64_t panel, RowWalk walk,
                               int64_t count, const int32_t* words) {
  alignas(64) int32_t sums[kMostMmaRows * kMostMmaColumns];
  const MmaFormat& format = p.params->format;
  const int64_t column = panel * format.columns;
  MmaSpan span;
  span.column = g * p.params->attrs.columns + column;
  span.width = std::min(format.columns, p.params->attrs.columns - column);
  BlockArgs block;
  block.pitch = p.pitch();
  block.steps = p.steps();
  block.b = p.weights + (g * p.panels() + panel) * p.words() * format.columns;
  block.sums = sums;
  for (int64_t m = 0; m < count; m += format.rows) {
    block.a = words + m * block.pitch;
    block.rows = static_cast<int>(std::min(format.rows, count - m));
    multiply(block);
    span.rows = block.rows;
    finish_mma_block(p.end, span, walk, sums);
  }
}

// Tasks are (group, chunk of rows, part of the panels).
template <class Store, class PutRow>
void run_mma_product(const MmaProduct& p, ThreadPool& pool, const Store& store, const PutRow& put_row) {
  const MmaFormat& format = p.params->format;
  const int64_t group = p.params->attrs.group, panels = p.panels();
  const int64_t fits = std::min(kMmaChunkWords / p.pitch() / kLeastMmaRows * kLeastMmaRows, kMmaChunkRows);
  const int64_t asked = p.params->attrs.row_blocks * format.rows;
  const int64_t chunk = std::min({asked > 0 ? asked : fits, fits, std::max<int64_t>(p.row_count, 1)});
  const int64_t chunks = (p.row_count + chunk - 1) / chunk;
  const int64_t wanted = pool.size() == 1 ? 1 : 4 * pool.size() / (group * chunks);
  const int64_t parts = std::clamp<int64_t>(wanted, 1, panels);
  const BlockFn multiply = block_function(p.params->mma);
  pool.parallel_for(group * chunks * parts, 1, [&](int64_t begin, int64_t end) {
    alignas(64) int32_t words[kMmaChunkWords];
    const Tiles tiles(is_tiled(p.params->mma));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % parts, first = task / parts % chunks * chunk, g = task / parts / chunks;
      const int64_t count = std::min(chunk, p.row_count - first);
      RowWalk walk = p.rows;
      walk.seek(first);
      if (task == begin || part == 0) fill_mma_chunk(p, store, put_row, g, walk, count, words);
      for (int64_t panel = panels * part / parts; panel < panels * (part + 1) / parts; ++panel)
        multiply_mma_panel(p, multiply, g, panel, walk, count, words);
    }
  });
}

// fn(store) with how rows of `type` are put down for the product.
template <class Fn>
void with_mma_rows(const MmaProduct& p, DataType type, const Fn& fn) {
  const bool is_signed = type == DataType::i8;
  switch (p.params->mma) {
    case Mma::madd_i16:
      return is_signed ? fn(I16Rows<int8_t>()) : fn(I16Rows<uint8_t>());
    case Mma::dot_i8:
    case Mma::tile_i8:
      return is_signed ? fn(ByteRows<int8_t>()) : fn(ByteRows<uint8_t>());
    case Mma::dot_bf16:
    case Mma::tile_bf16:
      return fn(Bf16Rows());
    case Mma::tile_tf32:
      return fn(Tf32Rows{p.steps()});
  }
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
