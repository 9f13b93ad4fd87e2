// Winograd convolution (kernels/winograd.h), channels last: 3x3, strides and dilations of one.
//
// The tiles of the result are taken in chunks. A chunk's input tiles are transformed, V = Bᵀ d B, so that each of the
// n² positions is a matrix [tile][channel]; each is multiplied with that position's panels of weights, M = V U; the
// products are transformed while they are in cache, Y = Aᵀ M A, plus bias and residual, clamped.
// Many chunks: a thread takes one from end to end. Few: V is made by all threads first, then they share its products.

#include <atomic>

#include "base/checked.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/micro.h"
#include "kernels/cpu/common/window.h"
#include "kernels/cpu/common/winograd.h"
#include "kernels/winograd.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

using winograd::kChunkRows;

constexpr int64_t kLine = 16;           // floats of a cache line
constexpr int64_t kInCache = 64 << 10;  // floats of V that stay in L2 while weights and M pass
constexpr int64_t kMostBand = 4;
constexpr int64_t kMostChunk = 64;  // blocks of tiles

template <class F>
constexpr int64_t kPositions = int64_t{F::kIn} * F::kIn;

// How a run is cut up. The panels of all groups are counted through.
struct Cut {
  int64_t down, across, tiles;  // tiles of an image, of all
  int64_t chunk, chunks;        // tiles of a chunk, chunks
  int64_t panels, band, bands;  // panels of a group; panels whose products are kept at once; bands of all panels
  int64_t row;                  // floats of a tile in V
  int64_t v_plane, m_plane;     // floats from one position to the next
  int64_t v_slots, m_slots;     // chunks of V, bands of M that are kept at once
  bool is_shared;               // every chunk of V is kept
};

// Positions of V and M are an odd number of lines apart, so that one tile's do not share a few sets of a cache.
int64_t spread(int64_t floats) { return (ceil_div(floats, kLine) | 1) * kLine; }

// V that does not stay in cache is read once for several panels. All threads have some.
template <class F>
int64_t band_of(const Cut& cut, const GemmParams& params, int threads) {
  const bool has_program = params.has_program && !params.activation.present();
  if (kPositions<F> * cut.v_plane <= kInCache && !has_program) return 1;
  const int64_t panels = params.attrs.group * cut.panels;
  const int64_t fair = cut.is_shared ? panels * cut.chunks / (4 * threads) : kMostBand;
  return std::max<int64_t>(std::min({fair, kMostBand, panels}), 1);
}

// Slots and planes do not shrink where extents grow: what the largest shapes ask for is enough for all.
template <class F>
Cut cut_of(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const auto threads = static_cast<int>(params.attrs.slots);
  const int64_t panel = args.inputs[1].dims[4];  // of the level that the plan is for
  Cut cut{};
  cut.down = ceil_div(y.dims[2], F::kOut);
  cut.across = ceil_div(y.dims[3], F::kOut);
  cut.tiles = checked_mul(y.dims[0], checked_mul(cut.down, cut.across));
  const int64_t most = std::clamp<int64_t>(cut.tiles, 1, params.attrs.row_blocks * kChunkRows);
  cut.chunks = ceil_div(cut.tiles, most);
  cut.is_shared = cut.chunks <= 2 * threads;
  cut.v_slots = std::min<int64_t>(cut.chunks, 2 * threads);
  cut.m_slots = threads;
  if (!cut.is_shared) cut.chunks = align_up(cut.chunks, threads);
  cut.chunk = cut.chunks > 0 ? ceil_div(cut.tiles, cut.chunks) : most;
  cut.chunks = ceil_div(cut.tiles, cut.chunk);
  cut.row = align_up(x.dims[1], kLine);
  cut.v_plane = spread(checked_mul(most, cut.row));
  cut.m_plane = spread(most * panel);
  cut.panels = ceil_div(params.attrs.columns, panel);
  cut.band = band_of<F>(cut, params, threads);
  cut.bands = ceil_div(params.attrs.group * cut.panels, cut.band);
  return cut;
}

// Workspace: a pixel of zeros, V, M.
template <class F>
int64_t winograd_workspace(const KernelArgs& args) {
  const Cut cut = cut_of<F>(args);
  const int64_t v = checked_mul(cut.v_slots * kPositions<F>, cut.v_plane),
                m = checked_mul(cut.m_slots * kMostBand * kPositions<F>, cut.m_plane);
  return checked_mul(checked_add(cut.row, checked_add(v, m)), 4);
}

// Where the sums of a tile go, in registers: LeaveEnd is what the tiles of a vector of columns have in common.
struct LeaveEnd {
  Vec bias, low, high;
  int64_t out_row, out_column, residual_row, residual_column;  // elements from pixel to pixel
  const Activation* activation;                                // or null
  int n;                                                       // columns, where they are fewer than a vector's
};
struct TileTarget {
  float* out;             // of the first pixel
  const float* residual;  // or null
  int64_t rows, columns;  // pixels from there on that exist
};

