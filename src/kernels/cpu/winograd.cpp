// Winograd convolution (kernels/winograd.h), channels last: 3x3, strides and dilations of one. Of volumes each plane
// has tiles of its own, and the planes that reach a plane of the result are further channels: k x 3 x 3, any steps
// down.
//
// The tiles of the result are taken in chunks. A chunk's input tiles are transformed, V = Bᵀ d B, so that each of the
// n² positions is a matrix [tile][channel]; each is multiplied with that position's panels of weights, M = V U; the
// products are transformed while they are in cache, Y = Aᵀ M A, plus bias and residual, clamped.
// Many chunks: a thread takes one from end to end. Few: V is made by all threads first, then they share its products.
//
// With weights of bf16, V is rounded to bf16 too, M is summed in fp32: tiles of 2x2 alone, whose transforms add four
// values and so keep the rounding near that of the values themselves. Images lie in memory as f32 or bf16.

#include <atomic>

#include "base/checked.h"
#include "kernels/cpu/common/epilogue.h"
#include "kernels/cpu/common/micro.h"
#include "kernels/cpu/common/mma_block.h"
#include "kernels/cpu/common/window.h"
#include "kernels/cpu/common/winograd.h"
#include "kernels/winograd.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

using winograd::kChunkRows;

constexpr int64_t kLine = 16;           // floats of a cache line
constexpr int64_t kInCache = 64 << 10;  // words of V that stay in L2 while weights and M pass
constexpr int64_t kMostBand = 4;
constexpr int64_t kMostChunk = 64;  // blocks of tiles

template <class F>
constexpr int64_t kPositions = int64_t{F::kIn} * F::kIn;

// Whether tiles of F have products of bf16 at this level.
template <class F>
constexpr bool kHalfTiles = kStoresHalf&& F::kOut == 2;

// How a run is cut up. The panels of all groups are counted through.
struct Cut {
  int64_t planes;               // of the image that one of the result takes in
  int64_t down, across, tiles;  // tiles of a plane, of all
  int64_t chunk, chunks;        // tiles of a chunk, chunks
  bool is_half;                 // V and the weights are bf16, two in a word
  int64_t width;                // columns of a panel
  int64_t panels, band, bands;  // panels of a group; panels whose products are kept at once; bands of all panels
  int64_t row;                  // words of a tile in V
  int64_t v_plane, m_plane;     // words from one position to the next
  int64_t v_slots, m_slots;     // chunks of V, bands of M that are kept at once
  bool is_shared;               // every chunk of V is kept
};

// Positions of V and M are an odd number of lines apart, so that one tile's do not share a few sets of a cache.
int64_t spread(int64_t words) { return (ceil_div(words, kLine) | 1) * kLine; }

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
  Cut cut{};
  cut.is_half = args.inputs[1].dtype == DataType::bf16;
  cut.width = args.inputs[1].dims[4];  // of the level that the plan is for
  const auto last = static_cast<size_t>(y.rank) - 1;
  cut.planes = y.rank > 4 ? params.attrs.kernel[0] : 1;
  cut.down = ceil_div(y.dims[last - 1], F::kOut);
  cut.across = ceil_div(y.dims[last], F::kOut);
  cut.tiles = checked_mul(checked_mul(y.dims[0], y.rank > 4 ? y.dims[2] : 1), checked_mul(cut.down, cut.across));
  const int64_t most = std::clamp<int64_t>(cut.tiles, 1, params.attrs.row_blocks * kChunkRows);
  cut.chunks = ceil_div(cut.tiles, most);
  cut.is_shared = cut.chunks <= 2 * threads;
  cut.v_slots = std::min<int64_t>(cut.chunks, 2 * threads);
  cut.m_slots = threads;
  if (!cut.is_shared) cut.chunks = align_up(cut.chunks, threads);
  cut.chunk = cut.chunks > 0 ? ceil_div(cut.tiles, cut.chunks) : most;
  cut.chunks = ceil_div(cut.tiles, cut.chunk);
  const int64_t depth = checked_mul(x.dims[1], cut.planes);
  cut.row = align_up(cut.is_half ? ceil_div(depth, 2) : depth, kLine);
  cut.v_plane = spread(checked_mul(most, cut.row));
  cut.m_plane = spread(most * cut.width);
  cut.panels = ceil_div(params.attrs.columns, cut.width);
  cut.band = band_of<F>(cut, params, threads);
  cut.bands = ceil_div(params.attrs.group * cut.panels, cut.band);
  return cut;
}

