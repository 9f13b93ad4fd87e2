#pragma once
// Attention softmax(scale * Q K^T + mask) V by warpgroups (sm_90a): a block is a warpgroup with 64 queries of a head
// and walks over the keys, 128 or 64 at a time, which bulk copies bring two blocks ahead. Weights go from the scores'
// registers into the second product; the next scores are computed beside it. Two to four blocks share a processor and
// fill each other's waits.
//
// Maps of Q, K and V: 4-D, {elements of a head, rows, heads, batches} of any pitches, boxes {64, kRows or kKeys, 1, 1},
// 128-byte swizzle. Rows behind the last are zeros. Grid: (ceil(queries / kRows), heads, batches); kThreads; kShared.

#include "attention_shape.cuh"
#include "wgmma.cuh"

// instance [sm_90a]: PLANISH_WIDE_ATTENTION=WideAttention<half_t,2>
// instance [sm_90a]: PLANISH_WIDE_ATTENTION=WideAttention<bfloat_t,0>
// instance [sm_90a]: PLANISH_WIDE_ATTENTION=WideAttention<half_t,0,64>
// instance [sm_90a]: PLANISH_WIDE_ATTENTION=WideAttention<half_t,2,64>

// Heads of 64 elements. Mask 0: none; 2: addends of type T. Keys at a time: 128, where few blocks are to end soon,
// or 64.
template <class T, int Mask, int Keys = 128>
struct WideAttention {
  using Element = T;
  static constexpr int kHead = 64, kMask = Mask, kThreads = 128, kRows = 64, kKeys = Keys, kStages = 2;
  static constexpr int kResident = Keys == 64  ? 4
                                   : Mask == 0 ? 3
                                               : 2;  // blocks a processor, for as many registers as they take
  static constexpr int kQueries = kRows * 128, kBlock = kKeys * 128;  // bytes; a row is 128
  static constexpr int kShared = kQueries + kStages * 2 * kBlock + (1 + 2 * kStages) * 8;
};

// heads_of_…, batches_of_…: 0 where an operand has one for all, else 1.
struct WideShape {
  int queries, keys;
  float scale;
  int heads_of_queries, heads_of_keys, heads_of_values, batches_of_queries, batches_of_keys, batches_of_values;
  AttentionPlace result, mask;
};

struct WideBarriers {
  uint32_t queries, keys, values;  // of stage 0
};

// Block `i` of keys and values into its stage.
template <class C>
PLANISH_DEVICE void wide_load(const TensorMap& k, const TensorMap& v, uint32_t blocks, const WideBarriers& barriers,
                              const WideShape& p, int i) {
  const int stage = i % C::kStages, head = blockIdx.y, batch = blockIdx.z;
  const uint32_t to = blocks + stage * 2 * C::kBlock;
  barrier_expect(barriers.keys + stage * 8, C::kBlock);
  copy_tile4(to, k, barriers.keys + stage * 8, 0, i * C::kKeys, head * p.heads_of_keys, batch * p.batches_of_keys,
             kKeepNormal);
  barrier_expect(barriers.values + stage * 8, C::kBlock);
  copy_tile4(to + C::kBlock, v, barriers.values + stage * 8, 0, i * C::kKeys, head * p.heads_of_values,
             batch * p.batches_of_values, kKeepNormal);
}

// scores = Q K^T of a warpgroup's 64 queries and the block's keys.
template <class C>
PLANISH_DEVICE void wide_scores(float* scores, uint32_t queries, uint32_t keys) {
  product_fence();
#pragma unroll
  for (int d = 0; d < C::kHead / 16; d++)
    Product<typename C::Element, C::kKeys>::add(scores, tile_descriptor<128>(queries + d * 32),
                                                tile_descriptor<128>(keys + d * 32), d != 0);
  product_commit();
}

template <class C>
PLANISH_DEVICE void wide_values(float* result, const uint32_t* weights, uint32_t values) {
  product_fence();
#pragma unroll
  for (int k = 0; k < C::kKeys / 16; k++)
    RightProduct<typename C::Element, C::kHead>::add(result, weights + 4 * k,
                                                     panel_descriptor(values + k * 16 * 128, C::kBlock));
  product_commit();
}

