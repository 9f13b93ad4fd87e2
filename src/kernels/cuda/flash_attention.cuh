#pragma once
// Attention softmax(scale * Q K^T + mask) V without its scores in memory (sm_80 and later): a block has 16 * Warps
// queries of a head and walks over the keys, 64 at a time, with running maxima and sums. Operands are read where they
// lie: any batch, head and row pitches, the elements of a head adjacent (16-byte aligned rows).
//
// Grid: (ceil(queries / (16 * Warps)), heads, batches); 32 * Warps threads; dynamic shared memory kShared.

#include "attention_shape.cuh"
#include "mma.cuh"

// instance: PLANISH_ATTENTION=Attention<half_t,64,4,0>
// instance: PLANISH_ATTENTION=Attention<half_t,64,8,2>
// instance: PLANISH_ATTENTION=Attention<bfloat_t,128,4,1>
// instance: PLANISH_ATTENTION=Attention<half_t,32,4,3>
// instance: PLANISH_ATTENTION=Attention<half_t,96,4,0>

struct AttentionShape {
  int queries, keys, width;  // width: elements of a head, a multiple of 8
  int heads_per_key_head;
  int causal_offset;  // with a causal mask query i sees keys up to i + causal_offset
  float scale;
  AttentionPlace query, key, value, result, mask, second;  // masks: [batch][head][query][key]
};

// Mask 0: none; 1: causal; 2: addends of type T; 3: two of them. Head: 32, 64, 96 or 128 elements, the width at least.
template <class T, int Head, int Warps, int Mask>
struct Attention {
  using Element = T;
  static constexpr int kHead = Head, kWarps = Warps, kMask = Mask, kThreads = 32 * Warps, kRows = 16 * Warps,
                       kKeys = 64;
  static constexpr int kPitch = Head * 2 + 16;  // bytes of a row in shared memory: rows begin in different banks
  static constexpr int kBlock = kKeys * kPitch, kStages = 2;
  static constexpr int kQueries = kRows * kPitch;
  static constexpr int kShared = kQueries + kStages * 2 * kBlock;
  static_assert(Head % 32 == 0, "head");
};

template <class C, int Rows>
PLANISH_DEVICE void attention_rows(uint32_t to, const typename C::Element* from, const AttentionPlace& place, int width,
                                   int first, int end) {
  constexpr int chunks = C::kHead / 8;
  if (place.element == 1 && place.row % 8 == 0 && reinterpret_cast<uint64_t>(from) % 16 == 0) {
#pragma unroll
    for (int i = threadIdx.x; i < Rows * chunks; i += C::kThreads) {
      const int row = i / chunks, chunk = i % chunks;
      const bool valid = first + row < end && chunk * 8 < width;
      copy_async<16>(to + row * C::kPitch + chunk * 16, from + (valid ? (first + row) * place.row + chunk * 8 : 0),
                     valid);
    }
    return;
  }
#pragma unroll 1
  for (int i = threadIdx.x; i < Rows * chunks; i += C::kThreads) {
    const int row = i / chunks, chunk = i % chunks;
    const bool valid = first + row < end && chunk * 8 < width;
    const typename C::Element* at = from + (valid ? (first + row) * place.row + chunk * 8 * place.element : 0);
    uint32_t words[4] = {};
#pragma unroll
    for (int e = 0; e < 8; e++)
      if (valid) words[e / 2] |= static_cast<uint32_t>(at[e * place.element].bits) << (e % 2 * 16);
    store_shared4(to + row * C::kPitch + chunk * 16, words);
  }
}

