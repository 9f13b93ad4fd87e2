#pragma once
// Convolution and product of many rows: throughput counts. Persistent blocks walk over the tiles; warpgroup 0 loads
// operands and residuals and stores results by bulk copies, warpgroups 1 and 2 multiply.
//   PingPong: each has a tile of its own of WarpRows rows; they take turns in the main loop, so that one's epilogue
//   hides behind the other's products. Otherwise both share a tile of 2 * WarpRows rows. Cluster 2: two blocks work on
//   neighbouring tiles of rows; each loads half of their common weights for both.
//
//   Factored: A, a matrix of 16-bit elements, is multiplied by RowFactors.
//
// Grid: Cluster * min(floor(multiprocessors / Cluster), pairs of tiles) blocks; 384 threads.
// Result and residual pass through shared memory, one buffer a warpgroup: panels of kPanel bytes of all its rows.

#include "convolution.cuh"

// instance [sm_90a]: PLANISH_LARGE=LargeConv<half_t,half_t,64,256,128,3,false,2,8,true>
// instance [sm_90a]: PLANISH_LARGE=LargeConv<half_t,half_t,128,128,128,5,true,1,8,false>
// instance [sm_90a]: PLANISH_LARGE=LargeConv<bfloat_t,float,64,128,128,4,false,1,8,true>
// instance [sm_90a]: PLANISH_LARGE=LargeConv<tf32_t,float,64,128,128,4,false,2,8,true>
// instance [sm_90a]: PLANISH_LARGE=LargeConv<int8_t,int8_t,128,128,128,4,true,2,8,false>
// instance [sm_90a]: PLANISH_LARGE=LargeConv<uint8_t,uint8_t,128,128,128,5,true,1,8,true>
// instance [sm_90a]: PLANISH_LARGE_FACTORED=LargeConv<half_t,half_t,128,128,128,5,true,1,8,false,true>
// instance [sm_90a]: PLANISH_LARGE_FACTORED=LargeConv<bfloat_t,bfloat_t,64,48,64,8,false,1,2,false,true>

template <class T, class Out, int WarpRows, int Columns, int BlockBytes, int Stages, bool PingPong, int Cluster,
          int Group, bool Image, bool Factored = false>
struct LargeConv {
  using Element = T;
  using Result = Out;
  using SumType = typename Sum<T>::type;
  static constexpr int kWarpRows = WarpRows, kColumns = Columns, kBlockBytes = BlockBytes, kStages = Stages;
  static constexpr int kCluster = Cluster, kGroup = Group;
  static constexpr bool kPingPong = PingPong, kImage = Image, kFactored = Factored;
  static constexpr int kThreads = 384, kRows = PingPong ? WarpRows : 2 * WarpRows;
  static constexpr int kLeft = kRows * BlockBytes, kRight = Columns * BlockBytes, kStage = kLeft + kRight;
  static constexpr int kRowBytes = Columns * static_cast<int>(sizeof(Out));
  static constexpr int kPanel = kRowBytes % 128 == 0 ? 128 : kRowBytes % 64 == 0 ? 64 : 32;
  static constexpr int kPanels = kRowBytes / kPanel, kBuffer = WarpRows * kRowBytes;
  static constexpr int kShared = Stages * kStage + 2 * kBuffer + (2 * Stages + 6) * 8;
  static constexpr int kRunBytes = 2 * Group * static_cast<int>(sizeof(Out));
  static_assert(WarpRows % 64 == 0 && Columns % (8 * Group) == 0 && kRight % (1024 * Cluster) == 0, "tiles");
  static_assert(kRunBytes >= 8, "a thread's neighbouring channels are at least 8 bytes");
};

