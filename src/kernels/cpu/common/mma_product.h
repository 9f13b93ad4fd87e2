#pragma once
// A product of reduced precision. The rows of A are put down in words, in the workspace: converted once, padded, so far
// apart that tiles load them evenly. Rows and packed panels of weights are multiplied block by block, and blocks of
// sums are finished in L1. Rows that only one task reads are put down by it, before it multiplies them.

#include "kernels/cpu/common/mma_direct.h"
#include "kernels/cpu/common/mma_tiles.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// A panel of weights, and where its sums go.
struct MmaPanel {
  const MmaProduct& product;
  BlockFn multiply;
  int32_t* sums;
  MmaSpan span;
  BlockArgs block;
  MmaColumns columns;

  MmaPanel(const MmaProduct& p, BlockFn function, int64_t g, int64_t panel, int32_t* block_sums)
      : product(p), multiply(function), sums(block_sums), span(span_of(p, g, panel)), columns(p.end, span) {
    block.a = p.words + g * p.places.group();
    block.pitch = p.places.pitch;
    block.runs = p.places.runs;
    block.steps = p.places.steps;
    block.offsets = p.places.offsets;
    block.a_plane = p.places.plane;
    block.b = p.weights + (g * p.panels() + panel) * p.panel_words();
    block.next = p.panel_words();
  }

  void multiply_rows(int64_t at, int64_t rows, int32_t* to) {
    BlockArgs here = block;
    here.a += at;
    here.sums = to;
    here.rows = static_cast<int>(rows);
    multiply(here);
  }
  void multiply_and_leave(int64_t at, int64_t row, int64_t rows) {
    BlockArgs here = block;
    here.a += at;
    here.rows = static_cast<int>(rows);
    span.row = row;
    span.rows = static_cast<int>(rows);
    multiply_direct(here, {product.end, columns, span});
  }
  void finish(int64_t row, int64_t rows, const int32_t* from) {
    span.row = row;
    span.rows = static_cast<int>(rows);
    finish_block(product.end, columns, span, from);
  }

  // Rows [first, last), line by line, in blocks that are about equal, and the sums of as many blocks as there is room
  // for finished together.
  void run(int64_t first, int64_t last) {
    const MmaPlaces& places = product.places;
    const int64_t height = product.params->format.rows;
    const bool direct = ends_directly(product.end, span);
    int64_t waiting = 0;
    const auto flush = [&] {
      if (waiting > 0) finish(first - waiting, waiting, sums);
      waiting = 0;
    };
    while (first < last) {
      const int64_t line = first / places.width, start = places.line_at(line) - line * places.width * places.pitch;
      const int64_t end = std::min(last, (line + 1) * places.width);
      const int64_t blocks = (end - first + height - 1) / height, least = (end - first) / blocks;
      for (int64_t higher = (end - first) % blocks; first < end; --higher) {
        const int64_t rows = least + (higher > 0 ? 1 : 0);
        if (direct) {
          multiply_and_leave(start + first * places.pitch, first, rows);
          first += rows;
          continue;
        }
        if (waiting + rows > kMostMmaRows) flush();
        multiply_rows(start + first * places.pitch, rows, sums + waiting * product.params->format.columns);
        waiting += rows;
        first += rows;
      }
    }
    flush();
  }
};

// Tasks are (group, chunk of rows, part of the panels). Weights that stream by are read once, by the thread that has
// their columns: its tasks pass through all chunks.
struct MmaTasks {
  int64_t chunk = 0, chunks = 0, parts = 0;  // chunk: in rows
  bool streamed = false;
  int64_t count(int64_t group) const { return group * parts * (streamed ? 1 : chunks); }
};

inline MmaTasks mma_tasks(const MmaProduct& p, const ThreadPool& pool) {
  const bool tiled = is_tiled(p.params->mma);
  const int64_t height = p.params->format.rows, blocks = (p.count() + height - 1) / height;
  const int64_t words = std::max<int64_t>(1, p.places.pitch * p.places.planes * height);
  const int64_t fits = std::max<int64_t>(1, words_in_cache(p.params->mma) / words);
  const int64_t asked = p.params->attrs.row_blocks, most = std::min(asked > 0 ? asked : fits, blocks);
  const int64_t group = p.params->attrs.group, panels = p.panels(), threads = pool.size();
  // Tiles take half a block of rows as well: all threads have as many chunks then.
  const int64_t step = tiled ? height / 2 : height, steps = (p.count() + step - 1) / step;
  int64_t chunks = (blocks + most - 1) / most;
  if (tiled && chunks > 1) chunks = std::min((chunks + threads - 1) / threads * threads, steps);
  const int64_t chunk = (steps + chunks - 1) / chunks * step;
  chunks = (p.count() + chunk - 1) / chunk;
  // Tiles fetch the panel behind the one that they multiply: a thread's lie together.
  const int64_t wanted = threads == 1 ? 1 : tiled ? threads : 4 * threads;
  const bool streamed =
      chunks > 1 && panels * p.panel_words() > streamed_words(p.params->mma) && panels * group >= wanted;
  const int64_t others = group * (streamed ? 1 : chunks);
  return {chunk, chunks, std::clamp<int64_t>(tiled ? (wanted + others - 1) / others : wanted / others, 1, panels),
          streamed};
}