// Addends of the keys from key0 on for the thread's two rows, pairs of neighbours; past the ends those at the ends.
template <class C>
PLANISH_DEVICE void wide_addends(uint32_t (*addends)[C::kKeys / 8], const WideShape& p, const typename C::Element* mask,
                                 int query, int key0, int lane) {
  if constexpr (C::kMask == 2) {
    const int first = key0 + (lane & 3) * 2;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const typename C::Element* const row = mask + min(query + h * 8, p.queries - 1) * p.mask.row;
      const bool pairs = p.mask.element == 1 && key0 + C::kKeys <= p.keys && p.mask.row % 2 == 0 &&
                         reinterpret_cast<uint64_t>(mask) % 4 == 0;
      if (pairs) {
#pragma unroll
        for (int j = 0; j < C::kKeys / 8; j++) addends[h][j] = *reinterpret_cast<const uint32_t*>(row + first + j * 8);
      } else {
#pragma unroll
        for (int j = 0; j < C::kKeys / 8; j++) {
          const auto bits = [&](int key) {
            return static_cast<uint32_t>(row[min(key, p.keys - 1) * p.mask.element].bits);
          };
          addends[h][j] = bits(first + j * 8) | bits(first + j * 8 + 1) << 16;
        }
      }
    }
  }
}

// Scores with the mask, -infinity behind the last key; what is left to multiply by is returned: units are powers of
// two.
template <class C>
PLANISH_DEVICE float wide_mask(float* scores, const WideShape& p, const uint32_t (*addends)[C::kKeys / 8], int key0,
                               int lane) {
  const float factor = p.scale * kLog2e;
  const bool now = C::kMask == 2 || factor <= 0;  // else with the exponential
  if (now) {
#pragma unroll
    for (int j = 0; j < C::kKeys / 8; j++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        float pair[2] = {0, 0};
        if constexpr (C::kMask == 2) Words<typename C::Element>::template unpack<2>(pair, &addends[h][j]);
#pragma unroll
        for (int e = 0; e < 2; e++)
          scores[4 * j + 2 * h + e] = fmaf(scores[4 * j + 2 * h + e], factor, pair[e] * kLog2e);
      }
  }
  if (key0 + C::kKeys > p.keys) {
#pragma unroll
    for (int j = 0; j < C::kKeys / 8; j++)
#pragma unroll
      for (int e = 0; e < 4; e++)
        if (key0 + j * 8 + (lane & 3) * 2 + e % 2 >= p.keys) scores[4 * j + e] = -infinity();
  }
  return now ? 1 : factor;
}

// Running softmax: scores become packed weights 2^(factor * s - maximum), factor being above 0; what was summed before
// is scaled to the new maximum.
template <class C>
PLANISH_DEVICE void wide_softmax(float* scores, float factor, uint32_t* weights, float* maxima, float* sums,
                                 float* result) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    float most = -infinity();
#pragma unroll
    for (int j = 0; j < C::kKeys / 8; j++) most = fmaxf(most, fmaxf(scores[4 * j + 2 * h], scores[4 * j + 2 * h + 1]));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
    most = fmaxf(maxima[h], most * factor);
    const float base = most == -infinity() ? 0.0f : most, shrink = power_of_two(maxima[h] - base);
    float sum = 0;
#pragma unroll
    for (int j = 0; j < C::kKeys / 8; j++)
#pragma unroll
      for (int e = 2 * h; e < 2 * h + 2; e++) {
        scores[4 * j + e] = power_of_two(fmaf(scores[4 * j + e], factor, -base));
        sum += scores[4 * j + e];
      }
    maxima[h] = most, sums[h] = fmaf(sums[h], shrink, sum);
#pragma unroll
    for (int d = 0; d < C::kHead / 8; d++) result[4 * d + 2 * h] *= shrink, result[4 * d + 2 * h + 1] *= shrink;
  }
#pragma unroll
  for (int i = 0; i < C::kKeys / 4; i++) Words<typename C::Element>::template pack<2>(weights + i, scores + 2 * i);
}

template <class C>
PLANISH_DEVICE void wide_store(const float* result, const float* sums, typename C::Element* out, const WideShape& p,
                               int query, int lane) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const float factor = normaliser(sums[h]);
    const int row = query + h * 8;
    if (row >= p.queries) continue;
    typename C::Element* to = out + static_cast<int64_t>(row) * p.result.row + (lane & 3) * 2;