// Addresses of the barriers, behind the stages and buffers.
template <class C>
struct LargeBarriers {
  uint32_t base;
  PLANISH_DEVICE uint32_t full(int stage) const { return base + stage * 8; }
  PLANISH_DEVICE uint32_t empty(int stage) const { return base + (C::kStages + stage) * 8; }
  PLANISH_DEVICE uint32_t open(int group) const { return base + (2 * C::kStages + group) * 8; }  // buffer: to compute
  PLANISH_DEVICE uint32_t written(int group) const {
    return base + (2 * C::kStages + 2 + group) * 8;
  }  // buffer: to store
  PLANISH_DEVICE uint32_t turn(int group) const { return base + (2 * C::kStages + 4 + group) * 8; }
  PLANISH_DEVICE void init() const {
    for (int s = 0; s < C::kStages; s++) {
      barrier_init(full(s), 1);
      barrier_init(empty(s), 4 * C::kCluster * (C::kPingPong ? 1 : 2));
    }
    for (int g = 0; g < 2; g++) {
      barrier_init(open(g), 1);
      barrier_init(written(g), 4);
      barrier_init(turn(g), 4);
    }
    barrier_init_fence();
  }
};

// Tile t of the cluster's walk: its first row in this block, its first column.
template <class C>
struct LargeTile {
  int m0, n0;
  PLANISH_DEVICE LargeTile(const ConvShape& p, int t, int rank) {
    const int row = t / p.column_tiles;
    n0 = (t - row * p.column_tiles) * C::kColumns, m0 = (row * C::kCluster + rank) * C::kRows;
  }
};
template <class C>
PLANISH_DEVICE int large_tiles(const ConvShape& p) {
  return (p.rows + C::kRows * C::kCluster - 1) / (C::kRows * C::kCluster) * p.column_tiles;
}

template <class C>
PLANISH_DEVICE void large_load(const TensorMap& a, const TensorMap& b, const ConvShape& p, uint32_t stages,
                               LargeBarriers<C> barriers, int rank) {
  constexpr int depth = C::kBlockBytes / static_cast<int>(sizeof(typename C::Element));
  const int tiles = large_tiles<C>(p), step = gridDim.x / C::kCluster;
  Ring<C::kStages> ring;
  bool first = true;
  for (int t = blockIdx.x / C::kCluster; t < tiles; t += step) {
    const LargeTile<C> tile(p, t, rank);
    RowLoader<C::kBlockBytes, typename C::Element, C::kImage> rows(p, tile.m0, 0);
    for (int k = 0; k < p.blocks; k++, ring.next()) {
      const uint32_t full = barriers.full(ring.stage), left = stages + ring.stage * C::kStage, right = left + C::kLeft;
      barrier_wait(barriers.empty(ring.stage), ring.parity ^ 1);
      barrier_expect(full, C::kStage);
      if constexpr (C::kCluster == 1)
        copy_tile(right, b, full, k * depth, tile.n0, kKeepLong);
      else
        copy_tile_to(right + rank * (C::kRight / 2), b, full, k * depth, tile.n0 + rank * (C::kColumns / 2), 3,
                     kKeepLong);
      if (first) grid_wait(), first = false;
      rows.load(p, a, left, full, kKeepNormal);
    }
  }
}

// Buffers go to a warpgroup with the residual inside and come back with the result.
template <class C, class Program>
PLANISH_DEVICE void large_store(const TensorMap& result, const TensorMap& residual, const ConvShape& p,
                                uint32_t buffers, LargeBarriers<C> barriers, int rank) {
  constexpr int panel_columns = C::kPanel / static_cast<int>(sizeof(typename C::Result));
  const int tiles = large_tiles<C>(p), step = gridDim.x / C::kCluster;
  auto open = [&](int t, int g) {
    if (!Program::residual || t >= tiles) return barrier_arrive(barriers.open(g));
    const LargeTile<C> tile(p, t, rank);
    barrier_expect(barriers.open(g), C::kBuffer);
    for (int j = 0; j < C::kPanels; j++)
      copy_tile(buffers + g * C::kBuffer + j * (C::kWarpRows * C::kPanel), residual, barriers.open(g),
                tile.n0 + j * panel_columns, tile.m0 + (C::kPingPong ? 0 : g * C::kWarpRows), kKeepShort);
  };
  const int t0 = blockIdx.x / C::kCluster;
  grid_wait();
  for (int g = 0; g < 2; g++) open(C::kPingPong ? t0 + g * step : t0, g);
  uint32_t parity = 0;
  for (int t = t0, i = 0; t < tiles; t += step, i++) {
    const LargeTile<C> tile(p, t, rank);
    const int from = C::kPingPong ? i & 1 : 0, to = C::kPingPong ? from + 1 : 2;
    for (int g = from; g < to; g++) {
      barrier_wait(barriers.written(g), parity);
      for (int j = 0; j < C::kPanels; j++)
        store_tile(result, buffers + g * C::kBuffer + j * (C::kWarpRows * C::kPanel), tile.n0 + j * panel_columns,
                   tile.m0 + (C::kPingPong ? 0 : g * C::kWarpRows));
      stores_commit();
      stores_read();
      open(C::kPingPong ? t + 2 * step : t + step, g);
    }
    if (!C::kPingPong || (i & 1)) parity ^= 1;
  }
  stores_done();
}

