#pragma once
// A product with packed weights, in chunks: the rows of a chunk stay in L2 while the panels of weights pass, a part of
// a panel stays in L1 while the rows of the chunk pass.

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
  const void* weights = nullptr;    // [group][panel][taps][channels][kPanel]
  DataType stored = DataType::f32;  // of the weights: f32, f16 or bf16
  const float* bias = nullptr;      // [group * columns] or null
  int64_t row_blocks = 0;           // blocks of kRows rows in a chunk; 0: as many as fit
  Epilogue epilogue;

  int64_t panels() const { return (columns + kPanel - 1) / kPanel; }
  const void* panel(int64_t g, int64_t index) const {
    const int64_t bytes = taps * channels * kPanel * (stored == DataType::f32 ? 4 : 2);
    return static_cast<const std::byte*>(weights) + (g * panels() + index) * bytes;
  }
};

// One chunk's rows: where each is read (a pointer for each tap) and written.
struct ChunkRows {
  const float* from[kPointers];  // [block][tap][kRows]
  float* out[kMostBlocks * kRows];
  const float* residual[kMostBlocks * kRows];
};

// Depth in parts whose piece of a panel stays in L1 while the rows of a chunk pass: values of one tap, or whole taps.
constexpr int64_t kDepthInCache = (24 << 10) / (kPanel * 4);

struct DepthPart {
  int64_t tap = 0, taps = 0, first = 0, channels = 0;
  bool is_last = false;
};

inline DepthPart next_part(const Product& p, const DepthPart& after, bool whole) {
  if (whole) return {0, p.taps, 0, p.channels, true};
  DepthPart part{after.tap + after.taps, 1, 0, p.channels};
  if (p.channels > kDepthInCache) {
    const bool same_tap = after.channels > 0 && after.first + after.channels < p.channels;
    part.tap = same_tap ? after.tap : after.tap + after.taps;
    part.first = same_tap ? after.first + after.channels : 0;
    part.channels = std::min(kDepthInCache, p.channels - part.first);
  } else {
    part.taps = std::min(std::max<int64_t>(1, kDepthInCache / p.channels), p.taps - part.tap);
  }
  part.is_last = part.tap + part.taps == p.taps && part.first + part.channels == p.channels;
  return part;
}

// The sums of rows of a chunk between two parts of the depth.
struct PartialSums {
  alignas(64) float rows[kMostBlocks * kRows * kPanel];
};

inline void add_part(const Product& p, const DepthPart& part, const void* weights, const float* bias, int64_t at,
                     int64_t count, TileEnd& end, const ChunkRows& rows, PartialSums& sums) {
  TileTask task;
  task.taps = part.taps;
  task.first = part.first;
  task.channels = part.channels;
  task.b = static_cast<const std::byte*>(weights) +
           (part.tap * p.channels + part.first) * kPanel * (p.stored == DataType::f32 ? 4 : 2);
  const bool is_first = part.tap == 0 && part.first == 0;
  const int width = end.width;
  TileEnd between;
  between.width = width;
  between.low = -INFINITY;
  between.high = INFINITY;
  for (int64_t m = 0; m < count; m += kRows) {
    const int height = static_cast<int>(std::min<int64_t>(kRows, count - m));
    float* const partial = sums.rows + m * kPanel;
    task.rows = rows.from + m * p.taps + part.tap * kRows;
    task.init = is_first ? bias : partial;
    task.init_step = is_first ? 0 : kPanel;
    TileEnd& to = part.is_last ? end : between;
    for (int r = 0; r < height; ++r) {
      to.out[r] = part.is_last ? rows.out[m + r] + at : partial + r * kPanel;
      to.residual[r] = to.has_residual ? rows.residual[m + r] + at : nullptr;
    }
    tile_function(height, width, p.stored)(task, to);
  }
}

inline void multiply_panel(const Product& p, int64_t g, int64_t panel, int64_t count, const ChunkRows& rows,
                           PartialSums& sums) {
  const GemmParams& params = *p.epilogue.params;
  const int64_t column = panel * kPanel, at = g * p.columns + column;
  alignas(64) float bias[kPanel];
  TileEnd end;
  end.width = static_cast<int>(std::min<int64_t>(kPanel, p.columns - column));
  end.low = params.low;
  end.high = params.high;
  end.has_residual = p.epilogue.residual() != nullptr;
  for (int i = 0; i < kPanel; ++i) bias[i] = p.bias != nullptr && i < end.width ? p.bias[at + i] : 0.f;
  const bool whole = count <= 2 * kRows || p.taps * p.channels <= 2 * kDepthInCache;
  DepthPart part;
  do {
    part = next_part(p, part, whole);
    add_part(p, part, p.panel(g, panel), bias, at, count, end, rows, sums);
  } while (!part.is_last);
}

// Fills the chunk of `count` rows from `walk` on. Source: `row(g, walk, index, pointers)` writes the pointers of
// one row, [tap * kRows]; `index` is the row's place in the chunk.
template <class Source>
void fill_chunk(const Product& p, Source& source, int64_t g, RowWalk walk, int64_t count, ChunkRows& rows) {
  for (int64_t m = 0; m < count; ++m, walk.next()) {
    source.row(g, walk, m, rows.from + m / kRows * kRows * p.taps + m % kRows);
    rows.out[m] = p.epilogue.out.row(walk);
    if (p.epilogue.residual() != nullptr) rows.residual[m] = p.epilogue.residual()->row(walk);
  }
}

// Tasks are (group, chunk of rows, part of the panels). `make_source` is called once by each thread's block of tasks.
template <class MakeSource>
void run_product(const Product& p, ThreadPool& pool, int64_t most_blocks, MakeSource make_source) {
  const int64_t blocks = (p.row_count + kRows - 1) / kRows, panels = p.panels();
  const int64_t most = std::max<int64_t>(1, std::min({most_blocks, kMostBlocks, kPointers / (p.taps * kRows)}));
  const int64_t chunk = std::min(p.row_blocks > 0 ? p.row_blocks : blocks, most), chunks = (blocks + chunk - 1) / chunk;
  const int64_t wanted = pool.size() == 1 ? 1 : 4 * pool.size() / (p.group * chunks);
  const int64_t parts = std::clamp<int64_t>(wanted, 1, panels);
  pool.parallel_for(p.group * chunks * parts, 1, [&](int64_t begin, int64_t end) {
    ChunkRows rows;
    PartialSums sums;
    auto source = make_source();
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % parts, first = task / parts % chunks * chunk * kRows, g = task / parts / chunks;
      const int64_t count = std::min(chunk * kRows, p.row_count - first);
      const int64_t from = panels * part / parts, to = panels * (part + 1) / parts;
      RowWalk walk = p.rows;
      walk.seek(first);
      if (task == begin || part == 0) fill_chunk(p, source, g, walk, count, rows);
      for (int64_t panel = from; panel < to; ++panel) multiply_panel(p, g, panel, count, rows, sums);
      if (p.epilogue.params->has_program)
        finish_rows(p.epilogue, walk, count, g * p.columns + from * kPanel,
                    g * p.columns + std::min(to * kPanel, p.columns));
    }
  });
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
