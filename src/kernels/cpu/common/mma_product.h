#pragma once
// A product of reduced precision. The rows of A are put down in words, in the workspace: converted once, padded, so far
// apart that tiles load them evenly. Rows and packed panels of weights are multiplied block by block, and blocks of
// sums are finished in L1. Rows that only one task reads are put down by it, before it multiplies them.

#include "kernels/cpu/common/mma_direct.h"
#include "kernels/cpu/common/mma_numbers.h"
#include "kernels/cpu/common/mma_rows.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// Where A's words lie: [group][plane][item][…], an item being what is put down at a time. A row of A is `runs` runs of
// depth, run t `offset[t]` words on. Rows lie `pitch` words apart in lines of `width`, the lines anyhow.
struct MmaPlaces {
  ImageForm form = ImageForm::gathered;
  int64_t rows = 0, runs = 1, values = 0;  // values of one run
  int64_t pitch = 0, steps = 0;            // words of a row; of these a run reads `steps`
  int64_t items = 0, item_words = 0;       // rows, lines of the image, or positions of it
  int64_t pixel = 0;                       // values of a pixel of a line
  int64_t plane = 0, planes = 1;
  int64_t offsets[kMostTaps] = {};
  int64_t width = 0;                         // rows of a line
  std::array<int64_t, 3> line{};             // words from one line to the next along the result's image and two axes
  std::array<int64_t, 3> grid{}, results{};  // extents of the image with its borders, and of the result

  int64_t group() const { return plane * planes; }
  // Where a line begins.
  int64_t line_at(int64_t index) const {
    if (form != ImageForm::lines) return 0;
    const int64_t y = index % results[1], z = index / results[1] % results[0];
    return index / results[1] / results[0] * line[0] + z * line[1] + y * line[2];
  }
};

// Rows lie an odd number of cache lines apart for tiles: an even one would map them to few sets.
inline MmaPlaces mma_places(const MmaParams& params, int64_t runs, int64_t values, int64_t rows) {
  MmaPlaces places;
  places.runs = runs;
  places.values = values;
  places.rows = places.items = places.width = rows;
  places.planes = params.format.planes;
  places.steps = params.format.steps_of(values);
  places.pitch = places.item_words = is_tiled(params.mma) ? ((places.steps + 15) / 16 | 1) * 16 : places.steps;
  return places;
}

// Words behind the last item that blocks read, and multiply for nothing.
inline void close_places(MmaPlaces& places, int64_t reach) {
  places.plane = (places.items + reach + kMostMmaRows) * places.item_words;
}

// Consecutive results among positions [first, last) of an image with borders: the first of them, its row, and how many;
// 0: none is left.
struct MmaSegment {
  int64_t position = 0, row = 0, count = 0;
};

inline MmaSegment next_segment(const MmaPlaces& places, int64_t first, int64_t last) {
  const auto& [d, h, w] = places.grid;
  for (int64_t p = first; p < last;) {
    const int64_t x = p % w, y = p / w % h, z = p / w / h % d, image = p / w / h / d;
    const auto& [od, oh, ow] = places.results;
    if (z >= od)
      p = (image + 1) * d * h * w;
    else if (y >= oh)
      p = (image * d + z + 1) * h * w;
    else if (x >= ow)
      p += w - x;
    else
      return {p, ((image * od + z) * oh + y) * ow + x, std::min(ow - x, last - p)};
  }
  return {};
}

struct MmaProduct {
  const MmaParams* params = nullptr;
  int32_t* words = nullptr;
  const int32_t* weights = nullptr;
  MmaPlaces places;
  MmaEnd end;
  bool in_place = false;  // the rows are multiplied where they lie
  int64_t x_zero = 0;     // what stands beside the image

  int64_t panels() const { return (params->attrs.columns + params->format.columns - 1) / params->format.columns; }
  int64_t panel_words() const { return places.planes * places.runs * places.steps * params->format.columns; }
  // What rows are counted in: results, or positions among which they are.
  int64_t count() const { return places.form == ImageForm::positions ? places.items : places.rows; }
};

// A panel of weights, and where its sums go.
struct MmaPanel {
  const MmaProduct& product;
  BlockFn multiply;
  int32_t* sums;
  MmaSpan span;
  BlockArgs block;
  MmaColumns columns;

