#pragma once
// Convolution with stride 1 whose windows overlap, of many pixels and few filters (sm_90a): every line and column of a
// tile is loaded once, with the border that its windows reach, and all taps multiply from there. A tile is 16 x 16
// pixels; warpgroup 0 loads, warpgroups 1 and 2 have eight lines each, as two tiles of 8 x 8.
//
// In shared memory an image's lines are Pitch pixels of 128 bytes apart; a tap's operand begins (r * Pitch + s) pixels
// behind the tile, its groups of eight rows are lines. Resident: all blocks of weights stay in shared memory
// (WeightStages of them, one tile of columns); else they pass through a ring.
//
// Grid: min(multiprocessors, tiles) blocks; 384 threads.

#include "convolution.cuh"

// instance [sm_90a]: PLANISH_TAPS=TapsConv<half_t,half_t,3,3,32,18,2,27,4,true>
// instance [sm_90a]: PLANISH_TAPS=TapsConv<half_t,half_t,3,3,64,18,2,16,8,false>
// instance [sm_90a]: PLANISH_TAPS=TapsConv<bfloat_t,float,5,5,16,20,2,16,2,false>

struct TapsShape {
  int height, width, columns;  // of the result
  int tiles, tiles_down, tiles_across, column_tiles;
  int row_bytes;  // of a pixel's channels
  int blocks;     // of 128 bytes of them
  int pad_h, pad_w, result_pitch, residual_pitch;
};

template <class T, class Out, int TapsH, int TapsW, int Columns, int Pitch, int Stages, int WeightStages, int Group,
          bool Resident>
struct TapsConv {
  using Element = T;
  using Result = Out;
  using SumType = typename Sum<T>::type;
  static constexpr int kTapsW = TapsW, kTaps = TapsH * TapsW, kColumns = Columns, kPitch = Pitch, kStages = Stages;
  static constexpr int kWeightStages = WeightStages, kGroup = Group;
  static constexpr bool kResident = Resident;
  static constexpr int kThreads = 384, kTile = 16, kDepth = 128 / static_cast<int>(sizeof(T));
  static constexpr int kLeftBytes = (kTile + TapsH - 1) * Pitch * 128, kLeft = (kLeftBytes + 1023) / 1024 * 1024;
  static constexpr int kRight = Columns * 128;
  static constexpr int kShared = Stages * kLeft + WeightStages * kRight + (Stages + WeightStages) * 16;
  static constexpr int kRun = 2 * Group;
  static_assert(Pitch >= kTile + TapsW - 1 && Columns % (8 * Group) == 0, "tiles");
};

template <class C>
struct TapsBarriers {
  uint32_t base;
  PLANISH_DEVICE uint32_t full(int stage) const { return base + stage * 16; }
  PLANISH_DEVICE uint32_t empty(int stage) const { return base + stage * 16 + 8; }
  PLANISH_DEVICE uint32_t weights_full(int stage) const { return full(C::kStages + stage); }
  PLANISH_DEVICE uint32_t weights_empty(int stage) const { return empty(C::kStages + stage); }
  PLANISH_DEVICE void init() const {
    for (int s = 0; s < C::kStages + C::kWeightStages; s++) {
      barrier_init(full(s), 1);
      barrier_init(empty(s), 8);
    }
    barrier_init_fence();
  }
};

template <class C>
struct TapsTile {
  int image, line, pixel, column;
  PLANISH_DEVICE TapsTile(const TapsShape& p, int t) {
    const int place = t / p.column_tiles, rest = place / p.tiles_across;
    column = (t - place * p.column_tiles) * C::kColumns, pixel = (place - rest * p.tiles_across) * C::kTile;
    image = rest / p.tiles_down, line = (rest - image * p.tiles_down) * C::kTile;
  }
};

template <class C>
PLANISH_DEVICE void taps_load(const TensorMap& a, const TapsShape& p, uint32_t left, TapsBarriers<C> barriers) {
  Ring<C::kStages> ring;
  grid_wait();
  for (int t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    const TapsTile<C> tile(p, t);
    for (int k = 0; k < p.blocks; k++, ring.next()) {
      barrier_wait(barriers.empty(ring.stage), ring.parity ^ 1);
      barrier_expect(barriers.full(ring.stage), C::kLeftBytes);
      copy_tile4(left + ring.stage * C::kLeft, a, barriers.full(ring.stage), k * C::kDepth, tile.pixel - p.pad_w,
                 tile.line - p.pad_h, tile.image, kKeepNormal);
    }
  }
}