// Floats of a pixel of zeros.
int64_t zeros_of(const KernelArgs& args) { return align_up(args.inputs[0].dims[1], kLine); }

// Workspace: a pixel of zeros, V, M.
template <class F>
int64_t winograd_workspace(const KernelArgs& args) {
  const Cut cut = cut_of<F>(args);
  const int64_t v = checked_mul(cut.v_slots * kPositions<F>, cut.v_plane),
                m = checked_mul(cut.m_slots * kMostBand * kPositions<F>, cut.m_plane);
  return checked_mul(checked_add(zeros_of(args), checked_add(v, m)), 4);
}

// Where the sums of a tile go, in registers: LeaveEnd is what the tiles of a vector of columns have in common.
struct LeaveEnd {
  Vec bias, low, high;
  int64_t out_row, out_column, residual_row, residual_column;  // elements from pixel to pixel
  const Activation* activation;                                // or null
  int n;                                                       // columns, where they are fewer than a vector's
  HalfStore store;
};
struct TileTarget {
  Elements out;           // of the first pixel
  Elements residual;      // or null
  int64_t rows, columns;  // pixels from there on that exist
};

// Channels [first, last) of a tile, to its row of V.
template <class F>
struct Winograd;
template <class F>
using EnterFn = void (*)(const Winograd<F>& w, int64_t tile, int64_t first, int64_t last, float* to);

template <class F>
struct Winograd {
  const GemmParams& params;
  TensorView x, y;
  const float* weights;  // [group][panel][position][channel][kPanel], or words of bf16: [… two channels][kDotColumns]
  const float* bias;     // [group * columns] or null
  Epilogue epilogue;
  Elements out, residual;  // the epilogue's; residual: or null
  Cut cut;
  EnterFn<F> enter;
  float *zeros, *v, *m;

  int64_t depth() const { return x.dims[1] / params.attrs.group * cut.planes; }
  // Axes of the image and of the result down a plane; across it is the next one.
  size_t down_axis() const { return static_cast<size_t>(y.rank) - 2; }
  float* v_slot(int64_t slot) const { return v + slot * kPositions<F> * cut.v_plane; }
  float* m_slot(int64_t slot) const { return m + slot * kMostBand * kPositions<F> * cut.m_plane; }
  int64_t first_tile(int64_t chunk) const { return std::min(chunk * cut.chunk, cut.tiles); }
  int64_t first_column(int64_t panel) const {
    return panel / cut.panels * params.attrs.columns + panel % cut.panels * cut.width;
  }
  int width_of(int64_t panel) const {
    return static_cast<int>(std::min(cut.width, params.attrs.columns - panel % cut.panels * cut.width));
  }
  RowWalk first_pixel(int64_t tile) const {
    RowWalk walk = rows_of(y, 1);
    walk.at[down_axis()] = tile % cut.across * F::kOut;
    walk.at[down_axis() - 1] = tile / cut.across % cut.down * F::kOut;
    const int64_t plane = tile / (cut.across * cut.down), planes = y.rank > 4 ? y.dims[2] : 1;
    if (y.rank > 4) walk.at[1] = plane % planes;
    walk.at[0] = plane / planes;
    return walk;
  }
};

// A whole vector of V: lanes beyond the channels are zeros.
inline void store_entered(Vec value, float* to) { value.store(to); }
#if defined(PLANISH_ISA_avx512)
inline void store_entered(Vec value, BFloat16* to) { store_halves(to, bf16_by_instruction(value)); }
#endif