template <class F>
struct Winograd {
  const GemmParams& params;
  TensorView x, y;
  const float *weights, *bias;  // [group][panel][position][channel][kPanel]; [group * columns] or null
  Epilogue epilogue;
  Cut cut;
  float *zeros, *v, *m;

  int64_t channels() const { return x.dims[1] / params.attrs.group; }
  float* v_slot(int64_t slot) const { return v + slot * kPositions<F> * cut.v_plane; }
  float* m_slot(int64_t slot) const { return m + slot * kMostBand * kPositions<F> * cut.m_plane; }
  int64_t first_tile(int64_t chunk) const { return std::min(chunk * cut.chunk, cut.tiles); }
  int64_t first_column(int64_t panel) const {
    return panel / cut.panels * params.attrs.columns + panel % cut.panels * kPanel;
  }
  int width_of(int64_t panel) const {
    return static_cast<int>(std::min<int64_t>(kPanel, params.attrs.columns - panel % cut.panels * kPanel));
  }
  RowWalk first_pixel(int64_t tile) const {
    RowWalk walk = rows_of(y, 1);
    walk.at = {tile / (cut.down * cut.across), tile / cut.across % cut.down * F::kOut, tile % cut.across * F::kOut};
    return walk;
  }
};

// Channels c … c + n - 1 of one tile of the input, whose pixels lie at `at`.
template <class F, bool kPart>
void enter_vector(const float* const* at, int64_t c, int n, float* to, int64_t plane) {
  const auto load = [&](int i, int j) {
    const float* from = at[i * F::kIn + j] + c;
    return kPart ? Vec::load_part(from, n) : Vec::load(from);
  };
  const auto store = [&](int i, int j, Vec value) { value.store(to + (i * F::kIn + j) * plane + c); };
  transform_both<F::kIn, F::kIn>(F::enter, load, store);
}

// Pixels of the input that a tile reads; those outside are zeros.
template <class F>
void find_pixels(const Winograd<F>& w, int64_t tile, const float** at) {
  const RowWalk walk = w.first_pixel(tile);
  const TensorView& x = w.x;
  const float* const image = x.as<const float>() + walk.at[0] * x.strides[0];
  for (int64_t i = 0; i < F::kIn; ++i) {
    const int64_t row = walk.at[1] - w.params.attrs.pads[0] + i;
    for (int64_t j = 0; j < F::kIn; ++j) {
      const int64_t column = walk.at[2] - w.params.attrs.pads[1] + j;
      const bool inside = row >= 0 && row < x.dims[2] && column >= 0 && column < x.dims[3];
      *at++ = inside ? image + row * x.strides[2] + column * x.strides[3] : w.zeros;
    }
  }
}

// Channels [first, last) of a tile, to its row of V.
template <class F>
void enter_tile(const Winograd<F>& w, int64_t tile, int64_t first, int64_t last, float* to) {
  const float* at[kPositions<F>];
  find_pixels(w, tile, at);
  int64_t c = first;
  for (; c + Vec::kWidth <= last; c += Vec::kWidth) enter_vector<F, false>(at, c, Vec::kWidth, to, w.cut.v_plane);
  if (c < last) enter_vector<F, true>(at, c, static_cast<int>(last - c), to, w.cut.v_plane);
}

template <class F>
void enter_chunk(const Winograd<F>& w, int64_t chunk, float* to) {
  for (int64_t tile = w.first_tile(chunk); tile < w.first_tile(chunk + 1); ++tile, to += w.cut.row)
    enter_tile(w, tile, 0, w.x.dims[1], to);
}

// The products of `count` tiles with one panel, in blocks of rows that differ by one at most.
void multiply_tiles(int64_t count, int width, RowsTask task) {
  const int64_t blocks = ceil_div(count, kRows), height = count / blocks, taller = count % blocks;
  const RowsFn low = rows_function(static_cast<int>(height), width);
  const RowsFn tall = taller > 0 ? rows_function(static_cast<int>(height + 1), width) : low;
  task.ahead_step = ceil_div(kPanel, blocks);
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t rows = height + (b < taller ? 1 : 0);
    (b < taller ? tall : low)(task);
    task.a += rows * task.step;
    task.out += rows * kPanel;
    task.ahead += task.ahead_step * task.channels;
  }
}