template <class C>
PLANISH_DEVICE void large_release(LargeBarriers<C> barriers, int stage, int lane) {
  if (lane < C::kCluster) {
    if constexpr (C::kCluster == 1)
      barrier_arrive(barriers.empty(stage));
    else
      barrier_arrive_at(barriers.empty(stage), lane);
  }
}

// After the last block: the other group's turn.
template <class C>
PLANISH_DEVICE void large_pass_turn(LargeBarriers<C> barriers, int group, int lane) {
  if (C::kPingPong && lane == 0) barrier_arrive(barriers.turn(group ^ 1));
}

// The main loop of a tile with factors.
template <class C>
using LargeFactors = FactoredRows<typename C::Element, C::kBlockBytes, C::kWarpRows / 64, C::kColumns>;
template <class C>
PLANISH_DEVICE void large_multiply_factored(float (*sums)[C::kColumns / 2], const ConvShape& p, LargeFactors<C>& rows,
                                            uint32_t stages, LargeBarriers<C> barriers, Ring<C::kStages>& ring,
                                            int group, int warp, int lane) {
  const int row = C::kPingPong ? 0 : group * C::kWarpRows;
  for (int k = 0; k < p.blocks; k++, ring.next()) {
    barrier_wait(barriers.full(ring.stage), ring.parity);
    const uint32_t tile = stages + ring.stage * C::kStage;
    rows.add(sums, tile + row * C::kBlockBytes, tile + C::kLeft, k, p.blocks, warp, lane);
    large_release(barriers, ring.stage, lane);
  }
  large_pass_turn(barriers, group, lane);
}

// The main loop of a tile: sums of WarpRows rows, all blocks of depth from the ring's place on.
template <class C>
PLANISH_DEVICE void large_multiply(typename C::SumType (*sums)[C::kColumns / 2], const ConvShape& p, uint32_t stages,
                                   LargeBarriers<C> barriers, Ring<C::kStages>& ring, int group, int lane) {
  int before = 0;
  for (int k = 0; k < p.blocks; k++) {
    barrier_wait(barriers.full(ring.stage), ring.parity);
    const uint32_t tile = stages + ring.stage * C::kStage, right = tile + C::kLeft;
    const uint32_t left = tile + (C::kPingPong ? 0 : group * C::kWarpRows * C::kBlockBytes);
    product_fence();
#pragma unroll
    for (int d = 0; d < C::kBlockBytes / 32; d++)
#pragma unroll
      for (int i = 0; i < C::kWarpRows / 64; i++)
        Product<typename C::Element, C::kColumns>::add(
            sums[i], tile_descriptor<C::kBlockBytes>(left + i * 64 * C::kBlockBytes + d * 32),
            tile_descriptor<C::kBlockBytes>(right + d * 32), (k | d) != 0);
    product_commit();
    if (k > 0) {
      product_wait<1>();
      large_release(barriers, before, lane);
    }
    before = ring.stage;
    ring.next();
  }
  large_pass_turn(barriers, group, lane);
  product_wait<0>();
#pragma unroll
  for (int i = 0; i < C::kWarpRows / 64; i++) sums_ready<C::kColumns / 2>(sums[i]);
  large_release(barriers, before, lane);
}