template <class C>
PLANISH_DEVICE void taps_load_weights(const TensorMap& b, const TapsShape& p, uint32_t right,
                                      TapsBarriers<C> barriers) {
  Ring<C::kWeightStages> ring;
  for (int t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    const TapsTile<C> tile(p, t);
    for (int k = 0; k < p.blocks; k++)
      for (int tap = 0; tap < C::kTaps; tap++, ring.next()) {
        if (!C::kResident) barrier_wait(barriers.weights_empty(ring.stage), ring.parity ^ 1);
        barrier_expect(barriers.weights_full(ring.stage), C::kRight);
        copy_tile(right + ring.stage * C::kRight, b, barriers.weights_full(ring.stage),
                  (tap * p.blocks + k) * C::kDepth, tile.column, kKeepLong);
      }
    if (C::kResident) return;
  }
}

// Of a tile that a bulk copy has swizzled, 128 bytes a row: groups of eight rows `step` bytes apart.
PLANISH_DEVICE uint64_t lines_descriptor(uint32_t address, int step) {
  return static_cast<uint64_t>((address & 0x3ffff) >> 4) | (uint64_t{1} << 16) |
         (static_cast<uint64_t>(step >> 4) << 32) | (uint64_t{1} << 62);
}

// Steps of 16 values of depth of one tap, of which four are a whole block.
template <class C, int Steps>
PLANISH_DEVICE void taps_steps(typename C::SumType (*sums)[C::kColumns / 2], uint32_t from, uint32_t columns,
                               bool accumulate) {
#pragma unroll
  for (int d = 0; d < Steps; d++)
#pragma unroll
    for (int i = 0; i < 2; i++)
      Product<typename C::Element, C::kColumns>::add(sums[i],
                                                     lines_descriptor(from + i * 1024 + d * 32, C::kPitch * 128),
                                                     tile_descriptor<128>(columns + d * 32), accumulate || d > 0);
}

// Products of some taps stay under way: operands are free only when those of the third tap behind them are asked for.
template <class C>
PLANISH_DEVICE void taps_multiply(typename C::SumType (*sums)[C::kColumns / 2], const TapsShape& p, uint32_t left,
                                  uint32_t right, TapsBarriers<C> barriers, Ring<C::kStages>& ring,
                                  Ring<C::kWeightStages>& weights, int group, int lane) {
  constexpr int behind = C::kTaps < 4 ? C::kTaps : 3;
  int before = 0, count = 0;                    // before: stage of the block in front
  const auto release_weights = [&](int taps) {  // of the tap that many in front
    const int stage = weights.stage - taps;
    if (!C::kResident && lane == 0)
      barrier_arrive(barriers.weights_empty(stage < 0 ? stage + C::kWeightStages : stage));
  };
  product_fence();
  for (int k = 0; k < p.blocks; k++) {
    const int steps = min(4, (p.row_bytes - k * 128 + 31) / 32);
    barrier_wait(barriers.full(ring.stage), ring.parity);
    const uint32_t lines = left + ring.stage * C::kLeft + group * (8 * C::kPitch * 128);
    for (int tap = 0; tap < C::kTaps; tap++, count++) {
      barrier_wait(barriers.weights_full(weights.stage), C::kResident ? 0 : weights.parity);
      const uint32_t from = lines + (tap / C::kTapsW * C::kPitch + tap % C::kTapsW) * 128;
      const uint32_t columns = right + weights.stage * C::kRight;
      if (steps == 4)
        taps_steps<C, 4>(sums, from, columns, count > 0);
      else if (steps == 3)
        taps_steps<C, 3>(sums, from, columns, count > 0);
      else if (steps == 2)
        taps_steps<C, 2>(sums, from, columns, count > 0);
      else
        taps_steps<C, 1>(sums, from, columns, count > 0);
      product_commit();
      product_wait<behind>();
      if (count >= behind) release_weights(behind);
      if (k > 0 && tap == behind - 1 && lane == 0) barrier_arrive(barriers.empty(before));
      weights.next();
    }
    before = ring.stage;
    ring.next();
  }
  product_wait<0>();
#pragma unroll
  for (int i = 0; i < 2; i++) sums_ready<C::kColumns / 2>(sums[i]);
#pragma unroll
  for (int i = behind; i > 0; i--) release_weights(i);
  if (lane == 0) barrier_arrive(barriers.empty(before));
  if (C::kResident) weights = {};
}