// Channels c … c + n - 1 of one tile of the input, whose pixels lie at `at`; `plane`: elements of V.
template <class F, bool kPart, class X, class V>
[[gnu::noinline]] void enter_vector(const X* const* at, int64_t c, int n, V* to, int64_t plane) {
  const auto load = [&](int i, int j) { return load_some<kPart>(at[i * F::kIn + j] + c, n); };
  const auto store = [&](int i, int j, Vec value) { store_entered(value, to + (i * F::kIn + j) * plane + c); };
  transform_both<F::kIn, F::kIn>(F::enter, load, store);
}

// Pixels of the input that a tile reads, of plane k; those outside are zeros.
template <class F, class X>
void find_pixels(const Winograd<F>& w, int64_t tile, int64_t k, const X** at) {
  const RowWalk walk = w.first_pixel(tile);
  const TensorView& x = w.x;
  const GemmAttrs& conv = w.params.attrs;
  const size_t down = w.down_axis(), across = down + 1;
  const int64_t plane = x.rank > 4 ? walk.at[1] * conv.strides[0] - conv.pads[0] + k * conv.dilations[0] : 0;
  const bool exists = x.rank <= 4 || (plane >= 0 && plane < x.dims[2]);
  const X* const image = x.as<const X>() + walk.at[0] * x.strides[0] + (x.rank > 4 ? plane * x.strides[2] : 0);
  for (int64_t i = 0; i < F::kIn; ++i) {
    const int64_t row = walk.at[down - 1] - conv.pads[down - 2] + i;
    for (int64_t j = 0; j < F::kIn; ++j) {
      const int64_t column = walk.at[down] - conv.pads[down - 1] + j;
      const bool inside = exists && row >= 0 && row < x.dims[down] && column >= 0 && column < x.dims[across];
      *at++ = inside ? image + row * x.strides[down] + column * x.strides[across] : reinterpret_cast<const X*>(w.zeros);
    }
  }
}

// The same of an image of bf16 for V of f32, with the code for one of f32.
template <class F>
void enter_widened(const BFloat16* const* at, int64_t c, int n, float* to, int64_t plane) {
  alignas(64) float wide[kPositions<F>][Vec::kWidth];
  const float* rows[kPositions<F>];
  for (int64_t p = 0; p < kPositions<F>; ++p) {
    load_widened_part(at[p] + c, n).store(wide[p]);
    rows[p] = wide[p];
  }
  enter_vector<F, false>(rows, 0, Vec::kWidth, to + c, plane);
}

template <class F, class X, class V>
void enter_tile(const Winograd<F>& w, int64_t tile, int64_t first, int64_t last, float* row) {
  const int64_t position = w.cut.v_plane * static_cast<int64_t>(sizeof(float) / sizeof(V));
  for (int64_t k = 0; k < w.cut.planes; ++k) {
    const X* at[kPositions<F>];
    find_pixels(w, tile, k, at);
    auto* const to = reinterpret_cast<V*>(row) + k * w.x.dims[1];
    int64_t c = first;
    if constexpr (sizeof(X) == sizeof(float))
      for (; c + Vec::kWidth <= last; c += Vec::kWidth) enter_vector<F, false>(at, c, Vec::kWidth, to, position);
    for (; c < last; c += Vec::kWidth) {
      const int n = static_cast<int>(std::min<int64_t>(Vec::kWidth, last - c));
      if constexpr (sizeof(X) < sizeof(V))
        enter_widened<F>(at, c, n, to, position);
      else
        enter_vector<F, true>(at, c, n, to, position);
    }
  }
}

template <class F>
EnterFn<F> enter_function([[maybe_unused]] bool half_x, [[maybe_unused]] bool half_v) {
  if constexpr (kHalfTiles<F>)
    if (half_v) return half_x ? enter_tile<F, BFloat16, BFloat16> : enter_tile<F, float, BFloat16>;
  if constexpr (kStoresHalf)
    if (half_x) return enter_tile<F, BFloat16, float>;
  return enter_tile<F, float, float>;
}