// Panels [from, to) of a group with rows [first, last).
inline void run_panels(const MmaProduct& p, int64_t g, int64_t from, int64_t to, int64_t first, int64_t last,
                       int32_t* sums) {
  if (is_tiled(p.params->mma)) return TileBlocks(p, g, sums).run(from, to, first, last);
  const BlockFn multiply = block_function(p.params->mma);
  for (int64_t i = from; i < to; ++i) MmaPanel(p, multiply, g, i, sums).run(first, last);
}

// Whether values of this type are words already where they lie.
inline bool are_words(Mma mma, DataType type) {
  const bool bytes = mma == Mma::dot_i8 || mma == Mma::tile_i8, halves = mma == Mma::dot_bf16 || mma == Mma::tile_bf16;
  return (halves && type == DataType::bf16) || (bytes && type == DataType::u8);
}

// Rows that are words already, where they lie evenly apart: `x` is their operand, one row for each of the result's.
// Tiles read whole steps of depth of whole blocks of rows; rows far apart would share few sets of the cache.
inline void take_in_place(MmaProduct& p, const MmaOperand& x) {
  constexpr int64_t kFarWords = 512;
  const MmaFormat& format = p.params->format;
  const int64_t depth = format.depth;
  if (!are_words(p.params->mma, x.type) || x.step != 1 || !x.even) return;
  if (reinterpret_cast<uintptr_t>(x.data) % sizeof(int32_t) != 0) return;
  if (p.places.values % (depth * format.steps) != 0 || x.pitch % depth != 0 || p.places.runs != 1) return;
  if (p.params->attrs.group != 1) return;
  if (is_tiled(p.params->mma) && (p.places.rows < format.rows || x.pitch / depth > kFarWords)) return;
  p.in_place = true;
  p.words = reinterpret_cast<int32_t*>(x.data);
  p.places.pitch = x.pitch / depth;
}

// Rows [begin, end) of such an operand put down for tiles; false: they are not values as they are put down.
template <class Store>
bool put_evenly([[maybe_unused]] const MmaProduct& p, [[maybe_unused]] const MmaOperand& x,
                [[maybe_unused]] int64_t begin, [[maybe_unused]] int64_t end) {
#if defined(PLANISH_ISA_avx512)
  if constexpr (requires { Store::kFlip; })
    if (is_tiled(p.params->mma) && x.even && x.step == 1 && p.params->attrs.group == 1) {
      copy_rows(x.data + begin * x.pitch * x.bytes, x.pitch * x.bytes, p.words + begin * p.places.pitch,
                p.places.pitch * 4, p.places.steps * 4, end - begin, p.places.values * x.bytes, Store::kFlip);
      return true;
    }
#endif
  return false;
}

// put(g, begin, end): puts items [begin, end) of a group down, in every plane.
template <class Put>
void run_mma(const MmaProduct& p, ThreadPool& pool, const Put& put) {
  constexpr int64_t kWordsAtOnce = 4096;
  const MmaTasks tasks = mma_tasks(p, pool);
  const bool together = p.places.form == ImageForm::gathered && tasks.parts == 1 && !tasks.streamed;
  const int64_t group = p.params->attrs.group, items = p.places.items;
  if (!together && !p.in_place)
    pool.parallel_for(group * items, std::max<int64_t>(1, kWordsAtOnce / std::max<int64_t>(1, p.places.item_words)),
                      [&](int64_t begin, int64_t end) {
                        for (int64_t last; begin < end; begin = last) {
                          const int64_t g = begin / items;
                          last = std::min(end, (g + 1) * items);
                          put(g, begin - g * items, last - g * items);
                        }
                      });
  pool.parallel_for(tasks.count(group), 1, [&](int64_t begin, int64_t end) {
    alignas(64) int32_t sums[kMostMmaRows * kMostMmaColumns];
    const Tiles tiles(is_tiled(p.params->mma));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % tasks.parts, at = task / tasks.parts, panels = p.panels();
      const int64_t g = tasks.streamed ? at : at / tasks.chunks, chunk = tasks.streamed ? 0 : at % tasks.chunks;
      for (int64_t c = chunk; c < (tasks.streamed ? tasks.chunks : chunk + 1); ++c) {
        const int64_t first = c * tasks.chunk, last = std::min(first + tasks.chunk, p.count());
        if (together && !p.in_place) put(g, first, last);
        run_panels(p, g, panels * part / tasks.parts, panels * (part + 1) / tasks.parts, first, last, sums);
      }
    }
  });
}

// Zeros where the values of an item do not fill its words: before they are put down.
inline void clear_padding(const MmaProduct& p, int32_t* words) {
  const MmaPlaces& places = p.places;
  if (places.values % (p.params->format.depth * p.params->format.steps) == 0) return;
  for (int64_t plane = 0; plane < places.planes; ++plane) std::fill_n(words + plane * places.plane, places.steps, 0);
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
#if defined(PLANISH_ISA_avx512)
    case Mma::dot_bf16:
    case Mma::tile_bf16:
      return type == DataType::bf16 ? fn(Bf16Copies()) : fn(Bf16Rows());
    case Mma::tile_tf32:
      return fn(Tf32Rows{p.places.plane});
#else
    case Mma::dot_bf16:
    case Mma::tile_bf16:
    case Mma::tile_tf32:
      return;  // this level has no blocks for them: the check has refused them
#endif
  }
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
