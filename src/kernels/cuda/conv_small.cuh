#pragma once
// Convolution and product of few rows (small batches): latency counts. One tile of 64 rows per group of Split blocks, a
// cluster; each takes a share of the depth, normally all of it in flight at once. Partial sums travel by st.async to
// the block that owns a slice of the tile, so that the reduction is one wait. Weights are asked for before the grids
// before have ended, pixels after that.
//
// Grid: ceil(rows / 64) * ceil(columns / Columns) * Split blocks in clusters of Split; 160 threads.

#include "convolution.cuh"

// instance [sm_90a]: PLANISH_SMALL=SmallConv<half_t,half_t,64,128,5,4,8,true>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<half_t,half_t,32,128,7,8,8,false>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<half_t,half_t,64,128,12,4,8,true>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<bfloat_t,float,64,64,8,2,4,true>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<tf32_t,float,64,128,5,8,8,false>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<int8_t,int8_t,64,128,5,1,8,true>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<uint8_t,uint8_t,64,128,8,2,8,true>
// instance [sm_90a]: PLANISH_SMALL=SmallConv<half_t,half_t,64,128,5,1,1,false,false,false>
// instance [sm_90a]: PLANISH_SMALL_FACTORED=SmallConv<half_t,half_t,16,128,5,1,2,false,true>

// Group: of the packed weights. Image: A is an image read with taps (an im2col map with boxes of 64 pixels); else a
// matrix (a tiled map with boxes of 64 rows). Boxes are BlockBytes wide and swizzled so; B's have Columns rows.
// Factored: A, a matrix of 16-bit elements, is multiplied by RowFactors. Aligned false: any number of columns and any
// pitches.
template <class T, class Out, int Columns, int BlockBytes, int Stages, int Split, int Group, bool Image,
          bool Factored = false, bool Aligned = true>
struct SmallConv {
  using Element = T;
  using Result = Out;
  using SumType = typename Sum<T>::type;
  static constexpr int kColumns = Columns, kBlockBytes = BlockBytes, kStages = Stages, kSplit = Split, kGroup = Group;
  static constexpr bool kImage = Image, kFactored = Factored, kAligned = Aligned;
  static constexpr int kThreads = 160, kRows = 64;
  static constexpr int kLeft = kRows * BlockBytes, kStage = kLeft + Columns * BlockBytes;
  static constexpr int kPartial = Split > 1 ? kRows* Columns * 4 : 0;
  static constexpr int kShared = Stages * kStage + kPartial + (2 * Stages + 1) * 8;
  // A thread finishes kGroups groups of 8 columns of its two rows, or one group of one row, in runs of kRun channels.
  static constexpr int kGroups = Columns / 8 >= Split ? Columns / 8 / Split : 1;
  static constexpr int kHalves = Columns / 8 >= Split ? 2 : 1;
  static constexpr int kSums = kGroups * kHalves * 2;
  static constexpr int kRunGroups = kGroups < Group ? kGroups : Group, kRun = 2 * kRunGroups;
  static_assert(kGroups % kRunGroups == 0 && Group % kRunGroups == 0, "runs of channels");
  static_assert(kSums * Split == Columns / 2, "slices cover the tile");
};

// The slice `rank` of the tile's sums, added up over the cluster in the order of ranks.
// partial: [source][chunk][128 threads] chunks of 4 (2) values.
template <class C>
PLANISH_DEVICE void reduce_slices(typename C::SumType* slice, const typename C::SumType* sums, uint32_t partial,
                                  uint32_t barrier, int rank, int thread) {
  constexpr int chunk = C::kSums < 4 ? C::kSums : 4, chunks = C::kSums / chunk;
  auto bits = [](typename C::SumType x) {
    if constexpr (sizeof(x) == 4 && !(static_cast<typename C::SumType>(0.5f) == 0))
      return __float_as_uint(x);
    else
      return static_cast<uint32_t>(x);
  };
  auto value = [](uint32_t x) {
    if constexpr (!(static_cast<typename C::SumType>(0.5f) == 0))
      return __uint_as_float(x);
    else
      return static_cast<int>(x);
  };
#pragma unroll
  for (int owner = 0; owner < C::kSplit; owner++) {
    const uint32_t to = peer_address(partial, owner), at = peer_address(barrier, owner);
#pragma unroll
    for (int i = 0; i < chunks; i++) {
      const typename C::SumType* s = sums + owner * C::kSums + i * chunk;
      const uint32_t place = to + ((rank * chunks + i) * 128 + thread) * (chunk * 4);
      if constexpr (chunk == 4)
        send4(place, at, bits(s[0]), bits(s[1]), bits(s[2]), bits(s[3]));
      else
        send2(place, at, bits(s[0]), bits(s[1]));
    }
  }
  barrier_wait(barrier, 0);
#pragma unroll
  for (int i = 0; i < C::kSums; i++) slice[i] = 0;
#pragma unroll
  for (int source = 0; source < C::kSplit; source++)
#pragma unroll
    for (int i = 0; i < chunks; i++) {
      const uint32_t place = partial + ((source * chunks + i) * 128 + thread) * (chunk * 4);
      if constexpr (chunk == 4) {
        const uint4 v = load_shared4(place);
        slice[4 * i] += value(v.x), slice[4 * i + 1] += value(v.y);
        slice[4 * i + 2] += value(v.z), slice[4 * i + 3] += value(v.w);
      } else {
        const uint2 v = load_shared2(place);
        slice[0] += value(v.x), slice[1] += value(v.y);
      }
    }
}