// Where byte `x` of row `row` of a buffer lies, as its tensor map swizzles.
template <class C>
PLANISH_DEVICE uint32_t buffer_place(uint32_t buffer, int row, int x) {
  constexpr int shift = C::kPanel == 128 ? 0 : C::kPanel == 64 ? 1 : 2, mask = C::kPanel / 16 - 1;
  const int panel = x / C::kPanel, inside = x % C::kPanel;
  return buffer + panel * (C::kWarpRows * C::kPanel) + row * C::kPanel +
         ((((inside >> 4) ^ (row >> shift)) & mask) << 4 | (inside & 15));
}

// Sums become results, in place of the residual.
template <class C, class Program>
PLANISH_DEVICE void large_finish(typename C::SumType (*sums)[C::kColumns / 2], const ConvShape& p, uint32_t buffer,
                                 int n0, const float* bias, const float* scale, int warp, int lane) {
  using Out = typename C::Result;
  constexpr int run = 2 * C::kGroup, words = C::kRunBytes / 4;
  const int q = lane & 3, row0 = warp * 16 + (lane >> 2);
#pragma unroll
  for (int j = 0; j < C::kColumns / 8 / C::kGroup; j++) {
    const int column = j * 8 * C::kGroup + q * run;
    float biases[run], scales[run];
    load_channels<run>(biases, bias, n0 + column, p.columns);
    if constexpr (Program::scale) load_channels<run>(scales, scale, n0 + column, p.columns);
#pragma unroll
    for (int i = 0; i < C::kWarpRows / 64; i++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int row = i * 64 + row0 + h * 8, x = column * static_cast<int>(sizeof(Out));
        typename C::SumType s[run];
        float values[run], addends[run];
        uint32_t bits[words];
        if constexpr (Program::residual) {
#pragma unroll
          for (int w = 0; w < words; w += words < 4 ? 2 : 4) {
            const uint32_t place = buffer_place<C>(buffer, row, x + w * 4);
            if constexpr (words >= 4) {
              const uint4 v = load_shared4(place);
              bits[w] = v.x, bits[w + 1] = v.y, bits[w + 2] = v.z, bits[w + 3] = v.w;
            } else {
              const uint2 v = load_shared2(place);
              bits[w] = v.x, bits[w + 1] = v.y;
            }
          }
          Words<Out>::template unpack<run>(addends, bits);
        }
#pragma unroll
        for (int e = 0; e < run; e++) s[e] = sums[i][(j * C::kGroup + e / 2) * 4 + h * 2 + (e & 1)];
        apply_program<Program, run>(values, s, scales, biases, addends);
        Words<Out>::template pack<run>(bits, values);
#pragma unroll
        for (int w = 0; w < words; w += words < 4 ? 2 : 4) {
          const uint32_t place = buffer_place<C>(buffer, row, x + w * 4);
          if constexpr (words >= 4)
            store_shared4(place, bits + w);
          else
            store_shared2(place, bits + w);
        }
      }
  }
}

