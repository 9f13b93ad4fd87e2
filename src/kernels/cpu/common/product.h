#pragma once
// A product with packed weights, in chunks of rows and slices of the depth: what a slice reads of a chunk stays in L2
// while the panels of weights pass, a panel's slice stays in L1 while the rows of the chunk pass. Sums of all slices
// but the last wait in the result. Weights come from memory: while a panel's slice is multiplied, the next is fetched.
// Rows that lie a multiple of 4 KiB apart meet in one set of L1: for several panels a slice of theirs may be packed.

#include <algorithm>

#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/micro.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kPointers = kMostTaps * kRows;  // of one chunk: on the stack, 8 bytes each
static_assert(panel_width(Isa::PLANISH_ISA) == kPanel && microkernel_rows(Isa::PLANISH_ISA) == kRows);

struct DepthSlice;

struct Product {
  RowWalk rows;  // of the result
  int64_t row_count = 0, columns = 0, taps = 1, channels = 0, group = 1;
  const void* weights = nullptr;  // [group][panel][taps][channels][kPanel]
  int64_t weight_bytes = 4;       // of each
  // Not null: weights lie in a form of their own, of which this makes a slice of a panel as it is multiplied, in f32.
  void (*unpack)(const Product&, int64_t panel, const DepthSlice&, float* to) = nullptr;
  TileFn (*tile)(int, int) = tile_function<float>;  // for how they are stored
  const float* bias = nullptr;                      // [group * columns] or null
  int64_t row_blocks = 0;                           // blocks of kRows rows in a chunk; 0: as many as fit
  Epilogue epilogue;
  int64_t slots = 0;        // tasks at once that pack their rows; 0: rows are read where they lie
  float* packed = nullptr;  // [slots][packed_slot]

  int64_t packed_slot() const { return packed_floats(epilogue.params->attrs, row_count, taps * channels); }
  int64_t panels() const { return (columns + kPanel - 1) / kPanel; }
  // The weights of a panel from (tap, channel) on.
  const void* panel(int64_t g, int64_t index, int64_t tap, int64_t channel) const {
    const int64_t depth = ((g * panels() + index) * taps + tap) * channels + channel;
    return static_cast<const std::byte*>(weights) + depth * kPanel * weight_bytes;
  }
};

inline void check_slots(const GemmAttrs& gemm) {
  require(gemm.slots >= 0 && gemm.slots <= kMostSlots, "{} slots; at most {} are accepted", gemm.slots, kMostSlots);
}

inline int64_t round_to_lines(int64_t floats) { return (floats + 15) / 16 * 16; }

// Workspace of the slots.
inline int64_t packed_bytes(const GemmAttrs& gemm, int64_t rows, int64_t depth) {
  return gemm.slots * packed_floats(gemm, rows, depth) * 4;
}

inline void pack_into(std::byte* memory, Product& p) {
  p.slots = p.epilogue.params->attrs.slots;
  p.packed = reinterpret_cast<float*>(memory);
}

// One chunk's rows: where each is read (a pointer for each tap) and written.
struct ChunkRows {
  const float* from[kPointers];  // [block][tap][kRows]
  float* out[kMostBlocks * kRows];
  const float* residual[kMostBlocks * kRows];
};

// Taps and channels that are summed at once: some taps with all channels, or some channels of one tap.
struct DepthSlice {
  int64_t tap, taps, channel, channels;
};

// Of a panel's slice: with the rows that meet it, it fits into L1.
constexpr int64_t kSliceDepth = Vec::kWidth == 16 ? 128 : 320;
static_assert(kSliceDepth + kSliceDepth / 4 <= kDeepestSlice);