template <class F>
void enter_chunk(const Winograd<F>& w, int64_t chunk, float* to) {
  for (int64_t tile = w.first_tile(chunk); tile < w.first_tile(chunk + 1); ++tile, to += w.cut.row)
    w.enter(w, tile, 0, w.x.dims[1], to);
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

#if defined(PLANISH_ISA_avx512)
// The same in words of bf16.
void multiply_half_tiles(int64_t count, const RowsTask& task) {
  constexpr int64_t kNoOffset = 0;
  BlockArgs block;
  block.a = reinterpret_cast<const int32_t*>(task.a);
  block.pitch = task.step;
  block.steps = task.channels;
  block.offsets = &kNoOffset;
  block.b = reinterpret_cast<const int32_t*>(task.b);
  block.sums = reinterpret_cast<int32_t*>(task.out);
  const int64_t blocks = ceil_div(count, kDotRows), height = count / blocks, taller = count % blocks;
  for (int64_t b = 0; b < blocks; ++b) {
    block.rows = static_cast<int>(height + (b < taller ? 1 : 0));
    dot_block<DotBf16>(block);
    block.a += block.rows * block.pitch;
    block.sums += block.rows * kDotColumns;
  }
}
#endif

// M of panels [first, last): [panel][position][tile][column].
template <class F>
void multiply_band(const Winograd<F>& w, int64_t count, int64_t first, int64_t last, const float* v, float* m) {
  const int64_t depth = w.cut.is_half ? ceil_div(w.depth(), 2) : w.depth(), panel_words = depth * w.cut.width;
  const auto weights_at = [&](int64_t panel, int64_t position) {
    return w.weights + (panel * kPositions<F> + position) * panel_words;
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
#if defined(PLANISH_ISA_avx512)
      if (kHalfTiles<F> && w.cut.is_half) {
        multiply_half_tiles(count, task);
        continue;
      }
#endif
      multiply_tiles(count, w.width_of(panel), task);
    }
}

// A vector of columns of one tile's pixels. kWhole: all of them exist.
template <class F, bool kWhole, bool kPart>
void leave_vector(const float* m, int64_t plane, const TileTarget& target, int64_t column, const LeaveEnd& end) {
  Vec sums[F::kOut][F::kOut];
  const auto load = [&](int i, int j) { return Vec::load(m + (i * F::kIn + j) * plane); };
  transform_both<F::kIn, F::kOut>(F::leave, load, [&](int i, int j, Vec sum) { sums[i][j] = sum + end.bias; });
  if (end.activation != nullptr) activate_sums(*end.activation, &sums[0][0], F::kOut * F::kOut, target.out.is_half());
  const auto store = [&](int i, int j) {
    if (!kWhole && (i >= target.rows || j >= target.columns)) return;
    Vec sum = sums[i][j];
    if (target.residual.data != nullptr)
      sum = sum + load_some<kPart>(target.residual, i * end.residual_row + j * end.residual_column + column, end.n);
    sum = Vec::min(end.high, Vec::max(end.low, sum));
    store_some<kPart>(end.store, sum, target.out, i * end.out_row + j * end.out_column + column, end.n);
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
  const size_t down = w.down_axis();
  end.out_row = w.y.strides[down];
  end.out_column = w.y.strides[down + 1];
  if (const auto* residual = w.epilogue.residual()) {
    end.residual_row = residual->rows[down - 1];
    end.residual_column = residual->rows[down];
  }
  return end;
}

template <class F>
void leave_panel(const Winograd<F>& w, int64_t chunk, int64_t panel, const float* m) {
  LeaveEnd end = leave_end(w);
  const auto* residual = w.epilogue.residual();
  const size_t down = w.down_axis();
  for (int64_t tile = w.first_tile(chunk); tile < w.first_tile(chunk + 1); ++tile, m += w.cut.width) {
    const RowWalk walk = w.first_pixel(tile);
    const TileTarget target = {w.out.at(walk.offset(w.epilogue.out.rows)),
                               residual != nullptr ? w.residual.at(walk.offset(residual->rows)) : Elements{},
                               w.y.dims[down] - walk.at[down - 1], w.y.dims[down + 1] - walk.at[down]};
    leave_tile(w, panel, m, target, end);
  }
}

// The epilogue's program, over the columns of panels [first, last).
template <class F>
void finish_chunk(const Winograd<F>& w, int64_t chunk, int64_t first, int64_t last) {
  for (int64_t tile = w.first_tile(chunk); tile < w.first_tile(chunk + 1); ++tile) {
    RowWalk walk = w.first_pixel(tile);
    const size_t down = w.down_axis();
    int64_t& row = walk.at[down - 1];
    const int64_t bottom = std::min<int64_t>(row + F::kOut, w.y.dims[down]),
                  width = std::min<int64_t>(F::kOut, w.y.dims[down + 1] - walk.at[down]);
    for (; row < bottom; ++row) finish_rows(w.epilogue, walk, width, w.first_column(first), w.first_column(last));
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
      w.enter(w, tile, first, std::min(first + kChannels, w.x.dims[1]),
              w.v_slot(tile / w.cut.chunk) + tile % w.cut.chunk * w.cut.row);
    }
  });
}

