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

// What is left to do for a block of sums: its rows are finished some at a time, between the steps of the next block.
class BlockEnd {
 public:
  BlockEnd(const MmaProduct& p, int64_t rows_at_once) : p_(p), rows_at_once_(rows_at_once) {}
  bool left() const { return segment_.count > 0; }
  // Positions from those of `segment` up to `last`; the block began at `first`.
  void begin(const MmaSpan& span, const MmaSegment& segment, int64_t first, int64_t last, const int32_t* sums) {
    span_ = span;
    segment_ = segment;
    first_ = first;
    last_ = last;
    sums_ = sums;
  }
  void finish() {
    while (left()) advance();
  }
  static void between(void* self) {
    if (auto* end = static_cast<BlockEnd*>(self); end->left()) end->advance();
  }

 private:
  void advance() {
    const int64_t rows = std::min(rows_at_once_, segment_.count);
    RowWalk walk = p_.rows;
    walk.seek(segment_.row);
    span_.rows = static_cast<int>(rows);
    finish_mma_block(p_.end, span_, walk, sums_ + (segment_.position - first_) * p_.params->format.columns);
    segment_ = {segment_.position + rows, segment_.row + rows, segment_.count - rows};
    if (segment_.count == 0) segment_ = next_segment(p_.places, segment_.position, last_);
  }

  const MmaProduct& p_;
  int64_t rows_at_once_, first_ = 0, last_ = 0;
  MmaSpan span_;
  MmaSegment segment_;
  const int32_t* sums_ = nullptr;
};

// One thread's part of a product.
class MmaRun {
 public:
  explicit MmaRun(const MmaProduct& p)
      : p_(p),
        tiled_(is_tiled(p.params->mma)),
        tiles_(tiled_),
        multiply_(block_function(p.params->mma)),
        steps_(tiled_ ? std::max<int64_t>(1, p.places.runs * p.places.steps / p.params->format.steps) : 1),
        end_(p, rows_at_once()) {}
  ~MmaRun() { end_.finish(); }
  MmaRun(const MmaRun&) = delete;
  MmaRun& operator=(const MmaRun&) = delete;

  // Panels [from, to) of a group against positions [first, last).
  void multiply(int64_t g, int64_t from, int64_t to, int64_t first, int64_t last) {
    const int64_t height = p_.params->format.rows, blocks = (last - first + height - 1) / height;
    BlockArgs block;
    block.pitch = p_.places.pitch;
    block.runs = p_.places.runs;
    block.steps = p_.places.steps;
    block.offsets = p_.places.offsets;
    block.a_plane = p_.places.plane;
    for (int64_t panel = from; panel < to; ++panel) {
      block.b = p_.weights + (g * p_.panels() + panel) * p_.panel_words();
      block.ahead = reinterpret_cast<const std::byte*>(block.b + p_.panel_words());
      block.ahead_bytes = tiled_ && panel + 1 < to ? (p_.panel_words() * 4 / (blocks * steps_) + 63) / 64 * 64 : 0;
      for (int64_t at = first; at < last; at += height, block.ahead += steps_ * block.ahead_bytes)
        multiply_block(block, g, panel, at, std::min(at + height, last));
    }
  }

 private:
  // A program has a price for each call; else two rows or more fill the time of a step.
  int64_t rows_at_once() const {
    constexpr int64_t kWhole = kTile / kMostMmaColumns;
    return !tiled_ ? kMostMmaRows : p_.params->has_program ? kWhole : std::max<int64_t>(2, kMostMmaRows / steps_);
  }

  void multiply_block(BlockArgs block, int64_t g, int64_t panel, int64_t at, int64_t last) {
    const MmaSegment segment = next_segment(p_.places, at, last);
    if (segment.count == 0) return;
    const MmaFormat& format = p_.params->format;
    block.a = p_.words + g * p_.places.group() + at * p_.places.pitch;
    block.rows = static_cast<int>(last - at);
    block.sums = sums_[turn_ ^= 1];
    if (end_.left()) {
      block.between = BlockEnd::between;
      block.context = &end_;
    }
    multiply_(block);
    end_.finish();
    MmaSpan span;
    span.column = g * p_.params->attrs.columns + panel * format.columns;
    span.width = std::min(format.columns, p_.params->attrs.columns - panel * format.columns);
    end_.begin(span, segment, at, last, block.sums);
    if (!tiled_) end_.finish();
  }

  const MmaProduct& p_;
  bool tiled_;
  Tiles tiles_;
  BlockFn multiply_;
  int64_t steps_;  // of tiles in a block
  BlockEnd end_;
  int turn_ = 0;
  alignas(64) int32_t sums_[2][kMostMmaRows * kMostMmaColumns];
};

// Weights that stream by are read once by the thread that has their columns, for all chunks of rows; others stay in
// every thread's cache, and tasks are stretches of (group, chunk of positions, panel).
inline void multiply_mma(const MmaProduct& p, ThreadPool& pool) {
  const int64_t height = p.params->format.rows, blocks = (p.places.positions + height - 1) / height;
  const int64_t fits =
      std::max<int64_t>(1, words_in_cache(p.params->mma) / (p.places.pitch * p.places.planes * height));
  const int64_t asked = p.params->attrs.row_blocks, most = std::min(asked > 0 ? asked : fits, blocks);
  const int64_t chunks = (blocks + most - 1) / most, chunk = (blocks + chunks - 1) / chunks * height;
  const int64_t group = p.params->attrs.group, panels = p.panels(), wanted = pool.size() == 1 ? 1 : 4 * pool.size();
  const bool streamed = panels * p.panel_words() > kStreamedWords && panels * group >= wanted;
  const int64_t items = group * panels * (streamed ? 1 : chunks), tasks = std::min(items, wanted);
  const auto multiply = [&](MmaRun& run, int64_t g, int64_t at, int64_t from, int64_t to) {
    run.multiply(g, from, to, at * chunk, std::min((at + 1) * chunk, p.places.positions));
  };
  pool.parallel_for(tasks, 1, [&](int64_t begin, int64_t end) {
    MmaRun run(p);
    for (int64_t item = items * begin / tasks; item < items * end / tasks;) {
      const int64_t at = item / panels, from = item % panels;
      const int64_t to = std::min(panels, from + items * end / tasks - item);
      if (streamed)
        for (int64_t c = 0; c < chunks; ++c) multiply(run, at, c, from, to);
      else
        multiply(run, at / chunks, at % chunks, from, to);
      item += to - from;
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