  static MmaSpan span_of(const MmaProduct& p, int64_t g, int64_t panel) {
    const int64_t width = p.params->format.columns, columns = p.params->attrs.columns;
    return {.column = g * columns + panel * width, .width = std::min(width, columns - panel * width)};
  }
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
    block.ahead += steps() * block.ahead_bytes;
  }
  // Of tiles in a block.
  int64_t steps() const { return std::max<int64_t>(1, block.runs * block.steps / product.params->format.steps); }
  // While tiles multiply these `blocks` of rows, the next panel is fetched.
  void fetch_next(int64_t blocks) {
    if (!is_tiled(product.params->mma)) return;
    block.ahead = reinterpret_cast<const std::byte*>(block.b + product.panel_words());
    block.ahead_bytes = (product.panel_words() * 4 / (std::max<int64_t>(1, blocks) * steps()) + 63) / 64 * 64;
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

  // Rows [first, last), line by line, and the sums of as many blocks as there is room for finished together. Tiles cost
  // the same however full; else blocks of a line are about equal.
  void run_lines(int64_t first, int64_t last) {
    const MmaPlaces& places = product.places;
    const int64_t height = product.params->format.rows;
    const bool whole = is_tiled(product.params->mma), direct = ends_directly(product.end, span);
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
        const int64_t rows = whole ? std::min(height, end - first) : least + (higher > 0 ? 1 : 0);
        if (direct) {
          multiply_and_leave(start + first * places.pitch, first, rows);
          first += rows;
          continue;
        }
        if (waiting + (whole ? kMostMmaRows : rows) > kMostMmaRows) flush();
        multiply_rows(start + first * places.pitch, rows, sums + waiting * product.params->format.columns);
        waiting += rows;
        first += rows;
      }
    }
    flush();
  }

  // Positions [first, last) of an image with borders: the sums of the borders' own are dropped.
  void run_positions(int64_t first, int64_t last) {
    const MmaFormat& format = product.params->format;
    for (int64_t at = first; at < last; at += format.rows) {
      const int64_t end = std::min(at + format.rows, last);
      MmaSegment segment = next_segment(product.places, at, end);
      if (segment.count == 0) continue;
      multiply_rows(at * product.places.pitch, end - at, sums);
      for (; segment.count > 0; segment = next_segment(product.places, segment.position + segment.count, end))
        finish(segment.row, segment.count, sums + (segment.position - at) * format.columns);
    }
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
  const int64_t height = p.params->format.rows, blocks = (p.count() + height - 1) / height;
  const int64_t words = std::max<int64_t>(1, p.places.pitch * p.places.planes * height);
  const int64_t fits = std::max<int64_t>(1, words_in_cache(p.params->mma) / words);
  const int64_t asked = p.params->attrs.row_blocks, most = std::min(asked > 0 ? asked : fits, blocks);
  const int64_t chunks = (blocks + most - 1) / most, chunk = (blocks + chunks - 1) / chunks;
  const int64_t group = p.params->attrs.group, panels = p.panels(), wanted = pool.size() == 1 ? 1 : 4 * pool.size();
  const bool streamed = chunks > 1 && panels * p.panel_words() > kStreamedWords && panels * group >= wanted;
  return {chunk * height, chunks, std::clamp<int64_t>(wanted / (group * (streamed ? 1 : chunks)), 1, panels), streamed};
}

// Panels [from, to) of a group with rows [first, last).
inline void run_panels(const MmaProduct& p, int64_t g, int64_t from, int64_t to, int64_t first, int64_t last,
                       int32_t* sums) {
  const BlockFn multiply = block_function(p.params->mma);
  const int64_t height = p.params->format.rows, blocks = (last - first + height - 1) / height;
  for (int64_t i = from; i < to; ++i) {
    MmaPanel panel(p, multiply, g, i, sums);
    if (i + 1 < to) panel.fetch_next(blocks);
    p.places.form == ImageForm::positions ? panel.run_positions(first, last) : panel.run_lines(first, last);
  }
}

// Whether values of this type are words already where they lie.
inline bool are_words(Mma mma, DataType type) {
  return (mma == Mma::dot_bf16 && type == DataType::bf16) || (mma == Mma::dot_i8 && type == DataType::u8);
}

// Rows that are words already, where they lie evenly apart: `x` is their operand, one row for each of the result's.
inline void take_in_place(MmaProduct& p, const MmaOperand& x) {
  const int64_t depth = p.params->format.depth;
  if (!are_words(p.params->mma, x.type) || x.step != 1 || !x.even) return;
  if (reinterpret_cast<uintptr_t>(x.data) % sizeof(int32_t) != 0) return;
  if (p.places.values % depth != 0 || x.pitch % depth != 0 || p.places.runs != 1 || p.params->attrs.group != 1) return;
  p.in_place = true;
  p.words = reinterpret_cast<int32_t*>(x.data);
  p.places.pitch = x.pitch / depth;
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