// M of panels [first, last): [panel][position][tile][kPanel].
template <class F>
void multiply_band(const Winograd<F>& w, int64_t count, int64_t first, int64_t last, const float* v, float* m) {
  const int64_t depth = w.channels(), panel_floats = depth * kPanel;
  const auto weights_at = [&](int64_t panel, int64_t position) {
    return w.weights + (panel * kPositions<F> + position) * panel_floats;
  };
  for (int64_t p = 0; p < kPositions<F>; ++p)
    for (int64_t panel = first; panel < last; ++panel) {
      RowsTask task{};
      task.a = v + p * w.cut.v_plane + panel / w.cut.panels * depth;
      task.step = w.cut.row;
      task.channels = depth;
      task.b = weights_at(panel, p);
      task.ahead = panel + 1 < last ? weights_at(panel + 1, p) : weights_at(first, p + 1);
      task.out = m + ((panel - first) * kPositions<F> + p) * w.cut.m_plane;
      multiply_tiles(count, w.width_of(panel), task);
    }
}

// A vector of columns of one tile's pixels. kWhole: all of them exist.
template <class F, bool kWhole, bool kPart>
void leave_vector(const float* m, int64_t plane, const TileTarget& target, int64_t column, const LeaveEnd& end) {
  Vec sums[F::kOut][F::kOut];
  const auto load = [&](int i, int j) { return Vec::load(m + (i * F::kIn + j) * plane); };
  transform_both<F::kIn, F::kOut>(F::leave, load, [&](int i, int j, Vec sum) { sums[i][j] = sum + end.bias; });
  if (end.activation != nullptr) activate(*end.activation, &sums[0][0], F::kOut * F::kOut);
  const auto store = [&](int i, int j) {
    if (!kWhole && (i >= target.rows || j >= target.columns)) return;
    Vec sum = sums[i][j];
    if (target.residual != nullptr) {
      const float* from = target.residual + i * end.residual_row + j * end.residual_column + column;
      sum = sum + (kPart ? Vec::load_part(from, end.n) : Vec::load(from));
    }
    sum = Vec::min(end.high, Vec::max(end.low, sum));
    float* const to = target.out + i * end.out_row + j * end.out_column + column;
    kPart ? sum.store_part(to, end.n) : sum.store(to);
  };
#pragma GCC unroll 4
  for (int i = 0; i < F::kOut; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < F::kOut; ++j) store(i, j);
}

template <class F>
void leave_tile(const Winograd<F>& w, int64_t panel, const float* m, const TileTarget& target, LeaveEnd& end) {
  const int64_t first = w.first_column(panel), last = first + w.width_of(panel);
  const bool whole = target.rows >= F::kOut && target.columns >= F::kOut;
  for (int64_t c = first; c < last; c += Vec::kWidth, m += Vec::kWidth) {
    end.n = static_cast<int>(std::min<int64_t>(Vec::kWidth, last - c));
    const bool part = end.n < Vec::kWidth;
    if (w.bias != nullptr) end.bias = part ? Vec::load_part(w.bias + c, end.n) : Vec::load(w.bias + c);
    const auto leave = part    ? leave_vector<F, false, true>
                       : whole ? leave_vector<F, true, false>
                               : leave_vector<F, false, false>;
    leave(m, w.cut.m_plane, target, c, end);
  }
}

template <class F>
LeaveEnd leave_end(const Winograd<F>& w) {
  LeaveEnd end{};
  end.bias = Vec::splat(0.f);
  end.low = Vec::splat(w.params.low);
  end.high = Vec::splat(w.params.high);
  end.activation = w.epilogue.activation;
  end.out_row = w.y.strides[2];
  end.out_column = w.y.strides[3];
  if (const auto* residual = w.epilogue.residual()) {
    end.residual_row = residual->rows[1];
    end.residual_column = residual->rows[2];
  }
  return end;
}

template <class F>
void leave_panel(const Winograd<F>& w, int64_t chunk, int64_t panel, const float* m) {
  LeaveEnd end = leave_end(w);
  const auto* residual = w.epilogue.residual();
  for (int64_t tile = w.first_tile(chunk); tile < w.first_tile(chunk + 1); ++tile, m += kPanel) {
    const RowWalk walk = w.first_pixel(tile);
    const TileTarget target = {w.epilogue.out.row(walk), residual != nullptr ? residual->row(walk) : nullptr,
                               w.y.dims[2] - walk.at[1], w.y.dims[3] - walk.at[2]};
    leave_tile(w, panel, m, target, end);
  }
}

// The epilogue's program, over the columns of panels [first, last).
template <class F>
void finish_chunk(const Winograd<F>& w, int64_t chunk, int64_t first, int64_t last) {
  for (int64_t tile = w.first_tile(chunk); tile < w.first_tile(chunk + 1); ++tile) {
    RowWalk walk = w.first_pixel(tile);
    const int64_t bottom = std::min<int64_t>(walk.at[1] + F::kOut, w.y.dims[2]),
                  width = std::min<int64_t>(F::kOut, w.y.dims[3] - walk.at[2]);
    for (; walk.at[1] < bottom; ++walk.at[1])
      finish_rows(w.epilogue, walk, width, w.first_column(first), w.first_column(last));
  }
}