template <class C>
PLANISH_DEVICE void small_load(const TensorMap& a, const TensorMap& b, const ConvShape& p, uint32_t stages,
                               uint32_t barriers, int m0, int n0, int first, int count) {
  constexpr int depth = C::kBlockBytes / static_cast<int>(sizeof(typename C::Element));
  auto weights = [&](int i, int stage) {
    barrier_expect(barriers + stage * 8, C::kStage);
    copy_tile(stages + stage * C::kStage + C::kLeft, b, barriers + stage * 8, (first + i) * depth, n0, kKeepNormal);
  };
  for (int i = 0; i < count && i < C::kStages; i++) weights(i, i);
  RowLoader<C::kBlockBytes, typename C::Element, C::kImage> rows(p, m0, first);
  grid_wait();
  Ring<C::kStages> ring;
  for (int i = 0; i < count; i++, ring.next()) {
    if (i >= C::kStages) {
      barrier_wait(barriers + (C::kStages + ring.stage) * 8, ring.parity ^ 1);
      weights(i, ring.stage);
    }
    rows.load(p, a, stages + ring.stage * C::kStage, barriers + ring.stage * 8, kKeepNormal);
  }
}

// The same with factors; `first`: of the blocks of depth that are this block's.
template <class C>
PLANISH_DEVICE void small_multiply_factored(float* sums, const ConvShape& p, const RowFactors& factors, uint32_t stages,
                                            uint32_t barriers, int row0, int first, int count, int warp, int lane) {
  using T = typename C::Element;
  FactoredRows<T, C::kBlockBytes, 1, C::kColumns> rows(p, factors, row0, warp, lane);
  rows.channel += first * (C::kBlockBytes / static_cast<int>(sizeof(T)));
  rows.ask(0);
  Ring<C::kStages> ring;
  for (int i = 0; i < count; i++, ring.next()) {
    barrier_wait(barriers + ring.stage * 8, ring.parity);
    const uint32_t left = stages + ring.stage * C::kStage;
    rows.add(reinterpret_cast<float(*)[C::kColumns / 2]>(sums), left, left + C::kLeft, i, count, warp, lane);
    if (count > C::kStages && lane == 0) barrier_arrive(barriers + (C::kStages + ring.stage) * 8);
  }
}

template <class C>
PLANISH_DEVICE void small_multiply(typename C::SumType* sums, uint32_t stages, uint32_t barriers, int count, int lane) {
  Ring<C::kStages> ring;
  for (int i = 0; i < count; i++) {
    barrier_wait(barriers + ring.stage * 8, ring.parity);
    const uint32_t left = stages + ring.stage * C::kStage, right = left + C::kLeft;
    product_fence();
#pragma unroll
    for (int k = 0; k < C::kBlockBytes / 32; k++)
      Product<typename C::Element, C::kColumns>::add(sums, tile_descriptor<C::kBlockBytes>(left + k * 32),
                                                     tile_descriptor<C::kBlockBytes>(right + k * 32), (i | k) != 0);
    product_commit();
    if (count > C::kStages) {
      product_wait<0>();
      if (lane == 0) barrier_arrive(barriers + (C::kStages + ring.stage) * 8);
    }
    ring.next();
  }
  product_wait<0>();
  sums_ready<C::kColumns / 2>(sums);
}

// A run of channels of a row, of which the first `there` are there.
template <class C>
PLANISH_DEVICE void small_read(float* values, const typename C::Result* from, int there) {
  if constexpr (C::kAligned) {
    load_run<typename C::Result, C::kRun>(values, from);
  } else {
#pragma unroll
    for (int i = 0; i < C::kRun; i++) values[i] = i < there ? to_float(from[i]) : 0.0f;
  }
}
template <class C>
PLANISH_DEVICE void small_write(typename C::Result* to, const float* values, int there) {
  if constexpr (C::kAligned) {
    store_run<typename C::Result, C::kRun>(to, values);
  } else {
#pragma unroll
    for (int i = 0; i < C::kRun; i++)
      if (i < there) to[i] = rounded_to<typename C::Result>(values[i]);
  }
}