// How a product's depth is cut; it depends on extents alone.
class DepthSlices {
 public:
  explicit DepthSlices(const Product& p) : taps_(p.taps), channels_(p.channels) {
    const int64_t depth = taps_ * channels_;
    if (depth <= kSliceDepth + kSliceDepth / 4) {
      taps_each_ = std::max<int64_t>(taps_, 1);
    } else if (channels_ <= kSliceDepth) {
      const int64_t most = kSliceDepth / channels_, parts = (taps_ + most - 1) / most;
      taps_each_ = (taps_ + parts - 1) / parts;
    } else {
      channel_parts_ = (channels_ + kSliceDepth - 1) / kSliceDepth;
    }
  }
  int64_t count() const { return (taps_ + taps_each_ - 1) / taps_each_ * channel_parts_; }
  DepthSlice at(int64_t i) const {
    const int64_t part = i % channel_parts_, tap = i / channel_parts_ * taps_each_;
    const int64_t begin = channels_ * part / channel_parts_, end = channels_ * (part + 1) / channel_parts_;
    return {tap, std::min(taps_each_, taps_ - tap), begin, end - begin};
  }

 private:
  int64_t taps_, channels_, taps_each_ = 1, channel_parts_ = 1;
};

constexpr int kLineFloats = 16;  // of cache

// Which part of the sums a pass over the rows makes.
struct SlicePass {
  DepthSlice slice;
  bool first, last;
};

// The bias begins the sums, and the residual that no activation keeps from it; activation and clamp end them.
inline TileEnd tile_end(const Product& p, const SlicePass& pass, int64_t panel) {
  const GemmParams& params = *p.epilogue.params;
  TileEnd end;
  end.width = static_cast<int>(std::min<int64_t>(kPanel, p.columns - panel * kPanel));
  end.low = pass.last ? params.low : -INFINITY;
  end.high = pass.last ? params.high : INFINITY;
  end.activation = pass.last ? p.epilogue.activation : nullptr;
  end.has_sums = !pass.first;
  const bool adds = p.epilogue.residual() != nullptr;
  end.has_residual = p.epilogue.activation == nullptr ? adds || !pass.first : pass.last ? adds : !pass.first;
  return end;
}

// What tiles fetch while they multiply `task.b`. Several tiles share the next slice (null: there is none) evenly, as a
// burst of misses would hold up the products; one whole tile asks for its own weights ahead of their turn.
inline void set_ahead(TileTask& task, const Product& p, int64_t count, const void* next) {
  const int64_t bytes = kPanel * p.weight_bytes, tiles = (count + kRows - 1) / kRows;
  const auto* own = static_cast<const std::byte*>(task.b);
  task.ahead = count == kRows                 ? own + kAheadBytes
               : tiles > 1 && next != nullptr ? static_cast<const std::byte*>(next)
                                              : own;
  task.ahead_step = task.ahead == own ? 0 : (bytes + tiles - 1) / tiles;
}

// A slice of a chunk's rows, one behind the other.
inline void pack_slice(const Product& p, const DepthSlice& slice, int64_t count, const ChunkRows& rows, float* to) {
  for (int64_t m = 0; m < count; ++m)
    for (int64_t t = slice.tap; t < slice.tap + slice.taps; ++t, to += slice.channels)
      std::copy_n(rows.from[(m / kRows * p.taps + t) * kRows + m % kRows] + slice.channel, slice.channels, to);
}