template <class C, class Program>
PLANISH_DEVICE void large_compute(const ConvShape& p, uint32_t stages, uint32_t buffers, LargeBarriers<C> barriers,
                                  const float* bias, const float* scale, const RowFactors& factors, int rank,
                                  int group) {
  const int warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
  const int tiles = large_tiles<C>(p), step = gridDim.x / C::kCluster;
  typename C::SumType sums[C::kWarpRows / 64][C::kColumns / 2];
  Ring<C::kStages> ring;
  if constexpr (C::kFactored) grid_wait();
  if (C::kPingPong && group == 1) ring.skip(p.blocks);
  uint32_t parity = 0;
  const int t0 = blockIdx.x / C::kCluster;
  for (int t = C::kPingPong ? t0 + group * step : t0; t < tiles; t += C::kPingPong ? 2 * step : step) {
    const LargeTile<C> tile(p, t, rank);
    // The first turn is group 0's; from then on each waits for the end of the other's main loop. So nobody is more
    // than a phase of a stage ahead of what is known to be complete.
    const auto wait_for_turn = [&] {
      if constexpr (C::kPingPong) barrier_wait(barriers.turn(group), parity ^ (group == 0 ? 1 : 0));
    };
    if constexpr (C::kFactored) {
      LargeFactors<C> rows(p, factors, tile.m0 + (C::kPingPong ? 0 : group * C::kWarpRows), warp, lane);
      rows.ask(0);
      wait_for_turn();
      large_multiply_factored<C>(sums, p, rows, stages, barriers, ring, group, warp, lane);
    } else {
      wait_for_turn();
      large_multiply<C>(sums, p, stages, barriers, ring, group, lane);
    }
    if constexpr (C::kPingPong) ring.skip(p.blocks);
    const uint32_t buffer = buffers + group * C::kBuffer;
    barrier_wait(barriers.open(group), parity);
    large_finish<C, Program>(sums, p, buffer, tile.n0, bias, scale, warp, lane);
    parity ^= 1;
    fence_shared_async();
    __syncwarp();
    if (lane == 0) barrier_arrive(barriers.written(group));
  }
}

template <class C, class Program>
PLANISH_DEVICE void conv_large(const TensorMap& a, const TensorMap& b, const TensorMap& result,
                               const TensorMap& residual, const float* bias, const float* scale, const ConvShape& p,
                               const RowFactors& factors = {}) {
  extern __shared__ __align__(1024) uint8_t shared[];
  const uint32_t stages = shared_address(shared), buffers = stages + C::kStages * C::kStage;
  const LargeBarriers<C> barriers{buffers + 2 * C::kBuffer};
  const int group = threadIdx.x >> 7, warp = (threadIdx.x >> 5) & 3, lane = threadIdx.x & 31;
  const int rank = C::kCluster > 1 ? static_cast<int>(cluster_rank()) : 0;
  if (threadIdx.x == 0) {
    barriers.init();
    prefetch_map(a);
    prefetch_map(b);
    prefetch_map(result);
  }
  __syncthreads();
  if constexpr (C::kCluster > 1) cluster_arrive(), cluster_wait();
  grid_release();
  if (group == 0) {
    registers_give<40>();
    if (warp == 0 && lane == 0) large_load<C>(a, b, p, stages, barriers, rank);
    if (warp == 1 && lane == 0) large_store<C, Program>(result, residual, p, buffers, barriers, rank);
  } else {
    registers_take<232>();
    large_compute<C, Program>(p, stages, buffers, barriers, bias, scale, factors, rank, group - 1);
  }
  if constexpr (C::kCluster > 1) {  // nobody leaves while its peer still writes into it
    __syncthreads();
    cluster_arrive(), cluster_wait();
  }
}

#define PLANISH_CONV_LARGE(name, Config, Program)                                                                   \
  extern "C" __global__ void __launch_bounds__(Config::kThreads, 1)                                                 \
      name(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b,                                \
           const __grid_constant__ TensorMap result, const __grid_constant__ TensorMap residual, const float* bias, \
           const float* scale, const __grid_constant__ ConvShape shape) {                                           \
    conv_large<Config, Program>(a, b, result, residual, bias, scale, shape);                                        \
  }

#ifdef PLANISH_LARGE
using LargeInstance = PLANISH_LARGE;
PLANISH_CONV_LARGE(large, LargeInstance, SampleProgram)
#endif
#ifdef PLANISH_LARGE_FACTORED
using LargeFactored = PLANISH_LARGE_FACTORED;
extern "C" __global__ void __launch_bounds__(LargeFactored::kThreads, 1)
    large_factored(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b,
                   const __grid_constant__ TensorMap result, const __grid_constant__ TensorMap residual,
                   const float* bias, const __grid_constant__ ConvShape shape,
                   const __grid_constant__ RowFactors factors) {
  conv_large<LargeFactored, SampleProgram>(a, b, result, residual, bias, bias, shape, factors);
}
#endif