// Scores of 16 queries and 64 keys, times log2(e) * scale, with the mask.
template <class C>
PLANISH_DEVICE void attention_scores(float (*scores)[4], const uint32_t (*queries)[4], uint32_t keys,
                                     const AttentionShape& p, const typename C::Element* mask,
                                     const typename C::Element* second, int query, int key0, int lane) {
#pragma unroll
  for (int j = 0; j < 8; j++)
#pragma unroll
    for (int e = 0; e < 4; e++) scores[j][e] = 0;
#pragma unroll
  for (int d = 0; d < C::kHead / 16; d++)
#pragma unroll
    for (int j = 0; j < 4; j++) {
      uint32_t b[4];
      load_fragments(b, keys + (j * 16 + (lane & 15)) * C::kPitch + d * 32 + (lane >> 4) * 16);
      WarpProduct<typename C::Element>::add(scores[2 * j], queries[d], b[0], b[2]);
      WarpProduct<typename C::Element>::add(scores[2 * j + 1], queries[d], b[1], b[3]);
    }
  const bool last = key0 + C::kKeys > p.keys;
  const typename C::Element* rows[2] = {mask + query * p.mask.row, mask + (query + 8) * p.mask.row};
  const int step = static_cast<int>(p.mask.element);
#pragma unroll
  for (int j = 0; j < 8; j++)
#pragma unroll
    for (int e = 0; e < 4; e++) {
      const int row = query + (e >> 1) * 8, key = key0 + j * 8 + (lane & 3) * 2 + (e & 1);
      float s = scores[j][e] * (p.scale * kLog2e);
      if constexpr (C::kMask >= 2) {
        if (row < p.queries && key < p.keys) {
          float addend = to_float(rows[e >> 1][key * step]);
          if constexpr (C::kMask == 3) addend += to_float(second[row * p.second.row + key * p.second.element]);
          s = fmaf(addend, kLog2e, s);
        }
      }
      bool seen = !last || key < p.keys;
      if constexpr (C::kMask == 1) seen = seen && key <= row + p.causal_offset;
      scores[j][e] = seen ? s : -infinity();
    }
}

// Running softmax: scores become weights 2^(s - maximum); what was summed before is scaled to the new maximum.
template <class C>
PLANISH_DEVICE void attention_softmax(float (*scores)[4], float* maxima, float* sums, float (*result)[4]) {
#pragma unroll
  for (int h = 0; h < 2; h++) {
    float most = maxima[h];
#pragma unroll
    for (int j = 0; j < 8; j++) most = fmaxf(most, fmaxf(scores[j][2 * h], scores[j][2 * h + 1]));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 1));
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, 2));
    const float base = most == -infinity() ? 0.0f : most, shrink = power_of_two(maxima[h] - base);
    float sum = 0;
#pragma unroll
    for (int j = 0; j < 8; j++)
#pragma unroll
      for (int e = 2 * h; e < 2 * h + 2; e++) {
        scores[j][e] = power_of_two(scores[j][e] - base);
        sum += scores[j][e];
      }
    maxima[h] = most, sums[h] = fmaf(sums[h], shrink, sum);
#pragma unroll
    for (int d = 0; d < C::kHead / 8; d++) result[d][2 * h] *= shrink, result[d][2 * h + 1] *= shrink;
  }
}

template <class C>
PLANISH_DEVICE void attention_values(float (*result)[4], const float (*scores)[4], uint32_t values, int lane) {
  using W = Words<typename C::Element>;
#pragma unroll
  for (int k = 0; k < 4; k++) {
    uint32_t a[4];
#pragma unroll
    for (int i = 0; i < 4; i++) W::template pack<2>(a + i, scores[2 * k + (i >> 1)] + (i & 1) * 2);
#pragma unroll
    for (int d = 0; d < C::kHead / 16; d++) {
      uint32_t b[4];
      load_fragments_transposed(b, values + (k * 16 + (lane & 15)) * C::kPitch + d * 32 + (lane >> 4) * 16);
      WarpProduct<typename C::Element>::add(result[2 * d], a, b[0], b[1]);
      WarpProduct<typename C::Element>::add(result[2 * d + 1], a, b[2], b[3]);
    }
  }
}