template <class F>
void run_winograd(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  if (args.outputs[0].element_count() == 0) return;
  const Cut cut = cut_of<F>(args);
  if (cut.is_half && !host_has(Mma::dot_bf16))
    fail(Code::mismatch, "a convolution on products of bf16, which this processor lacks");
  auto* const zeros = reinterpret_cast<float*>(args.workspace);
  float *const v = zeros + zeros_of(args), *const m = v + cut.v_slots * kPositions<F> * cut.v_plane;
  std::fill_n(zeros, zeros_of(args), 0.f);
  const float* const bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  const Winograd<F> w = {params,
                         args.inputs[0],
                         args.outputs[0],
                         args.inputs[1].as<const float>(),
                         bias,
                         make_epilogue(args, 1),
                         elements_of(args.outputs[0]),
                         first_extra(args),
                         cut,
                         enter_function<F>(lies_half(args.inputs[0].dtype), cut.is_half),
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

// X [N, C, D?, H, W], packed G g Gᵀ in f32 or bf16 (of more than one group: of an even number of channels), bias?,
// extras -> Y [N, M, D?, H, W]; channels adjacent. Of volumes: one group, of whole lines of channels.
template <class F>
void check_winograd(const KernelArgs& args) {
  const GemmAttrs& conv = args.as<GemmParams>().attrs;
  check_product(args, 1, kFloatTypes);
  check_program_types(args);
  const Operands o(args, 2, args.inputs.size());
  const Slot x = o.in(0).rank(4, 5).adjacent(1), y = o.out().rank(4, 5);
  const size_t axes = conv.kernel.size();
  require(winograd::is_plane_of_three(conv), "a Winograd convolution that is not 3x3 with strides and dilations of 1");
  const int64_t planes = axes > 2 ? conv.kernel[0] : 1;
  require(
      planes <= winograd::kMostPlanes && (axes == 2 || (conv.group == 1 && x.extent(1) % winograd::kVolumeLine == 0)),
      "{} planes of {} channels in {} groups; volumes have one group, of a multiple of {} channels", planes,
      x.extent(1), conv.group, winograd::kVolumeLine);
  require(conv.row_blocks >= 1 && conv.row_blocks <= kMostChunk, "chunks of {} blocks of tiles; 1 to {} are accepted",
          conv.row_blocks, kMostChunk);
  require(conv.slots >= 1 && conv.slots <= kMostSlots, "{} slots; 1 to {} are accepted", conv.slots, kMostSlots);
  check_conv_reach(conv, x, y);
  const int64_t channels = x.extent(1) / conv.group * planes;
  if (!kHalfTiles<F> || args.inputs[1].dtype != DataType::bf16)
    return check_panels(o.in(1).is({DataType::f32}), conv.group, conv.columns, kPositions<F>, channels);
  require(conv.group == 1 || channels % 2 == 0, "{} channels a group in words of two", channels);
  o.in(1)
      .shape(
          {conv.group, ceil_div(conv.columns, kDotColumns), 1, kPositions<F> * ceil_div(channels, 2), kDotColumns, 2})
      .dense();
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