#pragma unroll
    for (int d = 0; d < C::kHead / 8; d++) {
      const float pair[2] = {result[4 * d + 2 * h] * factor, result[4 * d + 2 * h + 1] * factor};
      store_run<typename C::Element, 2>(to + d * 8, pair);
    }
  }
}

// mask and out: of this head and batch.
template <class C>
PLANISH_DEVICE void wide_attention(const TensorMap& q, const TensorMap& k, const TensorMap& v,
                                   const typename C::Element* mask, typename C::Element* out, const WideShape& p) {
  extern __shared__ __align__(1024) uint8_t memory[];
  const uint32_t queries = shared_address(memory), blocks = queries + C::kQueries;
  WideBarriers barriers;
  barriers.queries = blocks + C::kStages * 2 * C::kBlock;
  barriers.keys = barriers.queries + 8, barriers.values = barriers.keys + C::kStages * 8;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const int count = (p.keys + C::kKeys - 1) / C::kKeys;
  if (threadIdx.x == 0) {
    for (int i = 0; i < 1 + 2 * C::kStages; i++) barrier_init(barriers.queries + i * 8, 1);
    barrier_init_fence();
    grid_wait();
    barrier_expect(barriers.queries, C::kQueries);
    copy_tile4(queries, q, barriers.queries, 0, blockIdx.x * C::kRows, blockIdx.y * p.heads_of_queries,
               blockIdx.z * p.batches_of_queries, kKeepNormal);
    for (int i = 0; i < count && i < C::kStages; i++) wide_load<C>(k, v, blocks, barriers, p, i);
  }
  __syncthreads();
  grid_release();
  grid_wait();
  const int query = blockIdx.x * C::kRows + warp * 16 + (lane >> 2);
  float scores[C::kKeys / 2], result[C::kHead / 2], maxima[2] = {-infinity(), -infinity()}, sums[2] = {0, 0};
  uint32_t weights[C::kKeys / 4], addends[C::kMask == 2 ? 2 : 1][C::kKeys / 8];
#pragma unroll
  for (int i = 0; i < C::kHead / 2; i++) result[i] = 0;
  wide_addends<C>(addends, p, mask, query, 0, lane);
  Ring<C::kStages> ring;
  barrier_wait(barriers.queries, 0);
  barrier_wait(barriers.keys, 0);
  wide_scores<C>(scores, queries, blocks);
  product_wait<0>();
  sums_ready<C::kKeys / 2>(scores);
  for (int i = 0; i < count; i++) {
    const float factor = wide_mask<C>(scores, p, addends, i * C::kKeys, lane);
    wide_softmax<C>(scores, factor, weights, maxima, sums, result);
    const Ring<C::kStages> here = ring;
    ring.next();
    barrier_wait(barriers.values + here.stage * 8, here.parity);
    wide_values<C>(result, weights, blocks + here.stage * 2 * C::kBlock + C::kBlock);
    if (i + 1 < count) {
      barrier_wait(barriers.keys + ring.stage * 8, ring.parity);
      wide_scores<C>(scores, queries, blocks + ring.stage * 2 * C::kBlock);
      wide_addends<C>(addends, p, mask, query, (i + 1) * C::kKeys, lane);
    }
    product_wait<0>();
    sums_ready<C::kHead / 2>(result);
    sums_ready<C::kKeys / 2>(scores);
#pragma unroll
    for (int w = 0; w < C::kKeys / 4; w++) asm volatile("" : "+r"(weights[w])::"memory");  // read until here
    if (i + C::kStages >= count) continue;
    __syncthreads();  // nobody reads the stage any more
    if (threadIdx.x == 0) wide_load<C>(k, v, blocks, barriers, p, i + C::kStages);
  }
  wide_store<C>(result, sums, out, p, query, lane);
}

#ifdef PLANISH_WIDE_ATTENTION
using WideInstance = PLANISH_WIDE_ATTENTION;
extern "C" __global__ void __launch_bounds__(WideInstance::kThreads, WideInstance::kResident)
    wide(const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k, const __grid_constant__ TensorMap v,
         const WideInstance::Element* mask, WideInstance::Element* out, const __grid_constant__ WideShape shape) {
  wide_attention<WideInstance>(q, k, v, mask, out, shape);
}
#endif