template <class F>
void run_bands(const Winograd<F>& w, int64_t chunk, int64_t first_band, int64_t last_band, const float* v, float* m) {
  const int64_t count = w.first_tile(chunk + 1) - w.first_tile(chunk), first = first_band * w.cut.band,
                last = std::min(last_band * w.cut.band, w.params.attrs.group * w.cut.panels);
  for (int64_t begin = first; begin < last; begin += w.cut.band) {
    const int64_t end = std::min(begin + w.cut.band, last);
    multiply_band(w, count, begin, end, v, m);
    for (int64_t panel = begin; panel < end; ++panel)
      leave_panel(w, chunk, panel, m + (panel - begin) * kPositions<F> * w.cut.m_plane);
  }
  if (w.epilogue.has_program) finish_chunk(w, chunk, first, last);
}

// Calls body(slot, task) for every task. Tasks that run at once differ in their slot: more threads than slots do not
// take part.
template <class Body>
void run_in_slots(ThreadPool& pool, int64_t slots, int64_t tasks, Body body) {
  std::atomic<int64_t> next{0};
  pool.parallel_for(slots, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot)
      for (int64_t task = next++; task < tasks; task = next++) body(slot, task);
  });
}

// All of V, in pieces of a tile's channels.
template <class F>
void enter_all(const Winograd<F>& w, ThreadPool& pool) {
  constexpr int64_t kChannels = 64, kGrain = 4;
  const int64_t pieces = ceil_div(w.x.dims[1], kChannels);
  pool.parallel_for(w.cut.tiles * pieces, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t tile = task / pieces, first = task % pieces * kChannels;
      enter_tile(w, tile, first, std::min(first + kChannels, w.x.dims[1]),
                 w.v_slot(tile / w.cut.chunk) + tile % w.cut.chunk * w.cut.row);
    }
  });
}

template <class F>
void run_winograd(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  if (args.outputs[0].element_count() == 0) return;
  const Cut cut = cut_of<F>(args);
  auto* const zeros = reinterpret_cast<float*>(args.workspace);
  float *const v = zeros + cut.row, *const m = v + cut.v_slots * kPositions<F> * cut.v_plane;
  std::fill_n(zeros, cut.row, 0.f);
  const float* const bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  const Winograd<F> w = {params,
                         args.inputs[0],
                         args.outputs[0],
                         args.inputs[1].as<const float>(),
                         bias,
                         make_epilogue(args, 1),
                         cut,
                         zeros,
                         v,
                         m};
  if (!cut.is_shared)
    return run_in_slots(*args.pool, cut.m_slots, cut.chunks, [&](int64_t slot, int64_t chunk) {
      enter_chunk(w, chunk, w.v_slot(slot));
      run_bands(w, chunk, 0, cut.bands, w.v_slot(slot), w.m_slot(slot));
    });
  enter_all(w, *args.pool);
  run_in_slots(*args.pool, cut.m_slots, cut.bands * cut.chunks, [&](int64_t slot, int64_t task) {
    const int64_t band = task / cut.chunks, chunk = task % cut.chunks;
    run_bands(w, chunk, band, band + 1, w.v_slot(chunk), w.m_slot(slot));
  });
}

// X [N, C, H, W], packed G g Gᵀ, bias?, extras -> Y [N, M, H, W]; channels adjacent
template <class F>
void check_winograd(const KernelArgs& args) {
  const GemmAttrs& conv = args.as<GemmParams>().attrs;
  check_product(args, 1);
  const Operands o(args, 2, args.inputs.size());
  const Slot x = o.in(0).rank(4, 4).adjacent(1), y = o.out().rank(4, 4);
  const std::vector<int64_t> three = {3, 3}, one = {1, 1};
  require(conv.kernel == three && conv.strides == one && conv.dilations == one,
          "a Winograd convolution that is not 3x3 with strides and dilations of 1");
  require(conv.row_blocks >= 1 && conv.row_blocks <= kMostChunk, "chunks of {} blocks of tiles; 1 to {} are accepted",
          conv.row_blocks, kMostChunk);
  require(conv.slots >= 1 && conv.slots <= kMostSlots, "{} slots; 1 to {} are accepted", conv.slots, kMostSlots);
  check_conv_reach(conv, x, y);
  check_panels(o.in(1), conv.group, conv.columns, kPositions<F>, x.extent(1) / conv.group);
}

template <class F>
Kernel winograd_kernel(const char* name) {
  return make_gemm_kernel(name, check_winograd<F>, run_winograd<F>, winograd_workspace<F>);
}

}  // namespace

void register_winograd(KernelTable& table) {
  table.add(winograd_kernel<Winograd2>("winograd.f2"));
  table.add(winograd_kernel<Winograd4>("winograd.f4"));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