template <class C, class Program>
PLANISH_DEVICE void taps_finish(typename C::SumType (*sums)[C::kColumns / 2], const TapsShape& p,
                                const TapsTile<C>& tile, typename C::Result* result, const float* bias,
                                const float* scale, const typename C::Result* residual, int group, int warp, int lane) {
  using Out = typename C::Result;
#pragma unroll
  for (int j = 0; j < C::kColumns / 8 / C::kGroup; j++) {
    const int channel = tile.column + j * 8 * C::kGroup + (lane & 3) * C::kRun;
    float biases[C::kRun], scales[C::kRun];
    load_channels<C::kRun>(biases, bias, channel, p.columns);
    if constexpr (Program::scale) load_channels<C::kRun>(scales, scale, channel, p.columns);
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int line = tile.line + group * 8 + warp * 2 + h, pixel = tile.pixel + i * 8 + (lane >> 2);
        if (line >= p.height || pixel >= p.width || channel >= p.columns) continue;
        const int64_t row = (int64_t{tile.image} * p.height + line) * p.width + pixel;
        typename C::SumType s[C::kRun];
        float values[C::kRun], addends[C::kRun];
        if constexpr (Program::residual) load_run<Out, C::kRun>(addends, residual + row * p.residual_pitch + channel);
#pragma unroll
        for (int e = 0; e < C::kRun; e++) s[e] = sums[i][(j * C::kGroup + e / 2) * 4 + h * 2 + (e & 1)];
        apply_program<Program, C::kRun>(values, s, scales, biases, addends);
        store_run<Out, C::kRun>(result + row * p.result_pitch + channel, values);
      }
  }
}

template <class C, class Program>
PLANISH_DEVICE void conv_taps(const TensorMap& a, const TensorMap& b, typename C::Result* result, const float* bias,
                              const float* scale, const typename C::Result* residual, const TapsShape& p) {
  extern __shared__ __align__(1024) uint8_t shared[];
  const uint32_t left = shared_address(shared), right = left + C::kStages * C::kLeft;
  const TapsBarriers<C> barriers{right + C::kWeightStages * C::kRight};
  const int group = threadIdx.x >> 7, warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
  if (threadIdx.x == 0) {
    barriers.init();
    prefetch_map(a);
    prefetch_map(b);
  }
  __syncthreads();
  grid_release();
  if (group == 0) {
    registers_give<40>();
    if (warp == 0 && lane == 0) taps_load<C>(a, p, left, barriers);
    if (warp == 1 && lane == 0) taps_load_weights<C>(b, p, right, barriers);
  } else {
    registers_take<232>();
    grid_wait();  // residuals are of the grid in front
    typename C::SumType sums[2][C::kColumns / 2];
    Ring<C::kStages> ring;
    Ring<C::kWeightStages> weights;
    for (int t = blockIdx.x; t < p.tiles; t += gridDim.x) {
      taps_multiply<C>(sums, p, left, right, barriers, ring, weights, group - 1, lane);
      taps_finish<C, Program>(sums, p, TapsTile<C>(p, t), result, bias, scale, residual, group - 1, warp, lane);
    }
  }
}

#ifdef PLANISH_TAPS
using TapsInstance = PLANISH_TAPS;
extern "C" __global__ void __launch_bounds__(TapsInstance::kThreads, 1)
    taps(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, TapsInstance::Result* result,
         const float* bias, const float* scale, const TapsInstance::Result* residual,
         const __grid_constant__ TapsShape shape) {
  conv_taps<TapsInstance, SampleProgram>(a, b, result, bias, scale, residual, shape);
}
#endif