// `weights`: the panel's slice; `packed`: the slice's rows, or null; `next`: the slice of weights that comes next, or
// null.
inline void multiply_panel(const Product& p, const SlicePass& pass, int64_t g, int64_t panel, int64_t count,
                           const ChunkRows& rows, const void* weights, const float* packed, const void* next) {
  const DepthSlice& slice = pass.slice;
  const int64_t depth = slice.taps * slice.channels;
  const int64_t at = g * p.columns + panel * kPanel;
  TileEnd end = tile_end(p, pass, panel);
  const bool reads_sums = !pass.first && end.activation == nullptr;
  alignas(64) float init[kPanel];
  for (int i = 0; i < kPanel; ++i) init[i] = pass.first && p.bias != nullptr && i < end.width ? p.bias[at + i] : 0.f;
  TileTask task;
  task.taps = packed != nullptr ? 1 : slice.taps;
  task.first = packed != nullptr ? 0 : slice.channel;
  task.channels = packed != nullptr ? depth : slice.channels;
  task.b = weights;
  task.init = init;
  set_ahead(task, p, count, next);
  for (int64_t m = 0; m < count; m += kRows) {
    const int height = static_cast<int>(std::min<int64_t>(kRows, count - m));
    for (int r = 0; r < height; ++r) {
      end.out[r] = rows.out[m + r] + at;
      end.residual[r] = !end.has_residual ? nullptr : reads_sums ? end.out[r] : rows.residual[m + r] + at;
      for (int i = 0; i < end.width; i += kLineFloats) __builtin_prefetch(end.out[r] + i, 1);
    }
    const float* of_slice[kRows];
    for (int r = 0; packed != nullptr && r < height; ++r) of_slice[r] = packed + (m + r) * depth;
    task.rows = packed != nullptr ? of_slice : rows.from + m * p.taps + slice.tap * kRows;
    p.tile(height, end.width)(task, end);
    task.ahead += depth * task.ahead_step;
  }
}

// Fills the chunk of `count` rows from `walk` on. Source: `row(g, walk, index, pointers)` writes the pointers of
// one row, [tap * kRows]; `index` is the row's place in the chunk. Where it has `apart`, the pointers of one tap may be
// that far apart along the last axis.
template <class Source>
void fill_chunk(const Product& p, Source& source, int64_t g, RowWalk walk, int64_t count, ChunkRows& rows) {
  const auto last = static_cast<size_t>(p.rows.axes - 1);
  const auto* residual = p.epilogue.residual();
  for (int64_t m = 0; m < count; walk.next()) {
    // Rows along the last axis are evenly apart.
    const int64_t end = std::min(count, m + walk.dims[last] - walk.at[last]);
    float* out = p.epilogue.out.row(walk);
    for (int64_t i = m; i < end; ++i, out += p.epilogue.out.rows[last]) rows.out[i] = out;
    if (residual != nullptr) {
      const float* from = residual->row(walk);
      for (int64_t i = m; i < end; ++i, from += residual->rows[last]) rows.residual[i] = from;
    }
    if constexpr (requires { source.apart(); }) {
      if (source.is_even()) {
        const float* from = nullptr;
        source.row(g, walk, m, &from);
        walk.at[last] += end - m - 1;
        for (; m < end; ++m, from += source.apart()) rows.from[m] = from;
        continue;
      }
    }
    for (;; ++walk.at[last]) {
      source.row(g, walk, m, rows.from + m / kRows * kRows * p.taps + m % kRows);
      if (++m == end) break;
    }
  }
}

// The rows of a matrix where they lie.
struct DenseRows {
  RowOperand<const float> a;
  void row(int64_t, const RowWalk& walk, int64_t, const float** pointers) const { pointers[0] = a.row(walk); }
};

// Rows whose elements are not adjacent are gathered first.
inline bool is_gathered(const TensorView& a) {
  const auto last = static_cast<size_t>(a.rank - 1);
  return a.strides[last] != 1 && a.dims[last] > 1;
}

// Panels [from, to) of a group's chunk of rows.
struct Piece {
  int64_t g, first, count, from, to;
};

// The order in which the slices of a piece's panels pass: slice by slice, so that what is read of the rows stays in
// cache; but rows of one tile, which meet a slice once, read each panel from end to end.
class SliceOrder {
 public:
  SliceOrder(const Product& p, const Piece& piece, bool by_panel)
      : p_(p),
        piece_(piece),
        slices_(p),
        inner_(by_panel ? slices_.count() : piece.to - piece.from),
        by_panel_(by_panel) {}
  int64_t count() const { return slices_.count() * (piece_.to - piece_.from); }
  int64_t panel(int64_t i) const { return piece_.from + (by_panel_ ? i / inner_ : i % inner_); }
  SlicePass pass(int64_t i) const {
    const int64_t slice = by_panel_ ? i % inner_ : i / inner_;
    return {slices_.at(slice), slice == 0, slice + 1 == slices_.count()};
  }
  bool begins_slice(int64_t i) const { return by_panel_ || i % inner_ == 0; }
  const void* weights(int64_t i) const {
    const DepthSlice slice = pass(i).slice;
    return p_.panel(piece_.g, panel(i), slice.tap, slice.channel);
  }

