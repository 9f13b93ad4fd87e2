#pragma once
// A product of reduced precision. First the rows of A are put down in words, in the workspace: converted once, padded,
// so far apart that tiles load them evenly. Then rows and packed panels of weights are multiplied block by block, and
// blocks of sums are finished in L1.

#include "kernels/cpu/common/mma_block.h"
#include "kernels/cpu/common/mma_end.h"
#include "kernels/cpu/common/mma_rows.h"

namespace planish::kernels::cpu::PLANISH_ISA {

// Where A's words lie: [group][plane][position][pitch], `runs` of them an output position, run t `offset[t]` words on.
struct MmaPlaces {
  int64_t positions = 0, runs = 1, values = 0;  // values of one run
  int64_t pitch = 0, steps = 0;                 // words of a position; of these a run reads `steps`
  int64_t plane = 0, planes = 1;
  int64_t offsets[kMostTaps] = {};
  // Positions of an image with borders, and which of them are results.
  bool all_results = true;
  std::array<int64_t, 3> grid{}, results{};

  int64_t group() const { return plane * planes; }
};

// Positions lie an odd number of cache lines apart for tiles: an even one would map them to few sets.
inline MmaPlaces mma_places(const MmaParams& params, int64_t runs, int64_t values, int64_t positions) {
  MmaPlaces places;
  places.runs = runs;
  places.values = values;
  places.positions = positions;
  places.planes = params.format.planes;
  places.steps = params.format.steps_of(values);
  places.pitch = is_tiled(params.mma) ? ((places.steps + 15) / 16 | 1) * 16 : places.steps;
  return places;
}

// Rows behind the last that blocks read, and multiply for nothing.
inline void close_places(MmaPlaces& places, int64_t reach) {
  places.plane = (places.positions + reach + kMostMmaRows) * places.pitch;
}

// Consecutive results among positions [first, last): the first of them, its row, and how many; 0: none is left.
struct MmaSegment {
  int64_t position = 0, row = 0, count = 0;
};

inline MmaSegment next_segment(const MmaPlaces& places, int64_t first, int64_t last) {
  const auto& [d, h, w] = places.grid;
  if (places.all_results) return {first, first, last - first};
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
  RowWalk rows;  // of the result
  const int32_t* words = nullptr;
  const int32_t* weights = nullptr;
  MmaPlaces places;
  MmaEnd end;

  int64_t panels() const { return (params->attrs.columns + params->format.columns - 1) / params->format.columns; }
  int64_t panel_words() const { return places.planes * places.runs * places.steps * params->format.columns; }
};

// One panel against positions [first, last).
inline void multiply_mma_panel(const MmaProduct& p, BlockFn multiply, int64_t g, int64_t panel, int64_t first,
                               int64_t last) {
  alignas(64) int32_t sums[kMostMmaRows * kMostMmaColumns];
  const MmaFormat& format = p.params->format;
  MmaSpan span;
  span.column = g * p.params->attrs.columns + panel * format.columns;
  span.width = std::min(format.columns, p.params->attrs.columns - panel * format.columns);
  BlockArgs block;
  block.pitch = p.places.pitch;
  block.runs = p.places.runs;
  block.steps = p.places.steps;
  block.offsets = p.places.offsets;
  block.a_plane = p.places.plane;
  block.b = p.weights + (g * p.panels() + panel) * p.panel_words();
  block.sums = sums;
  for (int64_t at = first; at < last; at += format.rows) {
    MmaSegment segment = next_segment(p.places, at, std::min(at + format.rows, last));
    if (segment.count == 0) continue;
    block.a = p.words + g * p.places.group() + at * p.places.pitch;
    block.rows = static_cast<int>(std::min(format.rows, last - at));
    multiply(block);
    while (segment.count > 0) {
      RowWalk walk = p.rows;
      walk.seek(segment.row);
      span.rows = static_cast<int>(segment.count);
      finish_mma_block(p.end, span, walk, sums + (segment.position - at) * format.columns);
      segment = next_segment(p.places, segment.position + segment.count, std::min(at + format.rows, last));
    }
  }
}

// Tasks are (group, chunk of positions, part of the panels).
inline void multiply_mma(const MmaProduct& p, ThreadPool& pool) {
  constexpr int64_t kWordsInCache = 128 << 10;
  const int64_t height = p.params->format.rows, blocks = (p.places.positions + height - 1) / height;
  const int64_t fits = std::max<int64_t>(1, kWordsInCache / (p.places.pitch * p.places.planes * height));
  const int64_t asked = p.params->attrs.row_blocks, chunk = std::min(asked > 0 ? asked : fits, blocks);
  const int64_t group = p.params->attrs.group, panels = p.panels(), chunks = (blocks + chunk - 1) / chunk;
  const int64_t wanted = pool.size() == 1 ? 1 : 4 * pool.size() / (group * chunks);
  const int64_t parts = std::clamp<int64_t>(wanted, 1, panels);
  const BlockFn multiply = block_function(p.params->mma);
  pool.parallel_for(group * chunks * parts, 1, [&](int64_t begin, int64_t end) {
    const Tiles tiles(is_tiled(p.params->mma));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % parts, first = task / parts % chunks * chunk * height, g = task / parts / chunks;
      const int64_t last = std::min(first + chunk * height, p.places.positions);
      for (int64_t panel = panels * part / parts; panel < panels * (part + 1) / parts; ++panel)
        multiply_mma_panel(p, multiply, g, panel, first, last);
    }
  });
}

// put(g, position, words): puts one position down in every plane; for all positions of all groups.
template <class Put>
void put_down(const MmaProduct& p, ThreadPool& pool, int32_t* words, const Put& put) {
  constexpr int64_t kWordsAtOnce = 4096;
  const MmaPlaces& places = p.places;
  const bool padded = places.values % (p.params->format.depth * p.params->format.steps) != 0;
  pool.parallel_for(p.params->attrs.group * places.positions, std::max<int64_t>(1, kWordsAtOnce / places.pitch),
                    [&](int64_t begin, int64_t end) {
                      for (int64_t i = begin; i < end; ++i) {
                        const int64_t g = i / places.positions, position = i % places.positions;
                        int32_t* const to = words + g * places.group() + position * places.pitch;
                        for (int64_t plane = 0; padded && plane < places.planes; ++plane)
                          std::fill_n(to + plane * places.plane, places.steps, 0);
                        put(g, position, to);
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
      return fn(Tf32Rows{p.places.plane});
  }
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
