#pragma once
// A product with packed weights, in chunks of rows and slices of the depth: what a slice reads of a chunk stays in L2
// while the panels of weights pass, a panel's slice stays in L1 while the rows of the chunk pass. Sums of all slices
// but the last wait in the result.

#include <algorithm>

#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/micro.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kPointers = kMostTaps * kRows;  // of one chunk: on the stack, 8 bytes each
constexpr int64_t kMostBlocks = 64;
static_assert(panel_width(Isa::PLANISH_ISA) == kPanel && microkernel_rows(Isa::PLANISH_ISA) == kRows);

struct Product {
  RowWalk rows;  // of the result
  int64_t row_count = 0, columns = 0, taps = 1, channels = 0, group = 1;
  const void* weights = nullptr;                    // [group][panel][taps][channels][kPanel]
  int64_t weight_bytes = 4;                         // of each
  TileFn (*tile)(int, int) = tile_function<float>;  // for how they are stored
  const float* bias = nullptr;                      // [group * columns] or null
  int64_t row_blocks = 0;                           // blocks of kRows rows in a chunk; 0: as many as fit
  Epilogue epilogue;

  int64_t panels() const { return (columns + kPanel - 1) / kPanel; }
  // The weights of a panel from (tap, channel) on.
  const void* panel(int64_t g, int64_t index, int64_t tap, int64_t channel) const {
    const int64_t depth = ((g * panels() + index) * taps + tap) * channels + channel;
    return static_cast<const std::byte*>(weights) + depth * kPanel * weight_bytes;
  }
};

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

// Floats of a panel's slice: with the rows that meet it, it fits into L1.
constexpr int64_t kSliceFloats = Vec::kWidth == 16 ? 8192 : 5120;
constexpr int64_t kSliceDepth = kSliceFloats / kPanel;

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

// Which part of the sums a pass over the rows makes.
struct SlicePass {
  DepthSlice slice;
  bool first, last;
};

// The bias begins the sums, and the residual; the clamp ends them.
inline TileEnd tile_end(const Product& p, const SlicePass& pass, int64_t panel) {
  const GemmParams& params = *p.epilogue.params;
  TileEnd end;
  end.width = static_cast<int>(std::min<int64_t>(kPanel, p.columns - panel * kPanel));
  end.low = pass.last ? params.low : -INFINITY;
  end.high = pass.last ? params.high : INFINITY;
  end.has_residual = !pass.first || p.epilogue.residual() != nullptr;
  return end;
}

inline void multiply_panel(const Product& p, const SlicePass& pass, int64_t g, int64_t panel, int64_t count,
                           const ChunkRows& rows) {
  const DepthSlice& slice = pass.slice;
  const Activation& activation = p.epilogue.params->activation;
  const bool activates = pass.last && activation.present();
  const int64_t at = g * p.columns + panel * kPanel;
  TileEnd end = tile_end(p, pass, panel);
  alignas(64) float init[kPanel];
  for (int i = 0; i < kPanel; ++i) init[i] = pass.first && p.bias != nullptr && i < end.width ? p.bias[at + i] : 0.f;
  TileTask task;
  task.taps = slice.taps;
  task.first = slice.channel;
  task.channels = slice.channels;
  task.b = p.panel(g, panel, slice.tap, slice.channel);
  task.init = init;
  for (int64_t m = 0; m < count; m += kRows) {
    const int height = static_cast<int>(std::min<int64_t>(kRows, count - m));
    for (int r = 0; r < height; ++r) {
      end.out[r] = rows.out[m + r] + at;
      end.residual[r] = !pass.first ? end.out[r] : end.has_residual ? rows.residual[m + r] + at : nullptr;
    }
    task.rows = rows.from + m * p.taps + slice.tap * kRows;
    p.tile(height, end.width)(task, end);
    if (activates) activate(activation, end.out, height, end.width);
  }
}

// Fills the chunk of `count` rows from `walk` on. Source: `row(g, walk, index, pointers)` writes the pointers of
// one row, [tap * kRows]; `index` is the row's place in the chunk.
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
    for (;; ++walk.at[last]) {
      source.row(g, walk, m, rows.from + m / kRows * kRows * p.taps + m % kRows);
      if (++m == end) break;
    }
  }
}

// Tasks are (group, chunk of rows, part of the panels). `make_source` is called once by each thread's block of tasks.
template <class MakeSource>
void run_product(const Product& p, ThreadPool& pool, int64_t most_blocks, MakeSource make_source) {
  const int64_t blocks = (p.row_count + kRows - 1) / kRows, panels = p.panels();
  const int64_t most = std::max<int64_t>(1, std::min({most_blocks, kMostBlocks, kPointers / (p.taps * kRows)}));
  const int64_t largest = std::min(p.row_blocks > 0 ? p.row_blocks : blocks, most);
  const int64_t chunks = (blocks + largest - 1) / largest, chunk = (blocks + chunks - 1) / chunks;
  const DepthSlices slices(p);
  const int64_t wanted = pool.size() == 1 ? 1 : 4 * pool.size() / (p.group * chunks);
  const int64_t parts = std::clamp<int64_t>(wanted, 1, panels);
  pool.parallel_for(p.group * chunks * parts, 1, [&](int64_t begin, int64_t end) {
    ChunkRows rows;
    auto source = make_source();
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % parts, first = task / parts % chunks * chunk * kRows, g = task / parts / chunks;
      const int64_t count = std::min(chunk * kRows, p.row_count - first);
      const int64_t from = panels * part / parts, to = panels * (part + 1) / parts;
      RowWalk walk = p.rows;
      walk.seek(first);
      if (task == begin || part == 0) fill_chunk(p, source, g, walk, count, rows);
      for (int64_t i = 0; i < slices.count(); ++i)
        for (int64_t panel = from; panel < to; ++panel)
          multiply_panel(p, {slices.at(i), i == 0, i + 1 == slices.count()}, g, panel, count, rows);
      if (p.epilogue.params->has_program && !p.epilogue.params->activation.present())
        finish_rows(p.epilogue, walk, count, g * p.columns + from * kPanel,
                    g * p.columns + std::min(to * kPanel, p.columns));
    }
  });
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