 private:
  const Product& p_;
  const Piece& piece_;
  DepthSlices slices_;
  int64_t inner_;
  bool by_panel_;
};

// `packed` has room for a slice of all rows, or is null.
inline void multiply_piece(const Product& p, const Piece& piece, const ChunkRows& rows, float* packed) {
  const SliceOrder order(p, piece, piece.count <= kRows);
  alignas(64) float unpacked[(kSliceDepth + kSliceDepth / 4) * kPanel];
  for (int64_t i = 0; i < order.count(); ++i) {
    const SlicePass pass = order.pass(i);
    const int64_t panel = order.panel(i);
    if (packed != nullptr && order.begins_slice(i)) pack_slice(p, pass.slice, piece.count, rows, packed);
    if (p.unpack != nullptr) p.unpack(p, panel, pass.slice, unpacked);
    const void* const weights = p.unpack != nullptr ? unpacked : order.weights(i);
    const void* const next = p.unpack == nullptr && i + 1 < order.count() ? order.weights(i + 1) : nullptr;
    multiply_panel(p, pass, piece.g, panel, piece.count, rows, weights, packed, next);
  }
}

// Chunks of rows, as even as may be.
struct Chunks {
  int64_t rows, count;  // of each; how many
  Chunks(const Product& p, int64_t most_blocks) {
    const int64_t blocks = (p.row_count + kRows - 1) / kRows;
    const int64_t most = std::max<int64_t>(1, std::min({most_blocks, kMostBlocks, kPointers / (p.taps * kRows)}));
    const int64_t largest = std::min(p.row_blocks > 0 ? p.row_blocks : blocks, most);
    count = (blocks + largest - 1) / largest;
    rows = (blocks + count - 1) / count * kRows;
  }
};

// Tasks are stretches of (group, chunk of rows, panel). `make_source` is called once by each thread's block of tasks.
template <class MakeSource>
void run_product(const Product& p, ThreadPool& pool, int64_t most_blocks, MakeSource make_source) {
  const Chunks chunks(p, most_blocks);
  const int64_t panels = p.panels(), items = p.group * chunks.count * panels;
  const int64_t tasks = std::min<int64_t>(items, p.slots > 0 ? p.slots : pool.size() == 1 ? 1 : 4 * pool.size());
  pool.parallel_for(tasks, 1, [&](int64_t begin, int64_t end) {
    ChunkRows rows;
    auto source = make_source();
    for (int64_t task = begin, filled = -1; task < end; ++task) {
      const int64_t last = items * (task + 1) / tasks;
      for (int64_t item = items * task / tasks; item < last;) {
        const int64_t chunk = item / panels, first = chunk % chunks.count * chunks.rows, from = item % panels;
        const Piece piece{chunk / chunks.count, first, std::min(chunks.rows, p.row_count - first), from,
                          std::min(panels, from + last - item)};
        RowWalk walk = p.rows;
        walk.seek(first);
        if (chunk != filled) fill_chunk(p, source, piece.g, walk, piece.count, rows);
        filled = chunk;
        multiply_piece(p, piece, rows, p.slots > 0 ? p.packed + task * p.packed_slot() : nullptr);
        if (p.epilogue.has_program)
          finish_rows(p.epilogue, walk, piece.count, piece.g * p.columns + from * kPanel,
                      piece.g * p.columns + std::min(piece.to * kPanel, p.columns));
        item += piece.to - from;
      }
    }
  });
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