template <class C, class Program>
PLANISH_DEVICE void conv_small(const TensorMap& a, const TensorMap& b, typename C::Result* result, const float* bias,
                               const float* scale, const typename C::Result* residual, const ConvShape& p,
                               const RowFactors& factors = {}) {
  extern __shared__ __align__(1024) uint8_t shared[];
  const uint32_t stages = shared_address(shared), partial = stages + C::kStages * C::kStage;
  const uint32_t barriers = partial + C::kPartial, reduced = barriers + 2 * C::kStages * 8;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, q = lane & 3;
  const int rank = C::kSplit > 1 ? static_cast<int>(cluster_rank()) : 0;
  const int tile = blockIdx.x / C::kSplit, m0 = tile / p.column_tiles * 64, n0 = tile % p.column_tiles * C::kColumns;
  const int first = rank * p.blocks / C::kSplit, count = (rank + 1) * p.blocks / C::kSplit - first;
  if (threadIdx.x == 128) {
    for (int s = 0; s < C::kStages; s++) {
      barrier_init(barriers + s * 8, 1);
      barrier_init(barriers + (C::kStages + s) * 8, 4);
    }
    if constexpr (C::kSplit > 1) barrier_init(reduced, 1);
    barrier_init_fence();
    if constexpr (C::kSplit > 1) barrier_expect(reduced, C::kPartial);
  }
  __syncthreads();
  if constexpr (C::kSplit > 1) cluster_arrive();
  grid_release();

  if (warp == 4) {
    if (lane == 0) small_load<C>(a, b, p, stages, barriers, m0, n0, first, count);
    __syncwarp();
    if constexpr (C::kSplit > 1) cluster_wait();
    return;
  }
  constexpr int runs = C::kGroups / C::kRunGroups;
  const int row = m0 + warp * 16 + (lane >> 2) + (C::kHalves == 1 ? (rank & 1) * 8 : 0);
  const int group0 = n0 / 8 + (C::kHalves == 1 ? rank >> 1 : rank * C::kGroups);
  float biases[runs][C::kRun], scales[runs][C::kRun], addends[C::kHalves][runs][C::kRun];
#pragma unroll
  for (int t = 0; t < runs; t++) {
    const int channel = channel_of<C::kGroup>(group0 + t * C::kRunGroups, q);
    load_channels<C::kRun>(biases[t], bias, channel, p.columns);
    if constexpr (Program::scale) load_channels<C::kRun>(scales[t], scale, channel, p.columns);
  }
  grid_wait();
  if constexpr (Program::residual) {
#pragma unroll
    for (int h = 0; h < C::kHalves; h++)
#pragma unroll
      for (int t = 0; t < runs; t++) {
        const int m = row + h * 8, channel = channel_of<C::kGroup>(group0 + t * C::kRunGroups, q);
        if (m < p.rows && channel < p.columns)
          small_read<C>(addends[h][t], residual + static_cast<int64_t>(m) * p.residual_pitch + channel,
                        p.columns - channel);
      }
  }
  typename C::SumType sums[C::kColumns / 2], slice[C::kSums];
  if constexpr (C::kFactored)
    small_multiply_factored<C>(sums, p, factors, stages, barriers, m0, first, count, warp, lane);
  else
    small_multiply<C>(sums, stages, barriers, count, lane);
  if constexpr (C::kSplit > 1) {
    cluster_wait();
    reduce_slices<C>(slice, sums, partial, reduced, rank, threadIdx.x);
  } else {
#pragma unroll
    for (int i = 0; i < C::kSums; i++) slice[i] = sums[i];
  }
#pragma unroll
  for (int h = 0; h < C::kHalves; h++)
#pragma unroll
    for (int t = 0; t < runs; t++) {
      const int m = row + h * 8, channel = channel_of<C::kGroup>(group0 + t * C::kRunGroups, q);
      typename C::SumType s[C::kRun];
      float values[C::kRun];
#pragma unroll
      for (int i = 0; i < C::kRun; i++) s[i] = slice[(t * C::kRunGroups + i / 2) * (2 * C::kHalves) + h * 2 + (i & 1)];
      apply_program<Program, C::kRun>(values, s, scales[t], biases[t], addends[h][t]);
      if (m < p.rows && channel < p.columns)
        small_write<C>(result + static_cast<int64_t>(m) * p.result_pitch + channel, values, p.columns - channel);
    }
}

#define PLANISH_CONV_SMALL(name, Config, Program)                                                            \
  extern "C" __global__ void __launch_bounds__(Config::kThreads, 1)                                          \
      name(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, Config::Result* result, \
           const float* bias, const float* scale, const Config::Result* residual,                            \
           const __grid_constant__ ConvShape shape) {                                                        \
    conv_small<Config, Program>(a, b, result, bias, scale, residual, shape);                                 \
  }

#ifdef PLANISH_SMALL
using SmallInstance = PLANISH_SMALL;
PLANISH_CONV_SMALL(small, SmallInstance, SampleProgram)
#endif
#ifdef PLANISH_SMALL_FACTORED
using SmallFactored = PLANISH_SMALL_FACTORED;
extern "C" __global__ void __launch_bounds__(SmallFactored::kThreads, 1)
    small_factored(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b,
                   SmallFactored::Result* result, const float* bias, const SmallFactored::Result* residual,
                   const __grid_constant__ ConvShape shape, const __grid_constant__ RowFactors factors) {
  conv_small<SmallFactored, SampleProgram>(a, b, result, bias, bias, residual, shape, factors);
}
#endif