template <class C>
PLANISH_DEVICE void attention(const typename C::Element* q, const typename C::Element* k, const typename C::Element* v,
                              const typename C::Element* mask, typename C::Element* out, const AttentionShape& p,
                              const typename C::Element* second = nullptr) {
  using T = typename C::Element;
  extern __shared__ __align__(1024) uint8_t shared[];
  const uint32_t queries = shared_address(shared), blocks = queries + C::kQueries;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const int head = blockIdx.y, batch = blockIdx.z, first = blockIdx.x * C::kRows,
            query = first + warp * 16 + (lane >> 2);
  const int key_head = head / p.heads_per_key_head;
  q += batch * p.query.batch + head * p.query.head;
  k += batch * p.key.batch + key_head * p.key.head;
  v += batch * p.value.batch + key_head * p.value.head;
  if constexpr (C::kMask >= 2) mask += batch * p.mask.batch + head * p.mask.head;
  if constexpr (C::kMask == 3) second += batch * p.second.batch + head * p.second.head;
  int end = p.keys;
  if constexpr (C::kMask == 1) end = min(end, first + C::kRows + p.causal_offset);
  const int count = (end + C::kKeys - 1) / C::kKeys;
  grid_release();
  grid_wait();

  auto load = [&](int i) {
    const uint32_t at = blocks + i % C::kStages * 2 * C::kBlock;
    attention_rows<C, C::kKeys>(at, k, p.key, p.width, i * C::kKeys, p.keys);
    attention_rows<C, C::kKeys>(at + C::kBlock, v, p.value, p.width, i * C::kKeys, p.keys);
  };
  attention_rows<C, C::kRows>(queries, q, p.query, p.width, first, p.queries);
  if (count > 0) load(0);
  copies_commit();
  uint32_t fragments[C::kHead / 16][4];
  float result[C::kHead / 8][4] = {}, scores[8][4], maxima[2] = {-infinity(), -infinity()}, sums[2] = {0, 0};
  for (int i = 0; i < count; i++) {
    if (i + 1 < count) load(i + 1);
    copies_commit();
    copies_wait<1>();
    __syncthreads();
    if (i == 0) {
#pragma unroll
      for (int d = 0; d < C::kHead / 16; d++)
        load_fragments(fragments[d], queries + (warp * 16 + (lane & 15)) * C::kPitch + d * 32 + (lane >> 4) * 16);
    }
    const uint32_t keys = blocks + i % C::kStages * 2 * C::kBlock;
    attention_scores<C>(scores, fragments, keys, p, mask, second, query, i * C::kKeys, lane);
    attention_softmax<C>(scores, maxima, sums, result);
    attention_values<C>(result, scores, keys + C::kBlock, lane);
    __syncthreads();
  }
#pragma unroll
  for (int h = 0; h < 2; h++) {
    const float factor = normaliser(sums[h]);
    const int row = query + h * 8;
    if (row >= p.queries) continue;
    T* to = out + batch * p.result.batch + head * p.result.head + row * p.result.row + (lane & 3) * 2;
#pragma unroll
    for (int d = 0; d < C::kHead / 8; d++) {
      const float pair[2] = {result[d][2 * h] * factor, result[d][2 * h + 1] * factor};
      if (d * 8 < p.width) store_run<T, 2>(to + d * 8, pair);
    }
  }
}

#define PLANISH_ATTENTION_KERNEL(name, Config)                                                                        \
  extern "C" __global__ void __launch_bounds__(Config::kThreads)                                                      \
      name(const Config::Element* q, const Config::Element* k, const Config::Element* v, const Config::Element* mask, \
           Config::Element* result, const __grid_constant__ AttentionShape shape) {                                   \
    attention<Config>(q, k, v, mask, result, shape);                                                                  \
  }

#ifdef PLANISH_ATTENTION
using AttentionInstance = PLANISH_ATTENTION;
PLANISH_ATTENTION_KERNEL(attention_kernel, AttentionInstance)
#endif
